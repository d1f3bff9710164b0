"""Layer, instance and group normalisation, and the affine map alone: what looks at one image at a time."""

import pytest
import torch
from torch import nn

from normscope.layers.affine_only import affine_only
from normscope.layers.group_norm import group_norm
from normscope.layers.instance_norm import instance_norm
from normscope.layers.layer_norm import layer_norm

HERE = {"eps": 1e-5, "affine": True}


def images(*shape):
    return 2 + torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "layer",
    [
        layer_norm(4, True, **HERE),
        instance_norm(4, True, **HERE),
        group_norm(4, True, groups=2, **HERE),
        affine_only(4, True),
    ],
    ids=["layer", "instance", "group", "affine"],
)
def test_an_image_does_not_know_of_the_others_in_training_or_evaluation(layer):
    batch = images(5, 4, 3, 3)
    together = layer(batch)
    torch.testing.assert_close(layer(batch[2:3]), together[2:3])
    torch.testing.assert_close(layer.eval()(batch), together)


def normalised(values, axes):
    centred = values - values.mean(axes, keepdim=True)
    return centred / (centred.square().mean(axes, keepdim=True) + 1e-5).sqrt()


def test_layer_norm_takes_all_values_of_an_image():
    values, features = images(5, 4, 3, 3), images(5, 4)
    torch.testing.assert_close(layer_norm(4, True, **HERE)(values), normalised(values, (1, 2, 3)))
    torch.testing.assert_close(layer_norm(4, False, **HERE)(features), normalised(features, (1,)))


def test_instance_norm_takes_one_channel_of_one_image():
    values = images(5, 4, 3, 3)
    torch.testing.assert_close(instance_norm(4, True, **HERE)(values), normalised(values, (2, 3)))


def test_group_norm_takes_a_group_of_channels():
    values = images(5, 4, 3, 3)
    grouped = normalised(values.view(5, 2, 2, 3, 3), (2, 3, 4)).view(5, 4, 3, 3)
    torch.testing.assert_close(group_norm(4, True, groups=2, **HERE)(values), grouped)
    features = images(5, 4)
    torch.testing.assert_close(
        group_norm(4, False, groups=2, **HERE)(features), normalised(features.view(5, 2, 2), (2,)).view(5, 4)
    )


def test_one_group_is_layer_norm_and_a_group_a_channel_is_instance_norm():
    values = images(5, 4, 3, 3)
    torch.testing.assert_close(group_norm(4, True, groups=1, **HERE)(values), layer_norm(4, True, **HERE)(values))
    torch.testing.assert_close(group_norm(4, True, groups=4, **HERE)(values), instance_norm(4, True, **HERE)(values))


def test_affine_only_scales_and_shifts():
    layer = affine_only(2, True)
    assert torch.equal(layer(images(3, 2, 2, 2)), images(3, 2, 2, 2))
    layer.weight.data.copy_(torch.tensor([2.0, 3.0]))
    layer.bias.data.copy_(torch.tensor([0.5, -1.0]))
    assert layer(torch.ones(1, 2, 1, 1)).flatten().tolist() == [2.5, 2.0]
    assert layer(torch.ones(1, 2)).flatten().tolist() == [2.5, 2.0]


@pytest.mark.parametrize("spatial", [True, False])
def test_there_is_a_scale_and_a_shift_for_each_channel(spatial):
    for layer in (layer_norm(6, spatial, **HERE), group_norm(6, spatial, groups=3, **HERE)):
        assert [tuple(parameter.shape) for parameter in layer.parameters()] == [(6,), (6,)]
    assert list(layer_norm(6, spatial, eps=1e-5, affine=False).parameters()) == []
    assert isinstance(layer_norm(6, False, **HERE), nn.LayerNorm)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: group_norm(100, False, groups=32, **HERE), r"groups \(32\) must divide channels \(100\); try 4"),
        (lambda: group_norm(8, False, groups=8, **HERE), r"groups \(8\) of as many features hold one value"),
        (lambda: group_norm(8, True, groups=0, **HERE), r"groups \(0\) must divide channels \(8\)"),
        (lambda: instance_norm(8, False, **HERE), r"no space to normalise over; take model/norm=layer"),
        (lambda: instance_norm(8, True, eps=0, affine=True), r"instance_norm: eps \(0\)"),
        (lambda: layer_norm(1, False, **HERE), r"channels \(1\) of features must be at least 2"),
        (lambda: layer_norm(8, True, eps=0, affine=True), r"layer_norm: eps \(0\)"),
        (lambda: group_norm(8, True, groups=2, eps=-1, affine=True), r"group_norm: eps \(-1\)"),
        (lambda: affine_only(0, True), r"channels \(0\)"),
    ],
)
def test_what_does_not_fit_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
