"""Small runs that have ended, trained once for all tests of the jobs."""

import pytest

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.runs.folder import run_name
from normscope.training.run import carry_out
from tests.commands import TINY

SMALL = [*TINY, "model=mlp", "probe=[]", "steps=6", "regularizer=[crop_flip,l2,dropout]"]
SNAPSHOTS = ["regularizer=[snapshot_ensemble]", "schedule=restarts", "schedule.cycles=2", "schedule.growth=1"]


@pytest.fixture(scope="session")
def outputs(tmp_path_factory):
    """A folder of runs; those of the fixtures lie below single/."""
    return tmp_path_factory.mktemp("finished") / "outputs"


@pytest.fixture(scope="session")
def runs(outputs):
    """The folders of two runs that differ in their seed."""
    return [trained(outputs, f"seed={seed}") for seed in (0, 1)]


@pytest.fixture(scope="session")
def snapshot_run(tmp_path_factory):
    """The folder of a run of two cycles of three updates, whose ends were kept, with validation images."""
    return trained(tmp_path_factory.mktemp("snapshots"), *SNAPSHOTS, "dataset.validation=16")


def trained(outputs, *overrides):
    config, choices = composed([*SMALL, *overrides])
    folder = outputs / "single" / run_name(config, choices)
    carry_out(assemble(config, choices), folder, lambda step, metrics: None)
    return folder
