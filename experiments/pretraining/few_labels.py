"""What pretraining without labels is worth: test accuracy against labels per class, and the gain over none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from normscope.claims import Verdict
from normscope.errors import UsageError
from normscope.figures.lines import label_ends
from normscope.figures.look import GREY, entitle, new_figure
from normscope.pairs import ENDED, data_of
from normscope.runs.reader import Run
from normscope.statistics import median

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSES = 10
NONE = "none"
ARMS = {  # the experiment that a run starts from -> what it is called, and its colour
    "pretraining/rotation": ("rotation", "#0072B2"),
    "pretraining/autoencoder": ("autoencoder, whole", "#009E73"),
    "pretraining/layers_8": ("autoencoder by layer", "#CC79A7"),
    NONE: ("no pretraining", "#D55E00"),
}

Scores = Mapping[int, Mapping[int, float]]  # labels per class -> seed -> test accuracy, %


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """None: three seeds decide nothing."""
    return []


def plot(runs: Sequence[Run]) -> "Figure":
    """Left the test accuracy of each arm, right what it gains over no pretraining, pair by pair.

    Raises:
        UsageError: if no run has ended that was scored.
    """
    runs = of_one_length(runs)
    scores = {arm: own for arm in ARMS if (own := scores_of(runs, arm))}
    if not scores:
        raise UsageError("no run of pretraining/few_labels has ended with a test accuracy; repeat its command")
    gains = {arm: gain for arm, own in scores.items() if arm != NONE and (gain := gains_of(own, scores.get(NONE, {})))}
    with new_figure(15.4, 6.2) as figure:
        left, right = figure.subplots(1, 2)
        ends = [draw(left, own, ARMS[arm]) for arm, own in scores.items()]
        finish(left, "Test accuracy", "test accuracy, %", ends, scores)
        right.axhline(0, color=ARMS[NONE][1], linewidth=1.6)
        ends = [draw(right, own, ARMS[arm]) for arm, own in gains.items()]
        finish(right, "Gained by pretraining, pairs of one seed", "points of test accuracy", ends, gains)
        entitle(figure, f"Pretraining without labels: VGG11 on {data_of(runs[0])}", caption(runs, scores))
    return figure


def of_one_length(runs: Sequence[Run]) -> list[Run]:
    """The ended runs of the length and batch that most of them have; they are not held against others."""
    ended = [run for run in runs if run.status in ENDED]
    lengths = [tuple(run.config.get(key) for key in ("steps", "epochs", "batch_size")) for run in ended]
    return [run for run, own in zip(ended, lengths, strict=True) if own == Counter(lengths).most_common(1)[0][0]]


def arm_of(run: Run) -> str:
    """The experiment that a run starts from, or none; the folder's name where it was named by hand."""
    start = run.config.get("start") or {}
    return str(start.get("experiment") or start.get("run") or NONE)


def scores_of(runs: Sequence[Run], arm: str) -> dict[int, dict[int, float]]:
    """The last test accuracies of an arm among runs that have ended; one that diverged has guessed."""
    found: dict[int, dict[int, float]] = {}
    for run in runs:
        _, accuracy = run.series("test/accuracy")
        size = run.config["dataset"].get("train_size")
        if arm_of(run) == arm and size and len(accuracy):
            score = 100 * float(accuracy[-1]) if run.status == "finished" else 100 / CLASSES
            found.setdefault(size // CLASSES, {})[run.seed] = score
    return dict(sorted(found.items()))


def gains_of(own: Scores, none: Scores) -> dict[int, dict[int, float]]:
    """The differences to the runs without pretraining, seed by seed."""
    pairs = {
        labels: {seed: score - none[labels][seed] for seed, score in by_seed.items() if seed in none.get(labels, {})}
        for labels, by_seed in own.items()
    }
    return {labels: by_seed for labels, by_seed in pairs.items() if by_seed}


def draw(axis: "Axes", scores: Scores, look: tuple[str, str]) -> tuple[float, str, str]:
    """A line of medians with a dot for each seed; returns its end, for the label."""
    name, colour = look
    middles = [float(median([*by_seed.values()])) for by_seed in scores.values()]
    axis.plot(list(scores), middles, color=colour)
    for labels, by_seed in scores.items():
        axis.plot([labels] * len(by_seed), list(by_seed.values()), color=colour, linestyle="", marker="o", markersize=5)
    return middles[-1], name, colour


def finish(axis: "Axes", title: str, unit: str, ends: list[tuple[float, str, str]], arms: Mapping[str, Scores]) -> None:
    """Axes and names."""
    axis.set_xscale("log")
    ticks = sorted({labels for own in arms.values() for labels in own})
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.minorticks_off()
    axis.set_title(title)
    axis.set_xlabel("labels per class")
    axis.set_ylabel(unit)
    if not ends:
        axis.text(0.5, 0.5, "no pairs yet", transform=axis.transAxes, ha="center", color=GREY)
    label_ends(axis, ends)


def caption(runs: Sequence[Run], scores: Mapping[str, Scores]) -> str:
    """What was run, how much of it, and how to read it."""
    run = runs[0]
    counts = {len(by_seed) for own in scores.values() for by_seed in own.values()}
    n = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return (
        f"Scale {run.scale}: width {run.config['model'].get('width')}, {run.summary['step']:,} updates with labels, "
        "however few they are; the pretraining saw the training images without their labels. "
        f"n = {n} seeds: dots; the lines join their medians."
    )
