import math
from pathlib import Path

import pytest

from normscope.errors import UsageError
from normscope.searches.narrowed import check_border, narrowed
from normscope.searches.record import Search, Tried
from normscope.searches.space import Interval, Listed

LR = Interval("optimizer.lr", 1e-6, 10, log=True)  # seven powers of ten
NORM = Listed("model/norm", ("none", "batch", "layer"))
DEPTH = Interval("model.hidden_layers", 1, 6, whole=True)


def searched(*space):
    return Search("random", "validation/accuracy", 30, 1, 0, space, (), {})


def trial(settings, score=0.5):
    return Tried(Path("trial"), settings, score, "finished" if math.isfinite(score) else "diverged", 1.0)


def of_rates(*rates):
    """Trials of these learning rates, the best one first."""
    return [trial({"optimizer.lr": rate}, 0.9 - 0.01 * place) for place, rate in enumerate(rates)]


def test_a_range_becomes_that_of_the_best_trials_and_a_margin():
    """The best three of 30: from 1e-3 to 1e-1, and 0.05 · 7 powers of ten more on either side."""
    trials = of_rates(1e-2, 1e-3, 1e-1, *[1e-5] * 27)
    assert narrowed(searched(LR), trials) == {"optimizer.lr": "tag(log,interval(0.0004467,0.2239))"}


def test_the_finer_range_stays_within_the_coarse_one():
    assert narrowed(searched(LR), of_rates(1e-2, 3e-6, 5.0))["optimizer.lr"] == "tag(log,interval(1.34e-06,10.0))"


def test_a_list_keeps_what_the_best_trials_have_in_its_order():
    def with_norms(*norms):
        return [trial({"model/norm": norm}) for norm in norms]

    assert narrowed(searched(NORM), with_norms("layer", "none", "none", *["batch"] * 9)) == {"model/norm": "none,layer"}
    assert narrowed(searched(NORM), with_norms("batch", "batch", "batch", "none")) == {"model/norm": "batch"}


def test_whole_numbers_stay_a_range():
    trials = [trial({"model.hidden_layers": 3.0}) for _ in range(3)]
    assert narrowed(searched(DEPTH), trials) == {"model.hidden_layers": "int(interval(2,4))"}


def test_a_best_value_on_the_border_is_refused_with_a_wider_range():
    with pytest.raises(UsageError, match=r"the best optimizer.lr .7.0. lies at the upper end of its range") as refusal:
        narrowed(searched(LR), of_rates(7.0, 1.0, 0.1))
    assert "search again with 'optimizer.lr=tag(log,interval(1e-06,2000.0))'" in str(refusal.value)
    with pytest.raises(UsageError, match="lies at the lower end of its range"):
        narrowed(searched(LR), of_rates(1.1e-6, 1.0, 0.1))


def test_the_wider_range_of_whole_numbers_is_whole():
    with pytest.raises(UsageError, match=r"'model.hidden_layers=int\(interval\(1,8\)\)'"):
        check_border(DEPTH, 6)
    check_border(DEPTH, 5)


def test_a_range_that_the_command_gives_is_not_looked_at():
    assert narrowed(searched(LR), of_rates(7.0, 1.0, 0.1), given=["optimizer.lr"]) == {}


def test_diverged_trials_are_never_among_the_best():
    with pytest.raises(UsageError, match="2 trials of it have finished, and what is best shows from 3 on"):
        narrowed(searched(LR), [*of_rates(0.1, 0.01), *[trial({"optimizer.lr": 5.0}, -math.inf)] * 20])
