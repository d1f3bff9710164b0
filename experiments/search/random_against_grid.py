"""As many trials by a grid and at random: which finds the better settings, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.errors import UsageError
from normscope.figures.lines import label_ends
from normscope.figures.look import entitle, new_figure
from normscope.pairs import Pairs, data_of
from normscope.runs.reader import Run
from normscope.searches.importance import importance
from normscope.searches.record import Search, Tried, lacking, searches_of, tried
from normscope.searches.space import Interval
from normscope.statistics import median

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LR = "optimizer.lr"
METHODS = {"grid": ("by grid", "#D55E00"), "random": ("at random", "#0072B2")}  # Okabe & Ito 2008

RG1 = Claim(
    "RG1",
    "with as many trials, the best validation accuracy of the random search is at least that of the grid",
    "random search finds models as good or better than a grid's, in a fraction of the trials (abstract, figure 5)",
    "points more at random",
)
RG2 = Claim(
    "RG2",
    "in the random search the learning rate explains more of the ranks' variance than either other setting",
    "on any one data set few of the settings matter (section 3)",
    "points of variance",
)


@dataclass(frozen=True)
class Made:
    """A search that was made, with its trials, best first."""

    search: Search
    runs: list[Run]
    trials: list[Tried]


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """RG1 and RG2 for every scale of the runs."""
    found = []
    for scale in sorted({run.scale for run in runs}):
        group, pairs = paired([run for run in runs if run.scale == scale], scale)
        if not pairs:
            needs = "needs both searches of a seed, with search=grid and with search=random"
            found += [not_run(claim, scale, "; ".join([needs, *group.remarks])) for claim in (RG1, RG2)]
            continue
        gains = [100 * (random.trials[0].score - grid.trials[0].score) for grid, random in pairs]
        leads = [lead(random) for _, random in pairs]
        found += [
            judge(RG1, group, gains, [Part(gains, lambda gain: gain >= 0, lambda gain: gain < 0)], tie=0),
            judge(RG2, group, leads, [Part(leads, lambda points: points > 0, lambda points: points < 0)], tie=0),
        ]
    return found


def made(runs: Sequence[Run]) -> dict[tuple[int, str], Made]:
    """(seed, method) -> the search."""
    found = {}
    for search, members in searches_of(runs):
        trials = tried(search, members)
        if search.method in METHODS and math.isfinite(trials[0].score):
            found[members[0].seed, search.method] = Made(search, members, trials)
    return found


def paired(runs: Sequence[Run], scale: str) -> tuple[Pairs, list[tuple[Made, Made]]]:
    """The pairs (grid, random) of searches of one seed, of as many trials; the runs of the best stand for them."""
    found, pairs, remarks = made(runs), [], []
    for seed in sorted({seed for seed, _ in found}):
        grid, random = found.get((seed, "grid")), found.get((seed, "random"))
        if not grid or not random:
            remarks.append(f"seed {seed}: only one of the two searches, not used")
        elif unended := lacking(grid.search, grid.trials) or lacking(random.search, random.trials):
            remarks.append(f"seed {seed}: {unended} so far, not used")
        elif len(grid.trials) != len(random.trials):
            remarks.append(f"seed {seed}: {len(grid.trials)} trials by grid, {len(random.trials)} at random, not used")
        else:
            pairs.append((grid, random))
    label = f"{data_of(runs[0])}, {len(pairs[0][0].trials)} trials each" if pairs else ""
    best = tuple((best_run(grid), best_run(random)) for grid, random in pairs)
    return Pairs(scale, label, best, tuple(remarks)), pairs


def best_run(search: Made) -> Run:
    """The run of the best trial."""
    return next(run for run in search.runs if run.folder == search.trials[0].folder)


def lead(search: Made) -> float:
    """By how many points of the ranks' variance the learning rate leads before the next setting; nan if unknown."""
    scores = [trial.score for trial in search.trials]
    shares = {
        setting.key: importance([trial.settings[setting.key] for trial in search.trials], scores)[0]
        for setting in search.search.space
    }
    return 100 * (shares[LR] - max(share for key, share in shares.items() if key != LR))


