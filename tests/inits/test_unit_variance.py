from functools import partial

import pytest
import torch
from torch import nn

from normscope.composed import composed
from normscope.inits import Lsuv, initialise, unit_variance
from normscope.inits.layer import Layer
from normscope.instantiation import made
from normscope.parts import build_network, drawn_images, load_dataset, regularizers
from tests.commands import TINY


def images(count=32, seed=0):
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def network(activation=nn.Tanh, norm=nn.Identity):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), norm(8), activation(), nn.Conv2d(8, 6, 3), activation(), nn.Flatten(), nn.Linear(96, 10)
    )


def output_variances(net, batch):
    found = {}
    for name, layer in net.named_modules():
        if isinstance(layer, Layer):
            layer.register_forward_hook(
                lambda module, inputs, output, name=name: found.update({name: output.var(correction=0).item()})
            )
    with torch.no_grad():
        net(batch)
    return found


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU, nn.Sigmoid, nn.Identity])
def test_every_layer_puts_out_unit_variance_on_the_batch(activation):
    net = network(activation)
    initialise(net, Lsuv(images=32), seed=0, batch=images)
    variances = output_variances(net, images())
    assert list(variances) == ["0", "3", "6"]
    assert list(variances.values()) == pytest.approx([1, 1, 1], abs=1e-4)


def test_on_other_images_the_variance_is_close_to_1():
    net = network()
    initialise(net, Lsuv(images=32), seed=0, batch=images)
    assert all(0.8 < variance < 1.25 for variance in output_variances(net, images(seed=1)).values())


@pytest.mark.parametrize("model", ["vgg11", "resnet18", "resnet50", "mlp"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_every_layer_of_every_model_puts_out_unit_variance(model, norm):
    config, _ = composed([*TINY, f"model={model}", f"model/norm={norm}", "init=lsuv", "init.images=32"])
    dataset = load_dataset(config)
    net = build_network(config, dataset, made("task", config["task"])(dataset), regularizers({}))
    variances = output_variances(net, drawn_images(config, dataset, 32))
    assert variances
    assert all(variance == pytest.approx(1, abs=1e-3) for variance in variances.values())


def test_the_weights_are_multiples_of_orthogonal_matrices():
    net = network()
    initialise(net, Lsuv(images=32), seed=0, batch=images)
    filters = net[0].weight.detach().flatten(1)  # (8, 27)
    squared = filters @ filters.T
    torch.testing.assert_close(squared, squared[0, 0] * torch.eye(8), rtol=0, atol=1e-5)


def test_the_layers_of_a_deep_linear_network_are_scaled_by_hand_computed_factors():
    """1, 2, 3, 4 have variance 1.25: the first weight becomes 1/√1.25, and the second is left with nothing to do."""
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    for layer in net:
        nn.init.constant_(layer.weight, 5.0)
    unit_variance(net, torch.tensor([[1.0], [2.0], [3.0], [4.0]]))
    assert net[0].weight.item() == pytest.approx(1.25**-0.5)
    assert net[1].weight.item() == pytest.approx(1.0)


def test_running_averages_and_hooks_are_left_as_they_were():
    net = network(norm=nn.BatchNorm2d)
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    initialise(net, Lsuv(images=32), seed=0, batch=images)
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in net.parameters())


def test_a_seed_gives_the_same_weights_again_and_torchs_generator_is_left_alone():
    def weights():
        net = network(activation=partial(nn.Dropout, 0.3))
        initialise(net, Lsuv(images=32), seed=3, batch=images)
        return net[6].weight

    torch.manual_seed(0)
    first = weights()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    second = weights()
    assert torch.equal(first, second)
    network()
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_run_draws_its_batch_by_its_seed():
    def drawn(seed):
        config, _ = composed([*TINY, f"seed={seed}"])
        return drawn_images(config, load_dataset(config), 16)

    assert drawn(0).shape == (16, 3, 32, 32)
    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


def test_a_batch_without_variance_is_refused():
    with pytest.raises(ValueError, match=r"lsuv: 0 puts out a variance of 0 .* take init=he_normal"):
        initialise(network(), Lsuv(images=4), seed=0, batch=lambda count: torch.zeros(count, 3, 8, 8))


class Standardised(nn.Linear):
    def forward(self, inputs):
        return nn.functional.linear(inputs, 3 * self.weight / self.weight.norm(), self.bias)


def test_a_layer_whose_output_does_not_follow_its_weight_is_refused():
    net = nn.Sequential(nn.Flatten(), Standardised(192, 4))
    with pytest.raises(ValueError, match=r"lsuv: 1 puts out .* does not follow its weight; take init=he_normal"):
        initialise(net, Lsuv(images=4), seed=0, batch=images)


def test_a_missing_batch_and_a_batch_of_one_are_refused():
    with pytest.raises(ValueError, match=r"lsuv: there is no batch to look at"):
        initialise(network(), Lsuv(images=4), seed=0)
    with pytest.raises(ValueError, match=r"init.images \(1\) of LSUV must be at least 2"):
        Lsuv(images=1)


def test_more_images_than_there_are_are_refused():
    config, _ = composed([*TINY, "init=lsuv", "init.images=100"])
    dataset = load_dataset(config)
    task = made("task", config["task"])(dataset)
    with pytest.raises(ValueError, match=r"init: images \(100\) must be at most the 64 of the training"):
        build_network(config, dataset, task, regularizers({}))
