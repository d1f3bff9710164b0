from functools import partial

import pytest
import torch
from torch import nn

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.inits import activation_gain
from normscope.layers.prelu import PReLU
from normscope.layers.weight_layer import conv_layer, linear_layer
from normscope.models.resnet import resnet
from normscope.rehearsal import rehearse
from tests.commands import TINY

SHARED, OF_EACH = (partial(PReLU, init=0.25, channel_wise=each) for each in (False, True))


def test_shared_it_is_pytorchs_own():
    x = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    activation = SHARED()
    activation.fit(3)
    assert torch.equal(activation(x), nn.PReLU(1, 0.25)(x))
    assert [(name, tuple(p.shape)) for name, p in activation.named_parameters()] == [("weight", (1,))]


def test_each_channel_has_its_own_slope():
    activation = OF_EACH()
    activation.fit(2)
    assert activation.weight.tolist() == [0.25, 0.25]
    activation.weight.data.copy_(torch.tensor([0.5, -1.0]))
    x = torch.tensor([[-2.0, -2.0], [3.0, 3.0]])
    assert activation(x).tolist() == [[-1.0, 2.0], [3.0, 3.0]]
    assert activation(x[:, :, None, None]).flatten(1).tolist() == [[-1.0, 2.0], [3.0, 3.0]]


@pytest.mark.parametrize("slopes", [[0.25], [0.0, 0.5, 1.0]])
def test_the_gain_keeps_the_mean_square(slopes):
    """E f(x)² of x ~ N(0, 1) is (1 + a²)/2, and that of many channels their mean."""
    activation = OF_EACH()
    activation.fit(len(slopes))
    activation.weight.data.copy_(torch.tensor(slopes))
    squares = [1 / activation_gain(nn.LeakyReLU(slope)) ** 2 for slope in slopes]  # by integration
    assert activation_gain(activation) == pytest.approx((sum(squares) / len(squares)) ** -0.5)


def test_layers_tell_it_their_channels():
    conv = conv_layer(2, 5, kernel_size=3, bias="auto", norm=None, activation=OF_EACH)
    dense = linear_layer(2, 7, linear=nn.Linear, bias="auto", norm=None, activation=OF_EACH, dropout=None)
    assert [len(layer.activation.weight) for layer in (conv, dense)] == [5, 7]


def test_the_sums_of_a_resnet_have_as_many_slopes_as_channels():
    network = resnet(
        in_channels=3, classes=10, image_size=32, depth=50, width=0.125, stem="cifar", bias="auto", norm=None,
        activation=OF_EACH,
    )  # fmt: skip
    assert [len(network.get_submodule(f"block{number}").activation.weight) for number in (1, 4, 16)] == [32, 64, 256]
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("model", ["vgg11", "resnet18", "mlp"])
def test_it_trains_as_a_choice_in_both_precisions(model):
    chosen = [f"model={model}", "model/activation=prelu", "model.activation.channel_wise=true", "init=he_normal"]
    for precision in ("fp32", "bf16"):
        job = assemble(*composed([*TINY, *chosen, f"precision={precision}", "probe=[along_gradient]"]))
        slopes = [weight for name, weight in job.trainee.weights.items() if name.endswith("activation.weight")]
        assert max(len(weight) for weight in slopes) > 1
        rehearse(job)
        assert all(torch.isfinite(weight).all() for weight in slopes)
        assert any((weight != 0.25).any() for weight in slopes)  # of two images, a norm hides much of the gradient
