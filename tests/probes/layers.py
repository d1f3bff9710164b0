"""Records of layers whose values are known, for tests of what looks at layers."""

from collections import OrderedDict

import numpy as np
from torch import Tensor, nn

from normscope.record import StepRecord
from tests.recorded import record_of


def bare_layer(values: Tensor, activation: nn.Module | None = None, **rest: object) -> StepRecord:
    """The record of a step of `layer1` alone, whose pre-activations are these: (N, C) or (N, C, H, W)."""
    network = nn.Sequential(OrderedDict(layer1=nn.Sequential(OrderedDict(activation=activation or nn.ReLU()))))
    return record_of(
        network, values, values, objective=lambda logits, targets, weights: logits.sum(), **{"updated": {}, **rest}
    )


def layers_by_hand(record: StepRecord) -> dict[str, np.ndarray]:
    """The pre-activations (units, values) of `small_network` for the record's images, layer after layer."""
    network = record.network
    first = network.layer1.norm(network.layer1.conv(record.images))
    second = network.layer2.norm(network.layer2.conv(network.pool1(first.relu())))
    third = network.layer3.norm(network.layer3.linear(second.relu().flatten(1)))
    found = {"layer1": first, "layer2": second, "layer3": third}
    return {layer: z.detach().numpy().swapaxes(0, 1).reshape(z.shape[1], -1) for layer, z in found.items()}
