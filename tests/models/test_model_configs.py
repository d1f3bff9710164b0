"""Every model in configs/model with every norm in configs/model/norm."""

from copy import deepcopy
from functools import cache, partial
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
WITH = {  # norm -> what fits its groups to the narrow networks
    "group": ["model.norm.groups=2"],
    "weight_standardisation": ["model.norm.norm.groups=2"],
}
FEATURES = ("mlp", "deep_linear")  # models whose hidden layers have no space
NEEDS_SPACE = ("instance", "weight_standardisation")
PAIRS = [  # every model with and without BatchNorm, a few with each of the others
    (model, norm)
    for model in MODELS
    for norm in NORMS
    if norm in ("none", "batch") or model in ("vgg11", "resnet18", "small_conv", "mlp")
    if not (model in FEATURES and norm in NEEDS_SPACE)
]
OUTPUTS = {"autoencoder": 3 * 32 * 32}  # else ten
every_model = pytest.mark.parametrize("model", MODELS)
every_pair = pytest.mark.parametrize(("model", "norm"), PAIRS)


@cache
def node_of(model, norm, activation, narrow):
    """The model's part of the config, composed once."""
    overrides = [f"model/norm={norm}", *(WITH.get(norm, []) if narrow else [])]
    overrides += [] if model == "deep_linear" else [f"model/activation={activation}"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(f"model/{model}", overrides=overrides).model


def build(model, *, norm="batch", activation="relu", position="before", narrow=True, device="cpu"):
    node = deepcopy(node_of(model, norm, activation, narrow))
    if "norm_position" in node:
        node.norm_position = position
    if narrow:
        node.width = 0.8 if model == "deep_linear" else 0.125
    with torch.device(device):
        network = instantiate(node, _convert_="all")(in_channels=3, classes=OUTPUTS.get(model, 10), image_size=32)
    if device == "cpu":
        initialise(network, HE, seed=0)
    return network


def norms_of(model):
    return [norm for of, norm in PAIRS if of == model]


def images(count=4):
    drawn = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return drawn.to(memory_format=torch.channels_last)


def test_the_folders_hold_what_was_promised():
    assert {"vgg11", "vgg13", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "mlp"} <= set(MODELS)
    assert {"plain34", "resnet101", "deep_linear", "small_conv", "autoencoder"} <= set(MODELS)
    assert {"none", "batch", "noisy_batch", "l1", "l2", "l_infinity", "layer", "instance", "group"} <= set(NORMS)
    assert {"ghost_batch", "frozen_statistics", "affine_only", "weight_standardisation"} <= set(NORMS)
    assert "relu" in ACTIVATIONS


@every_pair
def test_logits_have_one_column_a_class_on_the_meta_device_too(model, norm):
    if norm == "group" and model in FEATURES:
        pytest.skip("32 groups do not divide 100 units")
    network = build(model, norm=norm, narrow=False, device="meta")
    assert network(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, OUTPUTS.get(model, 10))


@every_pair
def test_two_steps_move_every_weight(model, norm):
    if (model, norm) == ("resnet101", "none"):
        pytest.skip("its 33 additions without a norm let no weight but tiny ones be stepped with")
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


@every_pair
def test_the_logits_at_given_weights_are_those_of_a_network_that_holds_them(model, norm):
    network = build(model, norm=norm)
    weights = {name: 0.5 * weight.detach() for name, weight in network.named_parameters()}
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    torch.manual_seed(0)  # of noisy norms
    logits = functional_call(network, {**weights, **buffers}, (images(),))
    network.load_state_dict(weights, strict=False)
    torch.manual_seed(0)
    assert torch.equal(network(images()), logits)


@every_pair
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

    for norm in norms_of(model):
        assert names(norm) == names("none")


@every_model
def test_two_arms_of_a_seed_share_their_initial_weights(model):
    def weights(norm):
        network = build(model, norm=norm)
        initialise(network, default, seed=0)
        return dict(network.named_parameters())

    none = weights("none")
    for norm in norms_of(model):
        for name, weight in weights(norm).items():
            if "norm" not in name.split("."):
                assert torch.equal(weight, none[name]), name


@every_model
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_hidden_layer_ends_in_an_activation(model, activation):
    if activation == "maxout" and ("resnet" in model or model == "plain34"):
        pytest.skip("refused: the sum that ends a residual block has one piece; see tests/layers/test_maxout.py")
    network = build(model, activation=activation, device="meta")
    hidden = [name for name, _ in network.named_children() if name.startswith(("layer", "block", "stem"))]
    assert all(isinstance(getattr(network, name).activation, nn.Module) for name in hidden)
    assert hidden


@pytest.mark.parametrize("path", sorted((CONFIGS / "model").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_config_is_short_and_names_its_source_first(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 13
    assert lines[0].startswith("#")
    assert any("arXiv" in line or "20" in line for line in lines[:2])


@pytest.mark.parametrize("norm", NEEDS_SPACE)
@pytest.mark.parametrize("model", FEATURES)
def test_a_norm_that_needs_space_is_refused_where_there_is_none(model, norm):
    with pytest.raises(ValueError, match=r"take model/norm=layer|or model/norm=layer"):
        build(model, norm=norm, device="meta")


@every_pair
def test_the_norm_can_follow_the_activation(model, norm):
    if model == "deep_linear":
        pytest.skip("has no activation")
    network = build(model, norm=norm, position="after")
    for parent in network.modules():
        order = [name for name, _ in parent.named_children() if name in ("norm", "activation")]
        assert order in (["activation", "norm"], ["activation"], ["norm"], [])
    assert torch.isfinite(network(images())).all()


def test_the_bias_stays_where_an_activation_stands_between_it_and_the_norm():
    for model in ("vgg11", "mlp", "resnet18", "small_conv"):
        names = [name for name, _ in build(model, position="after", device="meta").named_parameters()]
        ends = [name for name in names if name.endswith((".conv.bias", ".linear.bias"))]
        followed = [name for name in names if name.endswith((".conv.weight", ".linear.weight"))]
        directly = (
            [name for name in followed if ".layer2." in name or "shortcut" in name] if model == "resnet18" else []
        )
        assert len(ends) == len(followed) - len(directly)
