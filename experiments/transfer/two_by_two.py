"""Little or much data, a similar or a different task: how much of a trained network to keep."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.errors import UsageError
from normscope.figures.look import GREY, entitle, new_figure
from normscope.pairs import ENDED, Pairs, Setting, settings
from normscope.runs.reader import Run
from normscope.statistics import median
from normscope.verdicts import measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ONE_FIGURE = True  # two data sets are compared
LITTLE = 1000  # images: up to so many are little data
CELLS = tuple((amount, task) for amount in ("little", "much") for task in ("similar", "different"))
DIFFERENT = {"mnist": "digits (different)", "fashion_mnist": "clothes (different)"}  # data sets that are no photographs
SCRATCH, HEAD, SOME, ALL = "scratch", "0", "2", "all"
ARMS = {SCRATCH: "from scratch", HEAD: "head alone", SOME: "head and\nlast 2 layers", ALL: "all layers"}
COLOURS = {SCRATCH: GREY, HEAD: "#0072B2", SOME: "#009E73", ALL: "#D55E00"}
Cell = Mapping[str, Sequence[Run]]  # arm -> its runs

LEAST, BETTER = 5.0, 1.0  # points of test accuracy
TR1 = Claim(
    "TR1",
    f"little data, similar task: the head alone is at least {LEAST:g} points better than training from scratch",
    "linear classifier on top features",
    "points",
)
TR2 = Claim(
    "TR2",
    f"little data, similar task: the head alone is at least {BETTER:g} point better than fine-tuning all layers",
    "train the top alone with few data",
    "points",
)
TR3 = Claim(
    "TR3",
    f"much data, similar task: fine-tuning the last layers is at least {BETTER:g} point better than the head alone",
    "fine-tune a few layers",
    "points",
)
TR4 = Claim(
    "TR4",
    f"little data: the head alone gains at least {LEAST:g} points less over training from scratch on the "
    "different task than on the similar one",
    "different, few: trouble",
    "points less",
)
TR5 = Claim(
    "TR5",
    f"much data, different task: fine-tuning all layers is at least {BETTER:g} point better than the last layers alone",
    "fine-tune more layers",
    "points",
)
WITHIN = (  # claim, cell, the arm that is better, the arm that it is compared with
    (TR1, ("little", "similar"), HEAD, SCRATCH, LEAST),
    (TR2, ("little", "similar"), HEAD, ALL, BETTER),
    (TR3, ("much", "similar"), SOME, HEAD, BETTER),
    (TR5, ("much", "different"), ALL, SOME, BETTER),
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """The seminar's advice for the four cells, for every scale of the runs."""
    found = []
    for scale in sorted({run.scale for run in runs}):
        cells = table([run for run in runs if run.scale == scale])
        for claim, cell, better, other, least in WITHIN:
            group, effects = gains(cells.get(cell), better, other)
            if group is None:
                found.append(not_run(claim, scale, f"no runs with {cell[0]} data on a {cell[1]} task"))
            else:
                found.append(judge(claim, group, effects, [at_least(least, effects)], tie=0))
        found.append(trouble(cells, scale))
    return sorted(found, key=lambda verdict: (verdict.scale, verdict.claim))


def trouble(cells: Mapping[tuple[str, str], Setting], scale: str) -> Verdict:
    """TR4: the gain on one task minus that on the other, seed by seed."""
    by_task = [gains(cells.get(("little", task)), HEAD, SCRATCH) for task in ("similar", "different")]
    (similar, _), (different, _) = by_task
    if similar is None or different is None:
        return not_run(TR4, scale, "it needs little data on the similar and on the different task")
    ours, theirs = (dict(zip(group.seeds, effects, strict=True)) for group, effects in by_task if group)
    seeds = sorted(ours.keys() & theirs.keys())
    group = replace(
        similar,
        pairs=tuple(pair for pair in similar.pairs if pair[0].seed in seeds),
        setting=f"{similar.setting}, and {different.setting}",
        remarks=(*similar.remarks, *different.remarks),
    )
    effects = [ours[seed] - theirs[seed] for seed in seeds]
    return judge(TR4, group, effects, [at_least(LEAST, effects)], tie=0)


def at_least(least: float, effects: Sequence[float]) -> Part:
    """So many points hold, and less than none opposes."""
    return Part(effects, lambda effect: effect >= least, lambda effect: effect < 0)


def gains(setting: Setting | None, better: str, other: str) -> tuple[Pairs | None, list[float]]:
    """By how many points of test accuracy one arm is better than another, pair by pair; None where one has no runs."""
    arms = by_arm(setting) if setting else {}
    if setting is None or not arms.get(better) or not arms.get(other):
        return None, []
    ours, theirs = ({run.seed: run for run in arms[arm]} for arm in (better, other))
    pairs = tuple((theirs[seed], ours[seed]) for seed in sorted(ours.keys() & theirs.keys()))
    group, found = measured(Pairs(setting.scale, setting.label, pairs), final, worst=-math.inf)
    return group, [ours - theirs if ours != theirs else 0.0 for theirs, ours in found]


