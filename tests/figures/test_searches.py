import math
from pathlib import Path

from normscope.figures.searches import caption, headline, in_words, place, search_figure
from normscope.searches.record import Search, Tried
from normscope.searches.space import Interval, Listed

SPACE = (Interval("optimizer.lr", 1e-4, 1, log=True), Listed("model/norm", ("none", "batch")))
CONFIG = {"steps": None, "epochs": 5.0, "dataset": {"validation": 1000}}


def searched(score="validation/accuracy", folds=1):
    return Search("random", score, 3, folds, 0, SPACE, (), CONFIG)


def trial(score, lr=0.1, norm="batch"):
    return Tried(Path("t"), {"optimizer.lr": lr, "model/norm": norm}, score, "finished", 1.0)


def test_a_panel_for_each_setting_holds_every_trial():
    trials = [trial(0.5), trial(0.4, 0.01, "none"), trial(-math.inf, 1.0)]
    figure = search_figure(searched(), trials, {"optimizer.lr": (0.5, 0.01), "model/norm": (math.nan, math.nan)})
    first, second = figure.axes
    assert [collection.get_offsets().tolist() for collection in first.collections[:2]] == [[[0.01, 40]], [[0.1, 50]]]
    assert first.get_xscale() == "log"
    assert len(first.collections[2].get_offsets()) == 1  # the diverged one
    assert [tick.get_text() for tick in second.get_xticklabels()] == ["none", "batch"]


def test_the_words_say_what_was_measured():
    trials = [trial(0.5), trial(0.4), trial(-math.inf)]
    assert headline(searched(), trials) == "The best of 3 trials reaches 50 %"
    assert headline(searched("validation/loss"), [trial(1.234)]) == "The best of 1 trials reaches 1.23 nats"
    assert headline(searched(), [trial(-math.inf)]) == "None of 1 trials has a score"
    assert "n = 3 trials of 5 epochs, 1 of them without a score" in caption(searched(), trials)
    assert "1,000 validation images of each of 4 folds" in caption(searched(folds=4), trials)
    assert in_words(0.625, 0.0004) == "explains 62 % of the ranks (p < 0.001)"
    assert in_words(math.nan, math.nan) == "its part cannot be told"


def test_equal_listed_values_are_spread_around_their_place():
    places = [place(SPACE[1], "batch", number) for number in range(50)]
    assert len(set(places)) == 50
    assert all(0.75 <= where <= 1.25 for where in places)
