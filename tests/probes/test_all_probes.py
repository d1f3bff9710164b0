"""What holds for every probe under configs/probe, whatever it measures."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.places import CONFIGS
from normscope.training.probing import recorded
from normscope.training.run import carry_out
from normscope.training.step import training_step
from tests.commands import TINY
from tests.training.test_run import NOISY, rows, same, weights_in

PROBES = sorted(path.stem for path in (CONFIGS / "probe").glob("*.yaml"))
WITHOUT_NORM = ("jacobian",)  # what they measure is not defined where a norm couples the examples
OF_PRELU = ("slopes",)


def network(probe: str) -> list[str]:
    """What the network of a probe is called on the command line."""
    norm, activation = ["model/norm=none"], ["model/activation=prelu"]
    return norm if probe in WITHOUT_NORM else activation if probe in OF_PRELU else []


def overrides(probe: str) -> list[str]:
    return [f"probe=[{probe}]", *network(probe)]


def measured(chosen: list[str], *, steps: int = 1):
    """The probes of a small run, what they find in the last of its first steps, and the record of that step."""
    job = assemble(*composed([*TINY, *NOISY, *chosen]))
    found, kept = [], {}
    for step in range(steps):
        batch = job.training.images[:16], job.training.labels[:16]
        probing = replace(job.probing, kept=dict(kept))
        _, record = recorded(training_step, job.trainee, batch, probing, job.probing.probes, step=step, lr=0.01)
        found = [one.measure(record) for one in job.probing.probes]
        for measurement in found:
            kept |= measurement.kept
    return job.probing.probes, found, record


def run_of(chosen: list[str], folder):
    job = assemble(*composed([*TINY, *NOISY, *chosen, "probe_every=1", "steps=4"]))
    carry_out(job, folder, lambda step, metrics: None)
    return folder


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """The folders of runs without probes, one of each network."""
    networks = {tuple(network(probe)) for probe in PROBES}
    return {words: run_of([*words, "probe=[]"], tmp_path_factory.mktemp("without")) for words in sorted(networks)}


@pytest.mark.parametrize("probe", PROBES)
def test_a_run_with_the_probe_ends_in_the_weights_of_one_without(tmp_path, without, probe):
    plain = without[tuple(network(probe))]
    run_of(overrides(probe), tmp_path)
    assert same(weights_in(tmp_path), weights_in(plain))
    for series in ("train/", "test/"):
        assert rows(tmp_path, series) == rows(plain, series)


def test_all_probes_together_leave_no_trace(tmp_path):
    together = [probe for probe in PROBES if probe not in WITHOUT_NORM + OF_PRELU]
    for name, chosen in (("with", together), ("without", [])):
        probe = f"probe=[{','.join(chosen)}]"
        job = assemble(*composed([*TINY, *NOISY, probe, "probe_every=2", "steps=4", "precision=bf16"]))
        carry_out(job, tmp_path / name, lambda step, metrics: None)
    assert same(weights_in(tmp_path / "with"), weights_in(tmp_path / "without"))
    assert rows(tmp_path / "with", "train/") == rows(tmp_path / "without", "train/")


def test_no_two_probes_write_the_same_series():
    names, together = Counter(), [probe for probe in PROBES if probe not in WITHOUT_NORM + OF_PRELU]
    for chosen in ([f"probe=[{','.join(together)}]"], *(overrides(probe) for probe in WITHOUT_NORM + OF_PRELU)):
        for found in measured(chosen, steps=2)[1]:
            names.update({*found.scalars, *found.histograms, *found.kept})
    assert len(names) > len(PROBES)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_is_a_function_of_the_record(probe):
    """Asked twice, it says the same."""
    (one,), (first,), record = measured(overrides(probe))
    second = one.measure(replace(record))
    assert first.scalars.keys() == second.scalars.keys()
    for name, value in first.scalars.items():
        torch.testing.assert_close(torch.as_tensor(value), torch.as_tensor(second.scalars[name]), equal_nan=True)


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_measures_in_float64_on_demand(probe):
    _, found, record = measured([*overrides(probe), "probe_precision=fp64"])
    assert record.base[1][next(iter(record.weights))].dtype == torch.float64
    assert any(one.scalars or one.histograms or one.kept for one in found)