def table(runs: Sequence[Run]) -> dict[tuple[str, str], Setting]:
    """(amount, task) -> the runs of that cell; of several settings of a cell the one with most runs."""
    alike = [replace(run, choices=run.choices | {"experiment": "transfer"}) for run in runs]  # no difference of arms
    found: dict[tuple[str, str], Setting] = {}
    for setting in sorted(settings(alike, arm="start"), key=lambda setting: -sum(map(len, setting.arms.values()))):
        run = next(iter(setting.arms.values()))[0]
        size = run.config["dataset"].get("train_size")
        amount = "much" if size is None or size > LITTLE else "little"
        found.setdefault((amount, "different" if run.choices["dataset"] in DIFFERENT else "similar"), setting)
    return found


def by_arm(setting: Setting) -> dict[str, list[Run]]:
    """The ended runs of a setting by what was taken and what learns."""
    arms: dict[str, list[Run]] = {}
    for run in (run for runs in setting.arms.values() for run in runs if run.status in ENDED):
        arms.setdefault(str((run.config.get("start") or {}).get("trained", SCRATCH)), []).append(run)
    return arms


def final(run: Run) -> float:
    """The test accuracy at the end, in percent."""
    accuracy = run.series("test/accuracy")[1]
    return 100 * float(accuracy[-1]) if len(accuracy) else math.nan


def plot(runs: Sequence[Run]) -> "Figure":
    """The table as a picture: a panel for each cell, a row for each arm, a dot for each seed.

    Raises:
        UsageError: if no run has ended.
    """
    cells = table(runs)
    if not any(by_arm(setting) for setting in cells.values()):
        raise UsageError("no run of the transfer table has ended: nothing to draw; let the sweeps go on to their end")
    with new_figure(12.4, 9.6) as figure:
        axes = figure.subplots(2, 2, sharey=True)
        for (amount, task), axis in zip(CELLS, axes.flat, strict=True):
            panel(axis, cells.get((amount, task)), amount, task)
        entitle(figure, "How much of a trained network to keep", caption(cells))
    return figure


def panel(axis: "Axes", setting: Setting | None, amount: str, task: str) -> None:
    """One cell: the test accuracy of each arm, the median as a line and a number."""
    arms = by_arm(setting) if setting else {}
    middles = {arm: float(median([final(run) for run in arms[arm]])) for arm in ARMS if arms.get(arm)}
    for row, arm in enumerate(ARMS):
        if arm in middles:
            values, middle = [final(run) for run in arms[arm]], middles[arm]
            axis.plot(values, [row] * len(values), "o", color=COLOURS[arm], alpha=0.6, markersize=8, clip_on=False)
            axis.plot([middle, middle], [row - 0.3, row + 0.3], color=COLOURS[arm], linewidth=3, solid_capstyle="butt")
            axis.annotate(
                f"{middle:.1f}", (middle, row - 0.34), ha="center", va="bottom", color=COLOURS[arm], fontsize=12
            )
    axis.set_yticks(range(len(ARMS)), list(ARMS.values()))
    axis.set_ylim(len(ARMS) - 0.5, -0.75)
    axis.grid(axis="y", visible=False)
    axis.margins(x=0.12)
    axis.set_xlabel("test accuracy, %")
    run = next(iter(next(iter(setting.arms.values())))) if setting else None
    what = f"{amount.capitalize()} data, {task} task"
    if run is None or not middles:
        axis.set(xticks=[], title=f"{what}: not run yet")
        return
    size = run.config["dataset"].get("train_size")
    best = ARMS[max(middles, key=lambda arm: middles[arm])].replace("\n", " ")
    axis.set_title(f"{what} ({size:,} images):\nhighest median: {best}" if size else what)


def caption(cells: Mapping[tuple[str, str], Setting]) -> str:
    """What the figure shows, with the number of runs, the scale and the settings."""
    members = [run for setting in cells.values() for own in by_arm(setting).values() for run in own]
    counts = sorted({len(own) for setting in cells.values() for own in by_arm(setting).values()})
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    run = members[0]
    others = {DIFFERENT.get(str(run.choices["dataset"]), "classes held out (similar)") for run in members}
    model = f"{run.choices['model']}, width {run.config['model'].get('width')}"
    return (
        f"Scale {run.scale}: {model}, trained on five classes of photographs; then, with a new head, "
        f"{run.config['steps']:,} updates of {run.config['batch_size']} images on five {' or '.join(sorted(others))}. "
        f"What does not learn is frozen, statistics of BatchNorm too. Dots: seeds, n = {n} an arm; line and number: "
        "their median. Axes differ between the panels."
    )
