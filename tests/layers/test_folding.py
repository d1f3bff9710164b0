"""Networks whose norms are folded into their weights."""

from functools import partial

import pytest
import torch
from torch import nn

from normscope.layers.affine_only import affine_only
from normscope.layers.batch_norm import batch_norm
from normscope.layers.folding import folded
from normscope.layers.frozen_statistics import frozen_statistics
from normscope.layers.ghost_batch_norm import ghost_batch_norm
from normscope.layers.group_norm import group_norm
from normscope.layers.lp_norm import l1_norm, l_infinity_norm
from normscope.layers.noisy_batch_norm import noisy_batch_norm
from normscope.layers.weight_layer import conv_layer
from normscope.layers.weight_standardisation import WeightStandardisation
from normscope.models.mlp import mlp
from normscope.models.resnet import resnet
from normscope.models.vgg import vgg

MOVING = {"eps": 1e-5, "momentum": 0.1, "affine": True}
BATCH = partial(batch_norm, **MOVING)
FOLDED = {
    "batch": BATCH,
    "batch_without_affine": partial(batch_norm, eps=1e-5, momentum=0.1, affine=False),
    "noisy": partial(noisy_batch_norm, n_mu=0.5, n_sigma=1.25, r_mu=0.1, r_sigma=0.1, **MOVING),
    "ghost": partial(ghost_batch_norm, virtual_batch=4, **MOVING),
    "l1": partial(l1_norm, **MOVING),
    "l_infinity": partial(l_infinity_norm, **MOVING),
    "frozen": partial(frozen_statistics, **MOVING),
    "affine_only": affine_only,
}
OTHERS = {"in_channels": 3, "classes": 10, "image_size": 32, "width": 0.25, "bias": "auto", "activation": nn.ReLU}
MODELS = {
    "vgg11": partial(vgg, depth=11, head="mlp", **OTHERS),
    "resnet50": partial(resnet, depth=50, stem="cifar", **OTHERS),
    "mlp": partial(mlp, hidden_layers=3, hidden_units=100, **OTHERS),
}


def images(count=8, seed=0):
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def trained(model, norm=BATCH):
    """A network with statistics, scales and shifts of its own, at evaluation."""
    torch.manual_seed(0)
    network = MODELS[model](norm=norm)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if ".norm." in name:
                weight.add_(torch.randn_like(weight) / 4)
        for seed in range(3):
            network(images(seed=seed))
    return network.eval()


@pytest.mark.parametrize("model", MODELS)
def test_the_logits_are_those_of_evaluation_to_a_millionth(model):
    network = trained(model)
    with torch.no_grad():
        logits = network(images(seed=9))
        difference = (folded(network)(images(seed=9)) - logits).abs().max() / logits.abs().max()
        network.double()
        exact = network(images(seed=9).double())
        torch.testing.assert_close(folded(network)(images(seed=9).double()), exact, rtol=1e-10, atol=1e-10)
    assert difference < 1e-6  # of the largest logit, in float32


@pytest.mark.parametrize("norm", FOLDED.values(), ids=FOLDED.keys())
def test_every_norm_that_evaluates_by_averages_is_folded(norm):
    network = trained("vgg11", norm).double()
    twin = folded(network)
    assert not [name for name, _ in twin.named_modules() if name.endswith("norm")]
    expected = network(images(seed=9).double())
    torch.testing.assert_close(twin(images(seed=9).double()), expected, rtol=1e-9, atol=1e-9)


def test_the_network_stays_as_it_is():
    network = trained("vgg11").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    folded(network)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_layer_by_hand():
    layer = conv_layer(
        1,
        1,
        kernel_size=1,
        bias="always",
        norm=partial(batch_norm, eps=1.0, momentum=0.1, affine=True),
        activation=None,
    )
    for tensor, value in (
        *((layer.conv.weight, 2.0), (layer.conv.bias, 5.0), (layer.norm.weight, 3.0), (layer.norm.bias, 7.0)),
        *((layer.norm.running_mean, 1.0), (layer.norm.running_var, 8.0)),
    ):
        tensor.data.fill_(value)
    twin = folded(layer)  # 3 (2x + 5 − 1) / √(8 + 1) + 7 = 2x + 11
    assert [twin.conv.weight.item(), twin.conv.bias.item()] == pytest.approx([2, 11])


def single(norm, position="before"):
    return conv_layer(3, 4, kernel_size=3, bias="auto", norm=norm, norm_position=position, activation=nn.ReLU)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: single(None), r"no norm to be folded"),
        (lambda: single(partial(group_norm, groups=2, eps=1e-5, affine=True)), r"norm is a GroupNorm, which looks at"),
        (lambda: single(BATCH, "after"), r"norm follows a ReLU.* model.norm_position=before"),
        (lambda: single(WeightStandardisation(eps=1e-5, norm=BATCH)), r"norm follows a StandardisedConv2d"),
    ],
)
def test_what_cannot_be_folded_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        folded(build())
