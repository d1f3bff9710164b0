"""Two rounds of search: wide and short, then narrow and long."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.errors import UsageError
from normscope.figures.look import INK, entitle, new_figure
from normscope.pairs import Pairs, data_of
from normscope.runs.reader import Run
from normscope.searches.narrowed import EDGE
from normscope.searches.record import Search, Tried, lacking, searches_of, tried
from normscope.searches.space import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LR = "optimizer.lr"
ROUNDS = {"coarse": "First round: wide and short", "fine": "Second round: inside the first, and longer"}
SEED_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")  # Okabe & Ito 2008
GAIN, TOP_SHARE, LEAST_POWER = 1.0, 0.2, -3.5  # CF2; CF3

CF1 = Claim(
    "CF1",
    f"the best learning rate of the first round lies inside its range, at least {100 * EDGE:g} % of the powers of ten "
    "away from either end",
    "the best value must not lie on the border of the range (CS231n)",
    "of the range, to the nearer end",
)
CF2 = Claim(
    "CF2",
    f"the best trial of the second round scores at least {GAIN:g} point more than that of the first",
    "search from coarse to fine, the later stages longer (CS231n)",
    "points",
)
CF3 = Claim(
    "CF3",
    "the best fifth of the first round's trials all have a learning rate above 10^-3.5",
    "the book's 20 best of 100 trials (its network and data are others)",
    "powers of ten of the smallest of them",
)


@dataclass(frozen=True)
class Round:
    """A round that was made, with its trials, best first."""

    search: Search
    runs: list[Run]
    trials: list[Tried]

    @property
    def lr(self) -> Interval:
        """The range of the learning rate."""
        (found,) = (setting for setting in self.search.space if setting.key == LR)
        assert isinstance(found, Interval)
        return found


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """CF1 to CF3 for every scale of the runs."""
    found = []
    for scale in sorted({run.scale for run in runs}):
        group, pairs = paired([run for run in runs if run.scale == scale], scale)
        if not pairs:
            needs = "needs both rounds of a seed; the second: search.within=outputs/search/coarse_to_fine/coarse-seed0"
            found += [not_run(claim, scale, "; ".join([needs, *group.remarks])) for claim in (CF1, CF2, CF3)]
            continue
        inside = [margin(coarse) for coarse, _ in pairs]
        gains = [100 * (fine.trials[0].score - coarse.trials[0].score) for coarse, fine in pairs]
        powers = [least_power(coarse) for coarse, _ in pairs]
        found += [
            judge(CF1, group, inside, [Part(inside, lambda share: share >= EDGE, lambda share: share < EDGE)], tie=0),
            judge(CF2, group, gains, [Part(gains, lambda gain: gain >= GAIN, lambda gain: gain < 0)], tie=0),
            judge(CF3, group, powers, [Part(powers, lambda p: p > LEAST_POWER, lambda p: p <= LEAST_POWER)], tie=0),
        ]
    return found


def rounds(runs: Sequence[Run]) -> dict[tuple[int, str], Round]:
    """(seed, coarse or fine) -> the round. Of a seed's searches the one with the widest learning rates is the first."""
    by_seed: dict[int, list[Round]] = {}
    for search, members in searches_of(runs):
        trials = tried(search, members)
        if math.isfinite(trials[0].score) and LR in [setting.key for setting in search.space]:
            by_seed.setdefault(members[0].seed, []).append(Round(search, members, trials))
    found = {}
    for seed, own in by_seed.items():
        own.sort(key=lambda part: part.lr.low / part.lr.high)
        found[seed, "coarse"] = own[0]
        if len(own) > 1:
            found[seed, "fine"] = own[-1]
    return found


def paired(runs: Sequence[Run], scale: str) -> tuple[Pairs, list[tuple[Round, Round]]]:
    """The pairs (coarse, fine) of one seed; the runs that stand for them are those of the best trials."""
    found = rounds(runs)
    seeds = sorted({seed for seed, _ in found})
    pairs, remarks = [], []
    for seed in seeds:
        coarse, fine = found[seed, "coarse"], found.get((seed, "fine"))
        if fine is None:
            remarks.append(f"seed {seed}: no second round, not used")
        elif unended := lacking(coarse.search, coarse.trials) or lacking(fine.search, fine.trials):
            remarks.append(f"seed {seed}: {unended} of a round so far, not used")
        else:
            pairs.append((coarse, fine))
    best = tuple((best_run(coarse), best_run(fine)) for coarse, fine in pairs)
    return Pairs(scale, data_of(runs[0]), best, tuple(remarks)), pairs


