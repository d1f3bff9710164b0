"""Every model in configs/model with every norm in configs/model/norm."""

from functools import partial
from math import sqrt
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from normscope.inits import default, he_normal, initialise

CONFIGS = Path(__file__).parents[2] / "configs"
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))
NORMS = sorted(path.stem for path in (CONFIGS / "model" / "norm").glob("*.yaml"))
ACTIVATIONS = sorted(path.stem for path in (CONFIGS / "model" / "activation").glob("*.yaml"))
HE = partial(he_normal, mode="fan_in", gain=sqrt(2))  # gradients reach the first layer of VGG19 without a norm
every_model = pytest.mark.parametrize("model", MODELS)
every_norm = pytest.mark.parametrize("norm", NORMS)


def build(model, *, norm="batch", activation="relu", narrow=True, device="cpu"):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        node = compose(f"model/{model}", overrides=[f"model/norm={norm}", f"model/activation={activation}"]).model
    if narrow and "width" in node:
        node.width = 0.1
    with torch.device(device):
        network = instantiate(node, _convert_="all")(in_channels=3, classes=10, image_size=32)
    if device == "cpu":
        initialise(network, HE, seed=0)
    return network


def images(count=4):
    drawn = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return drawn.to(memory_format=torch.channels_last)


def test_the_folders_hold_what_was_promised():
    assert {"vgg11", "vgg13", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "mlp"} <= set(MODELS)
    assert {"none", "batch"} <= set(NORMS)
    assert "relu" in ACTIVATIONS


@every_norm
@every_model
def test_logits_have_one_column_a_class_on_the_meta_device_too(model, norm):
    network = build(model, norm=norm, narrow=False, device="meta")
    assert network(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, 10)


@every_norm
@every_model
def test_two_steps_move_every_weight(model, norm):
    network = build(model, norm=norm).to(memory_format=torch.channels_last)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images()), torch.arange(4))
        loss.backward()
        optimizer.step()
    assert torch.isfinite(loss)
    assert [name for name, weight in network.named_parameters() if torch.equal(weight, before[name])] == []


@every_norm
@every_model
def test_the_logits_at_given_weights_are_those_of_a_network_that_holds_them(model, norm):
    network = build(model, norm=norm)
    weights = {name: 0.5 * weight.detach() for name, weight in network.named_parameters()}
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    logits = functional_call(network, {**weights, **buffers}, (images(),))
    network.load_state_dict(weights, strict=False)
    assert torch.equal(network(images()), logits)


@every_norm
@every_model
def test_nothing_overwrites_what_a_hook_has_seen(model, norm):
    network = build(model, norm=norm)
    seen = {}

    def keep(name):
        return lambda module, inputs, output: seen.update({name: (output.detach(), output.detach().clone())})

    for name, module in network.named_modules():
        if not list(module.children()):
            module.register_forward_hook(keep(name))
    network(images())
    assert [name for name, (kept, copied) in seen.items() if not torch.equal(kept, copied)] == []


@every_model
def test_names_do_not_depend_on_the_norm(model):
    def names(norm):
        found = (name for name, _ in build(model, norm=norm, device="meta").named_modules())
        return [name for name in found if "norm" not in name.split(".")]

    for norm in NORMS:
        assert names(norm) == names("none")


@every_model
def test_two_arms_of_a_seed_share_their_initial_weights(model):
    def weights(norm):
        network = build(model, norm=norm)
        initialise(network, default, seed=0)
        return dict(network.named_parameters())

    none = weights("none")
    for norm in NORMS:
        for name, weight in weights(norm).items():
            if "norm" not in name.split("."):
                assert torch.equal(weight, none[name]), name


@every_model
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_hidden_layer_ends_in_an_activation(model, activation):
    network = build(model, activation=activation, device="meta")
    hidden = [name for name, _ in network.named_children() if name.startswith(("layer", "block", "stem"))]
    assert all(isinstance(getattr(network, name).activation, nn.Module) for name in hidden)
    assert hidden


@pytest.mark.parametrize("path", sorted((CONFIGS / "model").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_config_is_short_and_names_its_source_first(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 12
    assert lines[0].startswith("#")
    assert any("arXiv" in line or "20" in line for line in lines[:2])
