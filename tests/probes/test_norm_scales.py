from collections import OrderedDict

import pytest
import torch
from torch import nn

from normscope.probes.norm_scales import norm_scales
from tests.recorded import record_of

IMAGES, TARGETS = torch.randn(6, 4), torch.eye(2).repeat(3, 1)


def network(*scales):
    """Layers of a linear map and a BatchNorm with these γ, and a head."""
    children, inputs = OrderedDict(), 4
    for number, gamma in enumerate(scales, 1):
        norm = nn.BatchNorm1d(len(gamma))
        with torch.no_grad():
            norm.weight.copy_(torch.tensor(gamma))
        children[f"layer{number}"] = nn.Sequential(OrderedDict(linear=nn.Linear(inputs, len(gamma)), norm=norm))
        inputs = len(gamma)
    return nn.Sequential(OrderedDict(**children, head=nn.Linear(inputs, 2)))


def test_scales_by_hand():
    """Three of five are within 0.01 of 0, whatever their sign."""
    record = record_of(network([0.5, -0.009, 0.0], [-1.0, 0.005]), IMAGES, TARGETS)
    found = norm_scales(record, small=0.01).scalars
    assert {name: float(value) for name, value in found.items()} == {
        "norm_scale/layer1": pytest.approx(0.509 / 3),
        "norm_scale/layer2": pytest.approx(1.005 / 2),
        "norm_scales/switched_off": pytest.approx(0.6),
    }


def test_a_bound_that_is_not_positive_and_a_network_without_scales_are_refused():
    with pytest.raises(ValueError, match=r"small \(0\) must be positive"):
        norm_scales(record_of(network([1.0]), IMAGES, TARGETS), small=0)
    with pytest.raises(ValueError, match="no norm of this network has a scale; take model/norm=batch"):
        norm_scales(record_of(nn.Linear(4, 2), IMAGES, TARGETS), small=0.01)
