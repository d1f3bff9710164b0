"""The verdict of each check of a babysitting job: numbers in, words out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from normscope.figures.titles import amount
from normscope.surveys.survey import Finding

NEAR = 0.1  # nats from ln K; the bounds here are our choice, where CS231n gives no number
APART = 2.0  # nats above: logits of variance 2, as from He's init, cost 0.8 with ten classes, those of variance 6 this
EXACT = 1e-5
ROUNDING = 2.0**-22  # of the loss: what float32 loses where the objective is added up, at most
RATIOS = (1e-4, 1e-2)  # around the 1e-3 of CS231n
TOLERATED = 10.0  # times beyond them, while the loss falls
SLOW = 0.1  # of the largest fall
HALF = 0.5  # of the loss at the start

FIRST = {  # what is most likely at the bottom of it -> what is said of the other checks that fail with it
    "initial loss": "first put the initial loss right",
    "learning rate": "first put the learning rate right",
    "gradient": "no rate helps: does the gradient reach all layers? larger initial weights, a norm, another activation",
}


@dataclass(frozen=True)
class Setting:
    """What the verdicts speak of.

    Attributes:
        lr: the config's; init: its choice; subject: the run, for the title.
        nat: 1 nat as a share of the loss of guessing; 1 where the loss is no cross-entropy.
        subset, subset_steps, learnt_below: of the tiny subset.
        steps, size: updates at each learning rate, and images an update.
    """

    lr: float
    subset: int
    subset_steps: int
    steps: int
    size: int
    learnt_below: float
    nat: float
    init: str
    subject: str


def initial_finding(setting: Setting, loss: float, guess: float) -> Finding:
    """Outputs that know nothing yet are all alike, and cost the loss of guessing."""
    near, apart = NEAR * setting.nat * guess, APART * setting.nat * guess
    found, expected = f"{loss:.4g}", f"{guess:.4g} ± {near:.2g}, that of guessing"
    if abs(loss - guess) <= near:
        return Finding("initial loss", "fine", found, expected)
    if guess < loss <= guess + apart:
        advice = "the first outputs are spread, as He's init makes them: harmless if the rest is fine"
        return Finding("initial loss", "note", found, expected, advice)
    advice = (
        "the loss is below guessing before any training: are the classes balanced, and their number right?"
        if loss < guess
        else f"the first outputs are far too large: smaller initial weights than init={setting.init}, or a norm"
    )
    return Finding("initial loss", "look here", found, expected, advice)


def penalty_finding(times: float, rise: float, penalty: float, loss: float) -> Finding:
    """The objective is the loss and the penalties, to rounding."""
    near = EXACT * max(1, abs(penalty)) + ROUNDING * loss
    found, expected = f"objective − loss = {rise:.6g}", f"{penalty:.6g}, the penalties' own sum, ± {near:.1g}"
    name = "penalties" if times == 1 else f"penalties x {times:g}"
    if abs(rise - penalty) <= near:
        return Finding(name, "fine", found, expected)
    advice = "a loss term is not what it says of itself: is its strength out of the range of float32?"
    return Finding(name, "look here", found, expected, advice)


def cause_of(start: Finding, fates: Sequence[str], chosen: int) -> str:
    """Which fault is to be mended first, because others follow from it: a key of FIRST, or ""."""
    if start.verdict == "look here":
        return "initial loss"
    if fates[chosen] == "fine":
        return ""
    return "learning rate" if "fine" in fates else "gradient"


def rate_finding(
    setting: Setting, rates: np.ndarray, fates: Sequence[str], falls: Sequence[float], chosen: int, cause: str
) -> Finding:
    """Where the chosen rate stands among the others."""
    fine = [f"{rate:g}" for rate, found in zip(rates, fates, strict=True) if found == "fine"]
    expected = f"fine, as at {' to '.join(dict.fromkeys([fine[0], fine[-1]]))}" if fine else "fine; no rate is"
    fell = falls[chosen]
    moved = f", the loss {'falls' if fell >= 0 else 'rises'} by {abs(fell):.2g}" if math.isfinite(fell) else ""
    found = f"{setting.lr:g}: {fates[chosen]}{moved} in {setting.steps} updates"
    most = f"it falls most, by {max(falls):.2g}, at optimizer.lr={rates[int(np.argmax(falls))]:g}"
    if fates[chosen] != "fine":
        return Finding(
            "learning rate", "look here", found, expected, most if cause == "learning rate" else FIRST[cause]
        )
    if fell < SLOW * max(falls):
        return Finding("learning rate", "note", found, expected, f"slow, if the run is short: {most}")
    return Finding("learning rate", "fine", found, expected)


def subset_finding(setting: Setting, start: float, loss: float, accuracy: float, updates: int, cause: str) -> Finding:
    """A network that can learn at all learns a few images by heart."""
    right = "" if math.isnan(accuracy) else f", {100 * accuracy:.0f} % right"
    found = f"loss {loss:.3g}{right} after {updates} updates"
    all_right = "" if math.isnan(accuracy) else " and 100 % right"
    expected = f"{setting.subset} images: below {amount(setting.learnt_below)}{all_right} within {setting.subset_steps}"
    if loss < setting.learnt_below and not accuracy < 1:
        return Finding("tiny subset", "fine", found, expected)
    if loss < HALF * start:
        advice = "it learns, but slowly: a larger rate, or momentum; or more job.subset_steps"
    elif cause:
        advice = FIRST[cause]
    elif not math.isfinite(loss):
        advice = "it diverges without the regularizers: a smaller rate, or smaller initial weights"
    else:
        advice = "is the network too small, or a unit dead? do equal images have equal labels?"
    return Finding("tiny subset", "look here", found, expected, advice)


def ratio_finding(ratios: Sequence[float], cause: str) -> Finding:
    """An update should be about a thousandth of the weights; somewhat off is no fault while the loss falls."""
    middle, least, most = ratios
    found = f"median {middle:.1e} ({least:.0e} to {most:.0e})"
    low, high = RATIOS
    expected = f"{low:g} to {high:g}, about 1e-3"
    if low <= middle <= high:
        return Finding("update ratio", "fine", found, expected)
    size, rate = ("small", "larger") if middle < low else ("large", "smaller")
    if not cause and low / TOLERATED <= middle <= high * TOLERATED:
        advice = f"{size}, but the loss falls: if it stops falling, try a {rate} rate"
        return Finding("update ratio", "note", found, expected, advice)
    return Finding("update ratio", "look here", found, expected, FIRST[cause] if cause else f"a {rate} rate")