def best_run(part: Round) -> Run:
    """The run of the best trial."""
    return next(run for run in part.runs if run.folder == part.trials[0].folder)


def margin(part: Round) -> float:
    """How far from the nearer end of its range the best learning rate lies, as a share of the range's logarithm."""
    share = part.lr.share(float(part.trials[0].settings[LR]))
    return min(share, 1 - share)


def least_power(part: Round) -> float:
    """The power of ten of the smallest learning rate among the best fifth."""
    best = part.trials[: max(1, math.ceil(TOP_SHARE * len(part.trials)))]
    return min(math.log10(float(trial.settings[LR])) for trial in best)


def plot(runs: Sequence[Run]) -> "Figure":
    """The trials of both rounds over their learning rate; the range of each second round as a bar.

    Raises:
        UsageError: if no trial has a score.
    """
    found = rounds(runs)
    if not found:
        raise UsageError("no trial of a search has finished: nothing to draw; let it go on to its end")
    seeds = sorted({seed for seed, _ in found})
    with new_figure(13, 5.8) as figure:
        axes = figure.subplots(1, 2, sharex=True, sharey=True)
        for axis, (name, title) in zip(axes, ROUNDS.items(), strict=True):
            best = [found[seed, name].trials[0].score for seed in seeds if (seed, name) in found]
            reached = f"\nbest {100 * min(best):.1f} to {100 * max(best):.1f} %" if best else "\nnot made yet"
            axis.set_title(title + reached)
            axis.set(xscale="log", xlabel="learning rate", xlim=found[seeds[0], "coarse"].lr.beyond(0.03))
            axis.tick_params(labelleft=True)
            for place, seed in enumerate(seeds):
                if part := found.get((seed, name)):
                    draw(axis, part, SEED_COLOURS[place % len(SEED_COLOURS)])
        for place, seed in enumerate(seeds):
            if part := found.get((seed, "fine")):
                colour, height = SEED_COLOURS[place % len(SEED_COLOURS)], 0.05 + 0.03 * place
                axes[0].plot([part.lr.low, part.lr.high], [height, height], color=colour, linewidth=5, alpha=0.8,
                             transform=axes[0].get_xaxis_transform(), solid_capstyle="butt")  # fmt: skip
        axes[0].set_ylabel("validation accuracy, %")
        entitle(figure, "From coarse to fine", caption(runs, found))
    return figure


def draw(axis: "Axes", part: Round, colour: str) -> None:
    """The trials of one round, the best as a star, those that diverged as crosses on top."""
    scored = [trial for trial in part.trials if math.isfinite(trial.score)]
    lost = [trial for trial in part.trials if not math.isfinite(trial.score)]
    places, heights = [float(trial.settings[LR]) for trial in scored], [100 * trial.score for trial in scored]
    axis.scatter(places[1:], heights[1:], s=30, color=colour, alpha=0.65, linewidth=0)
    axis.scatter(places[:1], heights[:1], s=220, marker="*", color=colour, edgecolor=INK, linewidth=0.8, zorder=3)
    axis.scatter([float(trial.settings[LR]) for trial in lost], [0.98] * len(lost), s=34, marker="x", color=colour,
                 transform=axis.get_xaxis_transform())  # fmt: skip


def caption(runs: Sequence[Run], found: dict[tuple[int, str], Round]) -> str:
    """What was searched and how to read it."""
    run = runs[0]
    lengths = {name: [part for (_, which), part in found.items() if which == name] for name in ROUNDS}
    words = [
        f"{'first' if name == 'coarse' else 'second'} round: {len(parts[0].trials)} trials of {length(parts[0])}"
        for name, parts in lengths.items()
        if parts
    ]
    data = run.config["dataset"]
    return (
        f"Scale {run.scale}: {run.choices.get('model')} on {data_of(run)}, {data.get('train_size')} training and "
        f"{data.get('validation')} validation images; n = {len({seed for seed, _ in found})} seeds, a colour each: "
        f"{'; '.join(words)}. Stars: the best; bars at the bottom left: the range of the second round, between the "
        "best tenth of the first; crosses on top: diverged."
    )


def length(part: Round) -> str:
    """How long a trial of the round is."""
    config = part.search.config
    return f"{config['steps']:,} steps" if config.get("steps") is not None else f"{config['epochs']:g} epochs"
