"""Deep Learning from Scratch, chapter 6: a hundred random settings of learning rate and weight decay."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.errors import UsageError
from normscope.figures.look import GREY, entitle, new_figure
from normscope.pairs import Pairs, data_of
from normscope.runs.reader import Run
from normscope.searches.narrowed import EDGE
from normscope.searches.record import Search, Tried, lacking, searches_of, tried
from normscope.searches.space import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LR = "optimizer.lr"
TOP, LEAST_POWER = 0.2, -3.5
NAMES = {LR: "learning rate", "regularizer.l2.loss.strength": "weight decay"}
BEST_COLOUR = "#0072B2"  # Okabe & Ito 2008

BORDER = Claim(
    "C6, border",
    f"the learning rate of the best trial lies inside its range, at least {100 * EDGE:g} % of the powers of ten away "
    "from either end",
    "the book goes on with 0.001 to 0.01, the upper end of its range (from memory)",
    "of the range, to the nearer end",
)
BEST = Claim(
    "C6, best fifth",
    "the best fifth of the trials all have a learning rate above 10^-3.5",
    "0.001 to 0.01 is where learning goes well (from memory)",
    "powers of ten of the smallest of them",
)


@dataclass(frozen=True)
class Made:
    """A search all of whose trials have ended, best first."""

    search: Search
    runs: list[Run]
    trials: list[Tried]

    @property
    def best(self) -> list[Tried]:
        """The best fifth."""
        return self.trials[: math.ceil(TOP * len(self.trials))]


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """C6 in its two parts; every search of a seed is a pair with itself."""
    found = []
    for scale in sorted({run.scale for run in runs}):
        own = [run for run in runs if run.scale == scale]
        searches, remarks = made(own)
        if not searches:
            needs = "; ".join(remarks) or "needs searches, with search=random"
            found += [not_run(claim, scale, needs) for claim in (BORDER, BEST)]
            continue
        best = [next(run for run in one.runs if run.folder == one.trials[0].folder) for one in searches]
        label = f"{data_of(own[0])}, {searches[0].search.trials} trials"
        group = Pairs(scale, label, tuple((run, run) for run in best), tuple(remarks))
        inside, powers = [margin(one) for one in searches], [least_power(one) for one in searches]
        found += [
            judge(
                BORDER, group, inside, [Part(inside, lambda share: share >= EDGE, lambda share: share < EDGE)], tie=0
            ),
            judge(BEST, group, powers, [Part(powers, lambda p: p > LEAST_POWER, lambda p: p <= LEAST_POWER)], tie=0),
        ]
    return found


def made(runs: Sequence[Run]) -> tuple[list[Made], list[str]]:
    """The whole random searches in the order of their seeds, and a remark about each that is not whole."""
    whole: dict[int, Made] = {}
    remarks = []
    for search, members in searches_of(runs):
        trials, seed = tried(search, members), members[0].seed
        if search.method != "random" or LR not in [setting.key for setting in search.space] or seed in whole:
            continue
        if unended := lacking(search, trials):
            remarks.append(f"seed {seed}: {unended}, not used")
        elif math.isfinite(trials[0].score):
            whole[seed] = Made(search, members, trials)
    return [whole[seed] for seed in sorted(whole)], remarks


def margin(one: Made) -> float:
    """How far from the nearer end of its range the best learning rate lies, as a share of the range's logarithm."""
    (interval,) = (setting for setting in one.search.space if setting.key == LR)
    assert isinstance(interval, Interval)
    share = interval.share(float(one.trials[0].settings[LR]))
    return min(share, 1 - share)


def least_power(one: Made) -> float:
    """The power of ten of the smallest learning rate among the best fifth."""
    return min(math.log10(float(trial.settings[LR])) for trial in one.best)


def plot(runs: Sequence[Run]) -> "Figure":
    """Validation accuracy over each of the settings, the best fifth of every seed in colour.

    Raises:
        UsageError: if no search has all its trials.
    """
    searches, _ = made(runs)
    if not searches:
        raise UsageError("no random search has all its trials: nothing to draw; let it go on to its end")
    settings = searches[0].search.space
    with new_figure(13, 6) as figure:
        axes = figure.subplots(1, len(settings), sharey=True, squeeze=False)[0]
        for axis, setting in zip(axes, settings, strict=True):
            draw(axis, searches, setting.key)
            axis.set(xscale="log", xlabel=NAMES.get(setting.key, setting.key))
            low, high = (math.log10(value) for value in spanned(searches, setting.key))
            axis.set_title(f"The best fifth: $10^{{{low:.1f}}}$ to $10^{{{high:.1f}}}$")
            if setting.key == LR:
                axis.axvline(10**LEAST_POWER, color=GREY, linestyle=(0, (5, 3)), linewidth=1.4)
        axes[0].set_ylabel("validation accuracy, %")
        entitle(figure, "A hundred random settings", caption(runs[0], searches))
    return figure


def draw(axis: "Axes", searches: Sequence[Made], key: str) -> None:
    """The trials of all seeds; one that diverged stands at 0."""
    for one in searches:
        for trials, colour in ((one.trials[len(one.best) :], GREY), (one.best, BEST_COLOUR)):
            heights = [100 * max(trial.score, 0.0) for trial in trials]
            axis.scatter([float(trial.settings[key]) for trial in trials], heights, s=26, color=colour, alpha=0.6,
                         linewidth=0)  # fmt: skip


def spanned(searches: Sequence[Made], key: str) -> tuple[float, float]:
    """The smallest and the largest value of a setting among the best fifth of every seed."""
    values = [float(trial.settings[key]) for one in searches for trial in one.best]
    return min(values), max(values)


def caption(run: Run, searches: Sequence[Made]) -> str:
    """What was searched and how to read it."""
    data, search = run.config["dataset"], searches[0].search
    return (
        f"Scale {run.scale}: {run.choices.get('model')} on {data_of(run)}, {data.get('train_size')} training and "
        f"{data.get('validation')} validation images, {run.config.get('steps')} steps; n = {len(searches)} searches of "
        f"{search.trials} trials, a seed each. Blue: the best fifth of each search; dashed: 10^{LEAST_POWER}. A trial "
        "that diverged stands at 0."
    )
