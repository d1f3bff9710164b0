from dataclasses import replace

import numpy as np
import pytest
import torch

from normscope.probes.percentiles import by_unit, percentiles, quantiles
from tests.probes.layers import bare_layer, layers_by_hand
from tests.recorded import quadratic, small_record
from tests.test_record import counted


def looked_at(records, samples=10_000, unit=0):
    """The scalars of each record, as one run would find them."""
    kept, found = {}, []
    for record in records:
        measurement = percentiles(replace(record, earlier=dict(kept)), samples=samples, unit=unit)
        kept |= measurement.kept
        found.append({name.removeprefix("percentiles/"): float(value) for name, value in measurement.scalars.items()})
    return found


def test_three_occasions_of_two_units_by_hand():
    """Unit 0 holds 0, 10, 20, 30, 40, then one more each, then three less; unit 1 stands still."""
    moving = torch.tensor([40.0, 0.0, 20.0, 10.0, 30.0])
    records = [
        bare_layer(torch.stack([moving + shift, moving], 1), step=step) for step, shift in enumerate((0.0, 1.0, -2.0))
    ]
    first, second, third = looked_at(records)
    assert [first[f"layer1/{name}"] for name in ("p15", "p50", "p85")] == pytest.approx([6, 20, 34])
    assert [second[f"layer1/{name}"] for name in ("p15", "p50", "p85")] == pytest.approx([7, 21, 35])
    assert first["layer1/p50_range"] == first["layer1/p15_variation"] == 0
    assert third["layer1/p50_range"] == pytest.approx((3 + 0) / 2)  # 18 ... 21, and 20 ... 20
    for name in ("p15", "p50", "p85"):
        assert second[f"layer1/{name}_variation"] == pytest.approx((1 + 0) / 2)
        assert third[f"layer1/{name}_variation"] == pytest.approx((1 + 3 + 0) / 2, rel=1e-6)


def test_they_agree_with_numpy_in_every_layer():
    generator = torch.Generator().manual_seed(5)
    images = [torch.randn(16, 3, 4, 4, generator=generator, dtype=torch.float64) for _ in range(4)]
    records = [replace(small_record(), step=5 * step, images=batch) for step, batch in enumerate(images)]
    found = looked_at(records, unit=3)
    by_hand = [layers_by_hand(record) for record in records]
    for layer in ("layer1", "layer2", "layer3"):
        paths = np.stack([np.percentile(values[layer], [15, 50, 85], axis=1) for values in by_hand])  # (4, 3, C)
        for count, scalars in enumerate(found, 1):
            medians = paths[:count, 1]
            spread = np.median(medians.max(0) - medians.min(0))
            assert scalars[f"{layer}/p50_range"] == pytest.approx(spread, rel=1e-9, abs=1e-12)
            travelled = np.abs(np.diff(paths[:count], axis=0)).sum(0).mean(1)
            for place, name in enumerate(("p15", "p50", "p85")):
                assert scalars[f"{layer}/{name}"] == pytest.approx(paths[count - 1, place, 3], rel=1e-9)
                assert scalars[f"{layer}/{name}_variation"] == pytest.approx(travelled[place], rel=1e-9, abs=1e-12)


def test_many_values_are_sampled_evenly_and_at_the_same_places_for_all_units():
    values = torch.arange(1000.0)[:, None] + torch.tensor([0.0, 0.5])  # (1000, 2)
    found = by_unit(values, 10, torch.Generator().manual_seed(0))
    assert (found[0] // 100).tolist() == list(range(10))
    assert (found[1] - found[0]).tolist() == [0.5] * 10


def test_few_values_are_taken_all():
    values = torch.randn(3, 2, 4, 4)
    found = by_unit(values, 48, torch.Generator())
    assert torch.equal(found.sort().values, values.swapaxes(0, 1).reshape(2, 48).sort().values)


def test_the_layout_in_memory_makes_no_difference():
    values = torch.randn(8, 4, 5, 5)
    last = values.contiguous(memory_format=torch.channels_last)
    found = [by_unit(v, 20, torch.Generator().manual_seed(1)) for v in (values, last)]
    assert torch.equal(*found)


def test_a_sample_puts_the_median_where_the_docstring_says():
    """Its root mean square error over 500 units is 1.25 / √samples standard deviations."""
    values = torch.randn(20_000, 500, generator=torch.Generator().manual_seed(2))
    found = quantiles(by_unit(values, 400, torch.Generator().manual_seed(3)), [0.5])[0]
    error = (found - values.median(0).values).square().mean().sqrt()
    assert float(error) == pytest.approx(1.25 / 20, rel=0.15)


def test_a_sampled_layer_still_gives_the_same_numbers_on_every_look():
    record = small_record()
    assert looked_at([record], samples=7) == looked_at([record], samples=7)


def test_it_costs_one_forward_pass(monkeypatch):
    record = small_record()
    passes = counted(monkeypatch)
    percentiles(record, samples=64, unit=0)
    assert len(passes) == 1


def test_what_is_kept_is_small():
    kept = percentiles(small_record(), samples=64, unit=0).kept
    assert max(tensor.untyped_storage().nbytes() for tensor in kept.values()) <= 3 * 12 * 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0, "unit": 0}, r"samples \(0\) must be at least 1"),
        ({"samples": 64, "unit": 6}, r"unit \(6\): layer1 has units 0 to 5; try 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        percentiles(small_record(), **options)


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="no hidden layer with an activation; leave the probe out"):
        percentiles(quadratic([1.0], [1.0], lr=0.1), samples=64, unit=0)