def plot(runs: Sequence[Run]) -> "Figure":
    """Every trial over its learning rate, and the best that k trials can be expected to find.

    Raises:
        UsageError: if no search of the two has a trial with a score.
    """
    found = made(runs)
    if not found:
        raise UsageError("no trial of a grid or a random search has finished: nothing to draw; let it go on to its end")
    with new_figure(13, 5.6) as figure:
        left, right = figure.subplots(1, 2)
        ends = []
        for method, (name, colour) in METHODS.items():
            own = [search for (_, which), search in found.items() if which == method]
            if own:
                scatter(left, own, colour)
                ends.append((expected(right, own, colour), name, colour))
        finish(left, right, found)
        label_ends(right, ends)
        entitle(
            figure, "A grid tries few learning rates, a random search as many as it has trials", caption(runs, found)
        )
    return figure


def scatter(axis: "Axes", searches: Sequence[Made], colour: str) -> None:
    """The trials of all seeds over their learning rate."""
    trials = [trial for search in searches for trial in search.trials]
    scored = [trial for trial in trials if math.isfinite(trial.score)]
    lost = [trial for trial in trials if not math.isfinite(trial.score)]
    axis.scatter([float(trial.settings[LR]) for trial in scored], [100 * trial.score for trial in scored], s=30,
                 color=colour, alpha=0.6, linewidth=0)  # fmt: skip
    axis.scatter([float(trial.settings[LR]) for trial in lost], [0.02] * len(lost), s=34, marker="x", color=colour,
                 transform=axis.get_xaxis_transform(), clip_on=False)  # fmt: skip


def expected(axis: "Axes", searches: Sequence[Made], colour: str) -> float:
    """The expected best of k trials, median and range over the seeds; returns where it ends."""
    curves = [expected_best([100 * max(trial.score, 0) for trial in search.trials]) for search in searches]
    length = min(map(len, curves))
    columns = [sorted(curve[k] for curve in curves) for k in range(length)]
    middle = [float(median(column)) for column in columns]
    steps = range(1, length + 1)
    axis.fill_between(steps, [c[0] for c in columns], [c[-1] for c in columns], color=colour, alpha=0.22, linewidth=0)
    axis.plot(steps, middle, color=colour)
    return middle[-1]


def expected_best(scores: Sequence[float]) -> list[float]:
    """The expectation of the largest of k of n scores, drawn without putting back, for k = 1 .. n.

    Dodge et al. 2019, "Show your work", arXiv:1909.03004, equation 2, there with putting back:
        E[max of k] = Σ_i s_(i) C(i − 1, k − 1) / C(n, k),   s_(1) <= ... <= s_(n)
    """
    ordered, n = sorted(scores), len(scores)
    return [
        sum(score * math.comb(place, k - 1) for place, score in enumerate(ordered)) / math.comb(n, k)
        for k in range(1, n + 1)
    ]


def finish(left: "Axes", right: "Axes", found: dict[tuple[int, str], Made]) -> None:
    """Titles and axes."""
    rates = {
        method: len({trial.settings[LR] for trial in search.trials}) for (_, method), search in sorted(found.items())
    }
    left.set_title("Learning rates tried: " + ", ".join(f"{count} {METHODS[name][0]}" for name, count in rates.items()))
    for setting in next(iter(found.values())).search.space:
        if isinstance(setting, Interval) and setting.key == LR:
            left.set_xlim(setting.beyond(0.03))
    left.set(xscale="log", xlabel="learning rate", ylabel="validation accuracy, %")
    right.set_title("The best that k trials are expected to find")
    right.set(xlabel="trials k", ylabel="best validation accuracy, %")
    right.locator_params(axis="x", integer=True)


def caption(runs: Sequence[Run], found: dict[tuple[int, str], Made]) -> str:
    """What was searched and how to read it."""
    run, any_search = runs[0], next(iter(found.values()))
    seeds = {name: len({seed for seed, method in found if method == name}) for name in METHODS}
    counts = ", ".join(f"n = {count} seeds {METHODS[name][0]}" for name, count in seeds.items())
    keys = ", ".join(setting.key for setting in any_search.search.space)
    return (
        f"Scale {run.scale}: {run.choices.get('model')} on {data_of(run)}, {run.config['dataset'].get('train_size')} "
        f"training and {run.config['dataset'].get('validation')} validation images, searched over {keys}; {counts}, "
        f"{len(any_search.trials)} trials each. Crosses: trials that diverged. Right: the mean over all ways to draw k "
        "of the trials, the line the median and the band the range over the seeds; a diverged trial counts as 0."
    )
