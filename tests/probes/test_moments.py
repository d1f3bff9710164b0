import math
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from normscope.probes.moments import moments
from normscope.runs.reader import find_runs
from normscope.training.run import carry_out
from tests.probes.layers import bare_layer, layers_by_hand
from tests.recorded import quadratic, small_record
from tests.test_record import counted
from tests.training.test_probing import job_of


def looked_at(records, unit=0):
    """The scalars of each record, as one run would find them."""
    kept, found = {}, []
    for record in records:
        measurement = moments(replace(record, earlier=dict(kept)), unit=unit)
        kept |= measurement.kept
        found.append({name.removeprefix("moments/"): float(value) for name, value in measurement.scalars.items()})
    return found


def test_two_steps_of_two_units_by_hand():
    """Units (1, 3) and (0, 0), then (2, 2) and (1, 5): means 2, 0 -> 2, 3, variances 1, 0 -> 0, 4."""
    first, second = looked_at(
        [
            bare_layer(torch.tensor([[1.0, 0.0], [3.0, 0.0]])),
            bare_layer(torch.tensor([[2.0, 1.0], [2.0, 5.0]]), step=1),
        ],
        unit=1,
    )
    assert first == {
        "layer1/mean": 1,
        "layer1/variance": 0.5,
        "layer1/unit_mean": 0,
        "layer1/unit_variance": 0,
        "layer1/mean_from_start": 0,
        "layer1/variance_from_start": 0,
    }
    assert second == {
        "layer1/mean": 2.5,
        "layer1/variance": 2,
        "layer1/unit_mean": 3,
        "layer1/unit_variance": 4,
        "layer1/mean_from_start": 1.5,
        "layer1/variance_from_start": 2.5,
        "layer1/mean_drift": 1.5,
        "layer1/variance_drift": 2.5,
    }


def test_they_agree_with_numpy_in_every_layer():
    generator = torch.Generator().manual_seed(5)
    steps = (0, 1, 8)
    images = [torch.randn(16, 3, 4, 4, generator=generator, dtype=torch.float64) for _ in steps]
    records = [replace(small_record(), step=step, images=batch) for step, batch in zip(steps, images, strict=True)]
    found = looked_at(records, unit=3)
    by_hand = [layers_by_hand(record) for record in records]
    for layer in ("layer1", "layer2", "layer3"):
        for name, of in (("mean", np.mean), ("variance", np.var)):
            units = [of(values[layer], axis=1) for values in by_hand]
            for now, scalars in zip(units, found, strict=True):
                assert scalars[f"{layer}/{name}"] == pytest.approx(now.mean(), rel=1e-9, abs=1e-12)
                assert scalars[f"{layer}/unit_{name}"] == pytest.approx(now[3], rel=1e-9, abs=1e-12)
                away = np.abs(now - units[0]).mean()
                assert scalars[f"{layer}/{name}_from_start"] == pytest.approx(away, rel=1e-9, abs=1e-12)
            drift = np.abs(units[1] - units[0]).mean()
            assert found[1][f"{layer}/{name}_drift"] == pytest.approx(drift, rel=1e-9, abs=1e-12)


def test_batch_norm_holds_the_mean_at_its_shift():
    (found,) = looked_at([small_record()])
    assert found["layer2/mean"] == pytest.approx(0, abs=1e-12)
    assert found["layer2/variance"] == pytest.approx(1, abs=1e-3)  # v / (v + ε)


def test_no_drift_is_written_between_steps_that_are_not_neighbours():
    values = torch.randn(4, 3)
    found = looked_at([bare_layer(values, step=step) for step in (0, 1, 4, 5, 7)])
    assert ["layer1/mean_drift" in scalars for scalars in found] == [False, True, False, True, False]


def test_under_the_noise_of_noisy_batch_norm_the_drift_has_its_triangular_law():
    """Units whose means are drawn from U(−1/2, 1/2) anew at every step, and which have no other movement."""
    generator = torch.Generator().manual_seed(0)
    draws = [torch.rand(1, 20_000, generator=generator).sub(0.5).expand(2, -1) for _ in range(2)]
    before, after = (bare_layer(values, step=step) for step, values in enumerate(draws))
    kept = moments(before, unit=0).kept
    found = moments(replace(after, earlier=kept), unit=0)
    spread = 1 / math.sqrt(18 * 20_000)  # of a mean over the units
    assert float(found.scalars["moments/layer1/mean_drift"]) == pytest.approx(1 / 3, abs=4 * spread)
    drifts = (found.kept["moments/layer1/mean/last"] - kept["moments/layer1/mean/last"]).abs()
    assert float(drifts.median()) == pytest.approx(1 - 1 / math.sqrt(2), abs=5 * spread)
    assert float(found.scalars["moments/layer1/variance_drift"]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("stop_at", [None, 5])
def test_a_run_that_is_stopped_inside_a_pair_has_the_same_drifts(tmp_path, stop_at):
    def tell(step, metrics):
        if step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    def run(folder, *progresses):
        for progress in progresses:
            job = job_of("steps=10", "probe=[moments]")  # probe_every=4
            carry_out(job, folder / "outputs" / "run", progress)
        (found,) = find_runs(folder / "outputs")
        return found

    def through(step, metrics):
        pass

    found = run(tmp_path / "stopped", tell, through)
    expected = run(tmp_path / "through", through)
    for name in ("mean_drift", "variance_from_start", "unit_mean"):
        steps, values = found.series(f"moments/layer2/{name}")
        assert steps.tolist() == ([1, 5, 9] if name == "mean_drift" else [0, 1, 4, 5, 8, 9])
        assert values.tolist() == expected.series(f"moments/layer2/{name}")[1].tolist()


def test_it_costs_one_forward_pass(monkeypatch):
    record = small_record()
    passes = counted(monkeypatch)
    moments(record, unit=0)
    assert len(passes) == 1


def test_what_is_kept_is_small():
    """Views of the layers' values would put whole batches into every checkpoint."""
    kept = moments(small_record(), unit=0).kept
    assert max(tensor.untyped_storage().nbytes() for tensor in kept.values()) <= 12 * 8


@pytest.mark.parametrize("unit", [-1, 6])
def test_a_unit_that_a_layer_lacks_is_refused(unit):
    with pytest.raises(ValueError, match=rf"unit \({unit}\): layer1 has units 0 to 5; try 0"):
        moments(small_record(), unit=unit)


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="no hidden layer with an activation; leave the probe out"):
        moments(quadratic([1.0], [1.0], lr=0.1), unit=0)
