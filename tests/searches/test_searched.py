"""What is said of a search that has ended."""

from pathlib import Path

from normscope.searched import finer
from tests.searches.test_record import searched


def test_a_closer_look_is_judged_as_the_search_was():
    words = finer(Path("outputs/search/mine"), searched(folds=5, trials=30))
    assert words[:3] == ["search=random", "search.within=outputs/search/mine", "search.name=mine-finer"]
    assert words[3:6] == ["search.score=validation/accuracy", "search.trials=30", "search.folds=5"]
    assert words[6:] == ["model=mlp", "steps=40"]
    assert finer(Path("mine"), searched(steps=300_001))[-1] == "steps=1200004"  # and not 1.2e+06
