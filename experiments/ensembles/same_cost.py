"""What the same number of updates buys: one network, three that are averaged, or three snapshots of one."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normscope.claims import Claim, Part, Verdict, judge, not_run
from normscope.differences import LENGTH, OF_THE_MACHINE
from normscope.errors import UsageError
from normscope.figures.lines import Series, band, label_ends
from normscope.figures.look import ARM_COLOURS, entitle, new_figure
from normscope.pairs import ENDED, Pairs, data_of
from normscope.runs.dotted import flat
from normscope.runs.reader import Run
from normscope.surveys.results import Result, find_results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEMBERS = 3
TEST_IMAGES = 10_000  # of CIFAR-10
WORTH = 1.0  # E1, points: half of what the seminar gives
COLOURS = {"single": ARM_COLOURS["none"], "independent": ARM_COLOURS["batch"], "snapshots": ARM_COLOURS["l1"]}
NAMES = {"single": "one network", "independent": "three networks", "snapshots": "three snapshots"}
HOW_TO_READ = (
    "One network: one cosine over all updates. Three networks: each a third of the updates with a cosine of its own; "
    "the dots are the means of one, two and three. Three snapshots: three cosines in a row; up to the end of the first "
    "the network itself is scored, then the mean of the ends so far. Median and range over the repetitions."
)

E1 = Claim(
    "E1",
    f"the mean answer of three independent networks is at least {WORTH:g} point more accurate on the test set than "
    "they are alone, on average",
    "about 2 points",
    "points",
)
E2 = Claim(
    "E2",
    "three independent networks together are more accurate on the test set than one network trained "
    "for as many updates as all three",
    "not said at equal cost",
    "points",
)
E3 = Claim(
    "E3",
    "the three snapshots of one training together are more accurate on the test set than one network trained for as "
    "many updates with one cosine",
    "a lower error at no additional cost (Huang et al. 2017)",
    "points",
)


@dataclass(frozen=True)
class Arms:
    """What was trained with everything equal but the arm and the seed, and for the same number of updates in all.

    Attributes:
        scale, label: of the runs; single, snapshots: their runs, in the order of their seeds.
        ensembles: jobs on three networks each, in the order of their first seeds.
        members: the networks that ensembles can be made of.
    """

    scale: str
    label: str
    single: list[Run]
    snapshots: list[Run]
    ensembles: list[Result]
    members: list[Run]


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """E1 to E3 for every setting of the runs."""
    return [verdict for arms in settings(runs) for verdict in (e1(arms), e2(arms), e3(arms))]


def e1(arms: Arms) -> Verdict:
    """The gain over the members is the job's own number."""
    if not arms.ensembles:
        return not_run(E1, arms.scale, _wanted(arms))
    gains = [100 * result.numbers["gained/accuracy"] for result in arms.ensembles]
    pairs = tuple((result.runs[0], result.runs[-1]) for result in arms.ensembles)
    part = Part(gains, lambda gain: gain >= WORTH, lambda gain: gain < 0)
    return judge(E1, Pairs(arms.scale, arms.label, pairs), gains, [part], tie=0, notes=["by the first seed of three"])


def e2(arms: Arms) -> Verdict:
    """The first ensemble is held against the first single network, the second against the second."""
    if not arms.ensembles:
        return not_run(E2, arms.scale, "it needs the same job as E1")
    if not arms.single:
        return not_run(E2, arms.scale, "no run of single with as many updates as three of independent")
    pairs = [
        (run, result.runs[0], _final(run), result.numbers["average/accuracy"])
        for run, result in zip(arms.single, arms.ensembles, strict=False)  # whichever are fewer
    ]
    return _more_accurate(E2, arms, pairs)


def e3(arms: Arms) -> Verdict:
    """A snapshot run's own test accuracy is that of the mean of its snapshots."""
    by_seed = {run.seed: run for run in arms.snapshots}
    pairs = [(run, other, _final(run), _final(other)) for run in arms.single if (other := by_seed.get(run.seed))]
    if not pairs:
        return not_run(E3, arms.scale, "no run of snapshots and one of single with the same seed and as many updates")
    return _more_accurate(E3, arms, pairs)


def _more_accurate(claim: Claim, arms: Arms, pairs: Sequence[tuple[Run, Run, float, float]]) -> Verdict:
    gains = [100 * (found - single) if math.isfinite(found + single) else found - single for *_, single, found in pairs]
    group = Pairs(arms.scale, arms.label, tuple((run, other) for run, other, *_ in pairs))
    part = Part(gains, lambda gain: gain > 0, lambda gain: gain < 0)
    return judge(claim, group, gains, [part], tie=0)


def _final(run: Run) -> float:
    """The test accuracy at the end; the worst there is where the run diverged."""
    accuracy = run.series("test/accuracy")[1]
    return -math.inf if run.status == "diverged" or not len(accuracy) else float(accuracy[-1])


def _wanted(arms: Arms) -> str:
    """Which job is missing."""
    folders = ",".join(str(run.folder) for run in arms.members[:MEMBERS]) or "A,B,C"
    return f"no job has averaged {MEMBERS} networks yet: normscope job=ensemble job.runs=[{folders}]"


