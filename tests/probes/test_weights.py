from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from normscope.probes.weights import weights
from normscope.record import StepRecord
from tests.recorded import record_of, small_record


def one_layer(before, after):
    network = nn.Sequential(OrderedDict(layer1=nn.Linear(2, 1, bias=True)))
    with torch.no_grad():
        network.layer1.weight.copy_(torch.tensor([before]))
    updated = {"layer1.weight": torch.tensor([after]), "layer1.bias": torch.tensor([100.0])}
    return record_of(network, torch.zeros(2, 2), torch.ones(2, 1), updated=updated)


def test_an_update_of_a_fifth_by_hand():
    """W = (3, 4) -> (3, 5): ‖W‖ = 5 and ‖ΔW‖ = 1, however far the bias moves."""
    found = weights(one_layer([3.0, 4.0], [3.0, 5.0]), bins=2)
    assert {name: float(value) for name, value in found.scalars.items()} == {
        "weight_norm/layer1": 5,
        "update_ratio/layer1": pytest.approx(0.2),
    }
    assert found.histograms["weights/layer1"].counts.tolist() == [1, 1]


def test_plain_numpy_finds_the_same():
    record = small_record(lr=0.3)
    found = weights(record, bins=16)
    for layer, name in (("layer1", "layer1.conv.weight"), ("layer3", "layer3.linear.weight"), ("head", "head.weight")):
        before, after = record.weights[name].numpy(), record.updated[name].numpy()
        length = np.sqrt((before**2).sum())
        assert found.scalars[f"weight_norm/{layer}"] == pytest.approx(length, rel=1e-9)
        ratio = np.sqrt(((after - before) ** 2).sum()) / length
        assert found.scalars[f"update_ratio/{layer}"] == pytest.approx(ratio, rel=1e-9)
        assert found.histograms[f"weights/{layer}"].counts.sum() == before.size


def test_a_layer_of_zeros_that_stays_has_no_ratio():
    assert weights(one_layer([0.0, 0.0], [0.0, 0.0]), bins=2).scalars["update_ratio/layer1"].isnan()


def test_no_pass_is_made(monkeypatch):
    record = small_record()
    monkeypatch.setattr(StepRecord, "evaluate", None)
    assert weights(record, bins=2).scalars


def test_one_bin_is_refused():
    with pytest.raises(ValueError, match=r"probe.weights: bins \(1\) must be at least 2"):
        weights(small_record(), bins=1)
