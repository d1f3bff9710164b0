import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from normscope.probes.activation_distance import activation_distance, in_order
from tests.probes.layers import bare_layer, layers_by_hand
from tests.recorded import quadratic, small_record
from tests.test_record import counted


def looked_at(records, samples=10_000):
    """The scalars of each record, as one run would find them."""
    kept, found = {}, []
    for record in records:
        measurement = activation_distance(replace(record, earlier=dict(kept)), samples=samples)
        kept |= measurement.kept
        scalars = measurement.scalars
        found.append({name.removeprefix("activation_distance/"): float(value) for name, value in scalars.items()})
    return found


def between(*batches):
    """What is found in the last of these batches of pre-activations, one step each."""
    values = [torch.as_tensor(batch, dtype=torch.float64) for batch in batches]
    return looked_at([bare_layer(batch, step=step) for step, batch in enumerate(values)])[-1]


def test_three_occasions_by_hand():
    """{0, 1, 3}, then {5, 6, 8} in another order, five further; then {5, 5, 9}: 0 + 1 + 1 further, or 5 + 4 + 6."""
    start = [[0.0], [1.0], [3.0]]
    first = between(start)
    assert first == {"layer1/from_start": 0, "layer1/relative_from_start": 0}
    second = between(start, [[8.0], [5.0], [6.0]])
    sigma = math.sqrt(14 / 9)
    assert second["layer1/w1"] == second["layer1/from_start"] == pytest.approx(5)
    assert second["layer1/relative"] == second["layer1/relative_from_start"] == pytest.approx(5 / sigma)
    third = between(start, [[8.0], [5.0], [6.0]], [[5.0], [9.0], [5.0]])
    assert third["layer1/w1"] == pytest.approx(2 / 3)
    assert third["layer1/from_start"] == pytest.approx(5)
    assert third["layer1/relative"] == pytest.approx(2 / 3 / math.sqrt((14 / 9 + 32 / 9) / 2))


def test_a_spread_is_a_distance_too():
    """From two values at 0 to −1 and 1: each moves by 1, though the mean stands still."""
    found = between([[0.0], [0.0]], [[-1.0], [1.0]])
    assert found["layer1/w1"] == 1
    assert found["layer1/relative"] == pytest.approx(math.sqrt(2))  # variances 0 and 1


def test_the_order_of_the_images_and_units_makes_no_difference():
    values = np.random.default_rng(0).normal(size=(6, 4, 3, 3))
    shuffled = np.random.default_rng(1).permutation(values.ravel()).reshape(values.shape)
    assert between(values, shuffled)["layer1/w1"] == 0


def test_a_scale_divides_out_of_the_relative_distance():
    before, after = np.random.default_rng(0).normal(size=(2, 20, 5))
    plain, scaled = between(before, 2 * after + 1), between(1000 * before, 1000 * (2 * after + 1))
    assert scaled["layer1/w1"] == pytest.approx(1000 * plain["layer1/w1"])
    assert scaled["layer1/relative"] == pytest.approx(plain["layer1/relative"])


def area_between(before, now):
    """∫ |F(x) − G(x)| dx, the same distance from the distribution functions."""
    grid = np.sort(np.concatenate([before, now]))
    functions = [np.searchsorted(np.sort(v), grid[:-1], side="right") / len(v) for v in (before, now)]
    return float(np.sum(np.abs(functions[0] - functions[1]) * np.diff(grid)))


def test_they_agree_with_the_area_between_the_distribution_functions_in_every_layer():
    generator = torch.Generator().manual_seed(5)
    images = [torch.randn(16, 3, 4, 4, generator=generator, dtype=torch.float64) for _ in range(3)]
    records = [replace(small_record(), step=5 * step, images=batch) for step, batch in enumerate(images)]
    found = looked_at(records)
    start, last, now = (layers_by_hand(record) for record in records)
    for layer in ("layer1", "layer2", "layer3"):
        for name, before in (("w1", last), ("from_start", start)):
            w1 = area_between(before[layer].ravel(), now[layer].ravel())
            assert found[2][f"{layer}/{name}"] == pytest.approx(w1, rel=1e-9)
            sigma = np.sqrt((before[layer].var() + now[layer].var()) / 2)
            relative = {"w1": "relative", "from_start": "relative_from_start"}[name]
            assert found[2][f"{layer}/{relative}"] == pytest.approx(w1 / sigma, rel=1e-9)


def test_samples_of_one_distribution_are_as_far_apart_as_the_docstring_says():
    values = torch.randn(200, 1000, 100, generator=torch.Generator().manual_seed(0))
    drawn = torch.Generator().manual_seed(1)
    samples = [in_order(batch, 400, drawn) for batch in values]
    distances = [(a - b).abs().mean() for a, b in zip(samples[::2], samples[1::2], strict=True)]
    assert float(torch.stack(distances).mean()) == pytest.approx(1.8 / math.sqrt(400), rel=0.1)


def test_a_sample_comes_from_all_parts_of_the_batch():
    values = torch.arange(100.0)[:, None].expand(-1, 10)  # every image holds its number, ten times
    assert in_order(values, 100, torch.Generator().manual_seed(0)).tolist() == list(range(100))


def test_it_costs_one_forward_pass(monkeypatch):
    record = small_record()
    passes = counted(monkeypatch)
    activation_distance(record, samples=64)
    assert len(passes) == 1


def test_what_is_kept_is_the_sample_alone():
    """A view of a layer's values would put the whole batch into every checkpoint."""
    for samples in (64, 10_000):
        kept = activation_distance(small_record(), samples=samples).kept
        assert kept
        assert all(tensor.untyped_storage().nbytes() == 8 * tensor.numel() for tensor in kept.values())


def test_another_number_of_values_is_refused():
    kept = activation_distance(bare_layer(torch.randn(4, 3)), samples=100).kept
    with pytest.raises(ValueError, match=r"layer1 has 6 values, and had 12 on an earlier .* or take samples=6"):
        activation_distance(bare_layer(torch.randn(2, 3), earlier=kept), samples=100)


def test_a_sample_of_one_is_refused():
    with pytest.raises(ValueError, match=r"samples \(1\) must be at least 2"):
        activation_distance(small_record(), samples=1)


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="no hidden layer with an activation; leave the probe out"):
        activation_distance(quadratic([1.0], [1.0], lr=0.1), samples=64)
