"""The seminar's experiment: what BatchNorm changes in the training of VGG11 and ResNet-50."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Verdict, not_run
from normscope.criteria import difference, of_reference, of_treated, times_the_steps
from normscope.errors import UsageError
from normscope.figures import panels
from normscope.figures.arms import Shown, fullest
from normscope.figures.look import entitle, new_figure
from normscope.pairs import Pairs, data_of
from normscope.quantities import final, in_points, steps_until
from normscope.runs.reader import Run
from normscope.statistics import mean_until
from normscope.verdicts import medians, verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

CHANCE = math.log(10)  # the loss of guessing among ten classes
PLATEAU = 0.02  # K1: within so many nats of chance a network has learned nothing
EARLY_STEPS, LEARNED = 300, 1.9  # K1
HALF, SPEED = 0.5, 0.2  # K2
MARGIN, RESNET_EPOCHS = 5.0, 20  # K4, points of test accuracy
ARMS = ("none", "batch")
LAYERS = {"vgg": ("layer2", "layer8"), "resnet": ("block2", "block16")}  # early, late
SEMINAR = {"vgg11": {"none": 0.85, "batch": 0.87}, "resnet50": {"none": 0.79, "batch": 0.89}}  # final test accuracy
NAMES = {
    "vgg11": "VGG11",
    "resnet50": "ResNet-50",
    "cifar10": "CIFAR-10",
    "folder cifar10": "CIFAR-10's class folders",
    "sample": "the built-in sample images",
}
REAL = ("cifar10", "folder")  # where the talk's numbers are drawn beside ours
HOW_TO_READ = (
    "Upper row: median and range over the seeds. Middle row: from the least to the most over steps of 1/2 to 4 "
    "learning rates along the gradient, of the loss with its penalties, medians over the seeds (titles: medians over "
    "the run, then over the seeds); dotted: the gradient's own length, the 100 %. Lower row: histograms of seed "
    "{seed}, every ridge of one height; the lowest bin, where ReLU's zeros are, is left out and its share at the last "
    "step written beside (≈ 0); size: root mean square at the last step."
)

K1 = Claim(
    "K1",
    f"VGG11, default init, lr 0.01: the mean training loss over the first {EARLY_STEPS} steps stays within {PLATEAU} "
    f"of ln 10 without BatchNorm and is below {LEARNED} with it",
    "without: ln 10 for about 5,500 steps; with: falls at once",
    "nats lower with BatchNorm",
)
K2 = Claim(
    "K2",
    f"VGG11, default init, lr 0.01: with BatchNorm 50 % test accuracy takes at most {SPEED} times the steps",
    "without: chance for about 5,500 steps; with: 74 % after 3 epochs",
    "x the steps",
)
K4 = Claim(
    "K4",
    f"ResNet, lr 0.01: after the same {RESNET_EPOCHS} epochs the test accuracy is at least {MARGIN:g} points higher "
    "with BatchNorm",
    "10 points (89 % against 79 %)",
    "points",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """K1 and K2 on VGG11, K4 on a ResNet, for every scale and setting of the runs."""
    k1 = [
        difference(lambda run: -early_loss(run), worst=-math.inf, at_least=CHANCE - PLATEAU - LEARNED),
        of_reference(lambda run: abs(early_loss(run) - CHANCE), worst=math.inf, at_most=PLATEAU),
        of_treated(early_loss, worst=math.inf, tie=CHANCE - PLATEAU, at_most=np.nextafter(LEARNED, 0)),
    ]
    k2 = [times_the_steps(steps_until("test/accuracy", HALF), at_most=SPEED)]
    k4 = [difference(in_points(final("test/accuracy")), worst=-math.inf, at_least=MARGIN)]
    return [
        verdict
        for claim, model, criteria, notes in (
            (K1, "vgg11", k1, medians("without", "with", early_loss)),
            (K2, "vgg11", k2, lambda group: ()),
            (K4, "resnet", k4, whether_as_long),
        )
        for scale in sorted({run.scale for run in runs})
        for verdict in verdicts(claim, the_talks(runs, scale, model), criteria, notes=notes)
        or [not_run(claim, scale, f"no run of model={model}* with init=default optimizer.lr=0.01")]
    ]


def early_loss(run: Run) -> float:
    """The mean training loss of the first steps; nan of a run that has fewer."""
    return mean_until(*run.series("train/loss"), EARLY_STEPS)


def the_talks(runs: Sequence[Run], scale: str, model: str) -> list[Run]:
    """The runs of a scale and a kind of model that the claims speak of."""
    own = [run for run in runs if run.scale == scale and is_the_talks(run)]
    return [run for run in own if str(run.choices.get("model")).startswith(model)]


def is_the_talks(run: Run) -> bool:
    """Whether initialisation and learning rate are those that the claims speak of."""
    lr = (run.config.get("optimizer") or {}).get("lr")
    return run.choices.get("init") == "default" and lr is not None and math.isclose(lr, 0.01)


def whether_as_long(group: Pairs) -> Sequence[str]:
    """A note where the runs are not as long as K4 says."""
    config = group.pairs[0][0].config if group.pairs else {}
    exact = not config or (config.get("steps") is None and config.get("epochs") == RESNET_EPOCHS)
    return [] if exact else [f"the runs are not {RESNET_EPOCHS} epochs long but {group.setting.split(', ')[1]}"]


def plot(runs: Sequence[Run]) -> "Figure":
    """Both arms of each network: how training goes, what lies along the gradient, what the layers put out.

    Of several settings of a network the one with most pairs is drawn, the talk's own first; the caption says so.

    Raises:
        UsageError: if no run with or without BatchNorm has ended.
    """
    networks = [[run for run in runs if str(run.choices.get("model")).startswith(model)] for model in LAYERS]
    blocks = [most for own in networks if (most := fullest(own, ARMS, preferred=is_the_talks))]
    if not blocks:
        raise UsageError(
            "no run with model/norm=none or batch has ended: nothing to draw; let the sweep go on to its end"
        )
    with new_figure(12.4, 13 * len(blocks)) as figure:
        parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
        for part, block in zip(parts, blocks, strict=True):
            _block(part, block)
    return figure


def _block(part: "SubFigure", block: Shown) -> None:
    run, arms = block.run, block.arms
    early, late = LAYERS["vgg" if str(run.choices["model"]).startswith("vgg") else "resnet"]
    published = SEMINAR.get(str(run.choices["model"]), {}) if run.choices.get("dataset") in REAL else {}
    axes = part.subplots(3, 2)
    panels.loss(axes[0, 0], arms)
    panels.accuracy(axes[0, 1], arms, published)
    panels.landscape(axes[1, 0], arms)
    panels.predictiveness(axes[1, 1], arms)
    panels.activations(axes[2, 0], arms, early, "Early")
    panels.activations(axes[2, 1], arms, late, "Last")
    model, data = (NAMES.get(name, name) for name in (str(run.choices.get("model")), data_of(run)))
    text = f"{block.caption()} {HOW_TO_READ.format(seed=run.seed)}"
    entitle(part, f"What BatchNorm changes: {model} on {data}", text)