def settings(runs: Sequence[Run]) -> list[Arms]:
    """Sort ended runs by what must be equal: all but the arm and the seed; of the lengths, the sum over an arm."""
    found: dict[tuple[str, str, str], dict[str, list[Run]]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        arm = str(run.choices.get("experiment")).rpartition("/")[2]
        if run.status in ENDED and arm in COLOURS:
            key = run.scale, _equal(run), cost(run, MEMBERS if arm == "independent" else 1)
            found.setdefault(key, {}).setdefault(arm, []).append(run)
    sorted_out = []
    for (scale, _, in_all), arms in sorted(found.items()):
        members = arms.get("independent", [])
        first = next(iter(arms.values()))[0]
        label = f"{first.choices.get('model')} on {data_of(first)}, {in_all} in all"
        sorted_out.append(
            Arms(scale, label, arms.get("single", []), arms.get("snapshots", []), _ensembles(members), members)
        )
    return sorted_out


def cost(run: Run, networks: int) -> str:
    """How long so many runs of a length train in all; a diverged one counts as long as it was to be."""
    steps, epochs = (run.config.get(key) for key in LENGTH)
    return f"{networks * steps:,} updates" if steps is not None else f"{networks * (epochs or 0):g} epochs"


def _equal(run: Run) -> str:
    """Everything that may not differ between the arms, as text."""
    other = {"seed", "log_every", "evaluate_every", *LENGTH, *OF_THE_MACHINE}
    config = {key: value for key, value in flat(run.config).items() if key not in other}
    kept = {key: value for key, value in config.items() if not key.startswith(("schedule.", "regularizer.snapshot"))}
    return json.dumps(kept, sort_keys=True, default=str)


def _ensembles(members: Sequence[Run]) -> list[Result]:
    """The jobs on MEMBERS networks and the whole test set; no network counts twice."""
    taken: set[int] = set()
    kept = []
    found = [result for result in find_results("ensemble", members) if len(result.runs) == MEMBERS]
    for result in sorted(found, key=lambda result: min(run.seed for run in result.runs)):
        seeds = {run.seed for run in result.runs}
        whole = result.options["images"] >= (result.runs[0].config["dataset"].get("test_size") or TEST_IMAGES)
        if result.options["split"] == "test" and whole and not seeds & taken:
            taken |= seeds
            kept.append(result)
    return kept


def plot(runs: Sequence[Run]) -> "Figure":
    """Test accuracy and loss over the updates that were paid for, of the setting with most runs.

    Raises:
        UsageError: if no run of any arm has ended.
    """
    found = settings(runs)
    if not found:
        raise UsageError("no run of single, independent or snapshots has ended: nothing to draw")
    arms = max(found, key=lambda arms: len(arms.single) + len(arms.snapshots) + MEMBERS * len(arms.ensembles))
    with new_figure(14, 6.6) as figure:
        for axis, quantity, factor in zip(figure.subplots(1, 2), ("accuracy", "loss"), (100, 1), strict=True):
            curves = _curves(arms, quantity, factor)
            ends = []
            for arm, own in curves.items():
                end = band(axis, own, COLOURS[arm])
                value = f"{end:.1f} %" if quantity == "accuracy" else f"{end:.3f}"
                ends.append((end, f"{NAMES[arm]}\n{value}", COLOURS[arm]))
                if arm == "independent":
                    middle = np.median([values for _, values in own], axis=0)
                    axis.plot(own[0][0], middle, color=COLOURS[arm], marker="o", linestyle="none", markersize=8)
            axis.set_xlabel("updates in all")
            axis.set_ylabel("test accuracy, %" if quantity == "accuracy" else "test loss, nats")
            _zoom(axis, curves)
            label_ends(axis, ends)
        data = "CIFAR-10" if "cifar10" in arms.label else "the sample images"
        title = f"What the same number of updates buys on {data}"
        entitle(figure, title, _caption(arms, len(found) - 1))
    return figure


def _curves(arms: Arms, quantity: str, factor: float) -> Mapping[str, list[Series]]:
    """(updates, values) of each repetition of each arm that there is."""
    curves = {}
    for name, own in (("single", arms.single), ("snapshots", arms.snapshots)):
        series = [run.series(f"test/{quantity}") for run in own]
        curves[name] = [(steps[1:], factor * values[1:]) for steps, values in series]
    curves["independent"] = [
        (result.columns["networks"] * result.runs[0].summary["step"], factor * result.columns[quantity])
        for result in arms.ensembles
    ]
    return {name: own for name, own in curves.items() if own}


def _zoom(axis: "Axes", curves: Mapping[str, list[Series]]) -> None:
    """Show what lies beyond a third of the updates, where all arms have something to be compared."""
    last = max(steps[-1] for own in curves.values() for steps, _ in own)
    later = np.concatenate([values[steps >= last / MEMBERS] for own in curves.values() for steps, values in own])
    later = later[np.isfinite(later)]
    if len(later):
        margin = 0.1 * float(np.ptp(later)) or 1.0
        axis.set_ylim(later.min() - margin, later.max() + margin)


def _caption(arms: Arms, others: int) -> str:
    run = (arms.single + arms.snapshots + arms.members)[0]
    counts = (
        f"n = {len(arms.single)} of one network, {len(arms.snapshots)} of snapshots, {len(arms.ensembles)} of networks"
    )
    missing = "" if arms.ensembles else "No job=ensemble has averaged three networks yet. "
    config, rest = run.config, f"{others} other setting{'s' if others > 1 else ''} not drawn. " if others else ""
    return (
        f"Scale {arms.scale}: {arms.label}, width {config['model'].get('width')}, {run.choices.get('optimizer')} at lr "
        f"{config['optimizer']['lr']:g}, batches of {config.get('batch_size')}; {counts}. {missing}{rest}{HOW_TO_READ}"
    )
