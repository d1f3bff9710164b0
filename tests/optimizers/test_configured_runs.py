"""Every optimizer in a real run: a killed one ends in the same weights bit for bit."""

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.places import CONFIGS
from normscope.rehearsal import rehearse
from normscope.training.run import carry_out
from tests.commands import TINY

OPTIMIZERS = sorted(path.stem for path in (CONFIGS / "optimizer").glob("*.yaml"))
OPTIMIZERS.remove("newton")  # keeps nothing from one step to the next, and takes seconds for each
FULL_BATCH = ["batch_size=16", "dataset.train_size=16"]
NEEDS = {
    "lbfgs": FULL_BATCH,
    "newton": [*FULL_BATCH, "model=mlp", "model.hidden_layers=1", "model.hidden_units=1"],
}


class Killed(Exception):
    pass


def job_of(name, *extra):
    return assemble(*composed([*TINY, "probe=[]", f"optimizer={name}", *NEEDS.get(name, []), *extra]))


def trained(folder, name, until=None):
    def stop(step, metrics):
        if step == until:
            raise Killed

    carry_out(job_of(name, "steps=4", "checkpoint_every=2", "schedule=cosine"), folder, stop)
    return torch.load(folder / "last.pt", weights_only=True)["training"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_killed_run_ends_in_the_same_weights(tmp_path, name):
    whole = trained(tmp_path / "whole", name)
    with pytest.raises(Killed):
        trained(tmp_path / "broken", name, until=3)
    again = trained(tmp_path / "broken", name)
    for key, weight in whole["network"].items():
        assert torch.equal(weight, again["network"][key]), key
        assert weight.isfinite().all()


@pytest.mark.parametrize("name", ["lbfgs", "newton"])
def test_mini_batches_are_refused_unless_asked_for(name):
    small = [*NEEDS[name][2:], "dataset.train_size=64"]
    overrides = [*TINY, f"optimizer={name}", *small]
    with pytest.raises(UsageError, match=r"batch_size=16 of 64 training images.*optimizer\.mini_batches=true"):
        assemble(*composed(overrides))
    assemble(*composed([*overrides, "optimizer.mini_batches=true"]))


def test_newton_refuses_a_large_network():
    with pytest.raises(UsageError, match=r"optimizer: the network has .* weights, more than most_weights \(10,000\)"):
        assemble(*composed([*TINY, *FULL_BATCH, "optimizer=newton"]))


@pytest.mark.parametrize("rule", ["weight_decay"])
def test_rules_beside_the_objective_are_refused_before_the_run(rule):
    job = job_of("lbfgs", f"regularizer=[{rule}]")
    with pytest.raises(UsageError, match=r"in the place 'decay'.*regularizer=\[l2\]"):
        rehearse(job)
