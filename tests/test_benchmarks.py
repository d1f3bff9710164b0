"""What the benchmarks know of the suite; what they measure is not tested."""

from benchmarks.passes import accounted_for
from normscope.places import CONFIGS


def test_the_cost_of_every_probe_has_an_ideal_or_a_reason_for_having_none():
    assert accounted_for() == sorted(path.stem for path in (CONFIGS / "probe").glob("*.yaml"))
