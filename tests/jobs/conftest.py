"""Two small runs that have ended, trained once for all tests of the jobs."""

import pytest

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.runs.folder import run_name
from normscope.training.run import carry_out
from tests.commands import TINY

SMALL = [*TINY, "model=mlp", "probe=[]", "steps=6", "regularizer=[crop_flip,l2,dropout]"]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """The folders of two runs that differ in their seed, below outputs/single of a folder of their own."""
    outputs = tmp_path_factory.mktemp("finished") / "outputs" / "single"
    folders = []
    for seed in (0, 1):
        config, choices = composed([*SMALL, f"seed={seed}"])
        folders.append(outputs / run_name(config, choices))
        carry_out(assemble(config, choices), folders[-1], lambda step, metrics: None)
    return folders
