from collections import OrderedDict

import pytest
import torch
from torch import nn

from normscope.probes.evaluation_mode import evaluation_mode
from normscope.probes.slopes import slopes
from tests.recorded import record_of

IMAGES = torch.tensor([[2.0], [-1.0]])
TARGETS = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # class 0 where x > 0, class 1 where x < 0


def right(network):
    return float(evaluation_mode(record_of(network, IMAGES, TARGETS)).scalars["evaluation_mode/accuracy"])


def sign():
    """Logits (x, -x): right on both images."""
    layer = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    return layer


def test_dropout_is_off():
    """With p = 1 the network in training answers class 0 to everything."""
    network = nn.Sequential(nn.Dropout(1.0), sign())
    assert right(network) == 1.0
    assert network.training
    assert network[0].training


def test_batchnorm_uses_its_running_statistics():
    """Of a running mean of 5 both images are below, so that both are taken for class 1; by the batch both are right."""
    norm = nn.BatchNorm1d(1)
    norm.running_mean.fill_(5.0)
    assert right(nn.Sequential(norm, sign())) == 0.5
    assert norm.running_mean.item() == 5.0


def test_a_part_that_was_frozen_in_evaluation_mode_stays_so():
    network = nn.Sequential(nn.Dropout(0.5), sign())
    network[0].eval()
    right(network)
    assert not network[0].training


def test_the_slope_of_a_layer_is_the_mean_over_its_channels():
    activation = nn.PReLU(2, init=0.25)
    with torch.no_grad():
        activation.weight[1] = 0.75
    network = nn.Sequential(
        OrderedDict(layer1=nn.Sequential(OrderedDict(linear=nn.Linear(1, 2), activation=activation)))
    )
    assert slopes(record_of(network, IMAGES, TARGETS)).scalars["slope/layer1"].item() == pytest.approx(0.5)


def test_a_network_without_slopes_is_refused():
    with pytest.raises(ValueError, match="no slopes; take model/activation=prelu, or leave the probe out"):
        slopes(record_of(nn.Sequential(nn.Linear(1, 2), nn.ReLU()), IMAGES, TARGETS))
