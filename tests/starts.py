"""Runs to start from, for tests: a VGG11 with BatchNorm that has finished."""

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.training.run import carry_out
from tests.commands import TINY

BASE = [*TINY, "device=cpu", "probe=[]", "steps=6", "checkpoint_every=2"]


def finished(folder, *overrides):
    """Train a small network in a folder; returns the job and what its summary says."""
    job = assemble(*composed([*BASE, *overrides]))
    return job, carry_out(job, folder, lambda step, metrics: None)


def started(folder, source, *overrides):
    """The same, starting from the run in `source`."""
    return finished(folder, "start=run", f"start.run={source}", *overrides)


def job_of(source, *overrides):
    """A run that starts from another, put together."""
    return assemble(*composed([*BASE, "start=run", f"start.run={source}", *overrides]))
