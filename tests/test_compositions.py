"""Choices drawn at random and composed: each trains two steps with finite state, or is refused with a reason."""

import random
from collections import Counter

import pytest
import torch
from hydra.errors import ConfigCompositionException

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.places import CONFIGS
from normscope.preflight import check_config
from normscope.rehearsal import rehearse
from normscope.training.run import carry_out
from tests.test_configs import NEEDS_FILES

SMALL = [
    "dataset.train_size=32",
    "dataset.test_size=10",
    "dataset.validation=8",
    "model.width=0.0625",
    "batch_size=8",
    "steps=2",
    "log_every=1",
    "probe_every=1",
]
CHEAPER = {  # a choice -> what makes it do less of the same
    "optimizer=newton": ["model.width=0.01", "optimizer.most_weights=500"],
    "jacobian": ["probe.jacobian.images=1", "probe.jacobian.max_entries=20000"],
    "eigenvalues": ["probe.eigenvalues.products=3", "probe.eigenvalues.count=1"],
    "spectrum": ["probe.spectrum.products=4"],
    "hessian_trace": ["probe.hessian_trace.vectors=2"],
    "theorem_4_2": ["probe.theorem_4_2.layers=1"],
}
DRAWS, CHUNKS = 300, 12


def options(group: str) -> list[str]:
    found = sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))
    return [name for name in found if name not in NEEDS_FILES.get(group, ())]


def drawn(seed: int) -> list[str]:
    """The overrides of one composition."""
    source = random.Random(seed)
    groups = ("model", "model/norm", "model/activation", "init", "optimizer", "schedule", "dataset/preprocess")
    chosen = [f"{group}={source.choice(options(group))}" for group in groups]
    rules = source.sample(options("regularizer"), source.randint(0, 3))
    probes = source.sample(options("probe"), source.randint(0, 1))
    precision = source.choice(["fp32", "bf16"])
    task = source.choice(["labels", "labels", "rotation", "reconstruction"])
    return [
        "dataset=sample",
        *chosen,
        f"regularizer=[{','.join(rules)}]",
        f"probe=[{','.join(probes)}]",
        f"precision={precision}",
        f"task={task}",
        f"loss={'squared_error' if task == 'reconstruction' else 'cross_entropy'}",
        *SMALL,
        *(less for choice in (*chosen, *probes) for less in CHEAPER.get(choice, [])),
    ]


def outcome(overrides: list[str], folder) -> str:
    """trained, diverged, or why it was refused."""
    try:
        config, choices = composed(overrides)
        check_config(config)
        rehearse(assemble(config, choices))
        job = assemble(config, choices)
    except (UsageError, ConfigCompositionException) as error:  # Hydra's own, where a model has no such group
        return f"refused: {error}"
    status = carry_out(job, folder, lambda step, metrics: None)["status"]
    if status == "finished":
        for name, tensor in job.trainee.network.state_dict().items():
            assert torch.isfinite(tensor).all(), f"{name} is not finite after {' '.join(overrides)}"
    return status


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_composition_trains_or_is_refused_with_a_reason(tmp_path, chunk):
    found = Counter()
    for seed in range(chunk, DRAWS, CHUNKS):
        what = outcome(drawn(seed), tmp_path / str(seed))
        found[what.partition(":")[0]] += 1
        if what.startswith("refused"):
            assert len(what) > len("refused: ") + 20, f"{what!r} says too little, of {' '.join(drawn(seed))}"
    assert found["finished"] >= 3, found  # most choices have conditions: about one composition in four fits together
