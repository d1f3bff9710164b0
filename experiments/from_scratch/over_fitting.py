"""Deep Learning from Scratch, chapter 6: 300 images, learnt by heart, with weight decay and with dropout."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict
from normscope.criteria import difference, of_reference
from normscope.errors import UsageError
from normscope.figures.arms import Shown, fullest
from normscope.figures.lines import Series, band, label_ends
from normscope.figures.look import arm_colour, entitle, new_figure
from normscope.figures.titles import label
from normscope.quantities import final, in_points
from normscope.runs.reader import Run
from normscope.statistics import running_mean
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPOCH = 3  # batches
DECAY, DROPOUT = "regularizer.l2.loss.strength", "regularizer.dropout.architecture.dropout.p"
STATEMENT = (
    "784-100x6-10, 300 images, 301 epochs: without either the accuracy on the training images ends at 100 %, and with "
    "{what} the training accuracy is fewer points above the test accuracy"
)
C4_DECAY = Claim("C4, weight decay", STATEMENT.format(what="weight decay of 0.1"), "the gap shrinks", "points of gap")
C4_DROPOUT = Claim("C4, dropout", STATEMENT.format(what="dropout of 0.2"), "the gap shrinks", "points of gap")


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """C4 for weight decay among the runs without dropout, and for dropout among those without weight decay."""
    criteria = [
        difference(gap, worst=math.inf, at_most=np.nextafter(0, -1)),
        of_reference(by_heart, worst=0, tie=-math.inf, at_least=1.0),
    ]
    found = []
    for claim, arm, option, other in ((C4_DECAY, DECAY, "0.1", DROPOUT), (C4_DROPOUT, DROPOUT, "0.2", DECAY)):
        own = [run for run in runs if strength(run, other) == 0]
        zero = next((str(strength(run, arm)) for run in own if strength(run, arm) == 0), "0")
        notes = medians("without", "with", gap)
        found += verdicts(claim, own, criteria, arm=arm, reference=zero, treated=option, notes=notes)
    return found


def strength(run: Run, place: str) -> float:
    """The value of a setting that is named with dots."""
    value = run.config
    for key in place.split("."):
        value = value[key]
    return value  # type: ignore[return-value]


def by_heart(run: Run) -> float:
    """The accuracy on the training images, by the network in evaluation mode over the last epoch."""
    values = run.series("evaluation_mode/accuracy")[1]
    return float(values[-EPOCH:].mean()) if len(values) >= EPOCH else math.nan


def gap(run: Run) -> float:
    """Points by which that is above the test accuracy."""
    return 100 * by_heart(run) - in_points(final("test/accuracy"))(run)


def plot(runs: Sequence[Run]) -> "Figure":
    """Accuracy on the training and on the test images, with neither, with each and with both."""
    arms = {
        "without": [run for run in runs if not strength(run, DECAY) and not strength(run, DROPOUT)],
        "weight decay": [run for run in runs if strength(run, DECAY) and not strength(run, DROPOUT)],
        "dropout": [run for run in runs if not strength(run, DECAY) and strength(run, DROPOUT)],
        "both": [run for run in runs if strength(run, DECAY) and strength(run, DROPOUT)],
    }
    found = in_one(arms)
    with new_figure(13.4, 6.6) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axis, title, curve in (
            (left, "On the 300 training images", of_training),
            (right, "On the test set", of_test),
        ):
            ends = {name: band(axis, [curve(run) for run in own], arm_colour(name)) for name, own in found.arms.items()}
            axis.set_title(title)
            axis.set_xlabel("epoch")
            axis.set_ylim(0, 103)
            label_ends(axis, [(end, label(name, found.arms[name]), arm_colour(name)) for name, end in ends.items()])
        left.set_ylabel("accuracy, %")
        text = (
            f"{found.caption()} Training accuracy: in evaluation mode, over the three batches of an epoch; lines: "
            "medians over the seeds, bands: ranges. Weight decay: 0.1/2 ‖w‖² added to the loss; dropout: 0.2 of the "
            "hidden units."
        )
        entitle(figure, "Learning 300 images by heart", text)
    return figure


def in_one(arms: dict[str, list[Run]]) -> Shown:
    """The four kinds of runs as the arms of one figure.

    Raises:
        UsageError: if none of them has ended.
    """
    settings = {name: fullest(own, ["none"]) for name, own in arms.items()}
    found = {name: setting for name, setting in settings.items() if setting is not None}
    if not found:
        raise UsageError("no run with model/norm=none has ended: nothing to draw; let the sweep go on to its end")
    members = {name: next(iter(setting.arms.values())) for name, setting in found.items()}
    return replace(next(iter(found.values())), arms=members)


def of_training(run: Run) -> Series:
    """(epochs, accuracy in %) in evaluation mode."""
    steps, values = run.series("evaluation_mode/accuracy")
    return (steps[EPOCH - 1 :: EPOCH] + 1) // EPOCH, 100 * running_mean(values, EPOCH)[::EPOCH]


def of_test(run: Run) -> Series:
    """(epochs, accuracy in %)."""
    steps, values = run.series("test/accuracy")
    return steps // EPOCH, 100 * values
