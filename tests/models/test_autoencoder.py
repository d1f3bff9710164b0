from functools import partial

import pytest
import torch
from torch import nn

from normscope.inits import default, initialise
from normscope.layers.batch_norm import batch_norm
from normscope.models.autoencoder import autoencoder
from normscope.models.vgg import vgg
from normscope.regularizers.fractional_max_pool import FractionalMaxPool

BATCH = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)
SHARED = {"in_channels": 3, "image_size": 32, "depth": 11, "width": 0.125, "bias": "auto", "activation": nn.ReLU}


def build(layers=None, *, norm=BATCH, seed=0, **change):
    network = autoencoder(**{"classes": 3072, "layers": layers, "norm": norm, **SHARED, **change})
    initialise(network, default, seed)
    return network


def names(network):
    return " ".join(name for name, _ in network.named_children())


def images():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_the_decoder_goes_backwards_through_the_encoder():
    assert names(build(3)) == ("layer1 pool1 layer2 pool2 layer3 decoder3 unpool2 decoder2 unpool1 decoder1 flatten")
    network = build()
    encoder = [network.get_submodule(f"layer{number}.conv").weight.shape for number in range(1, 9)]
    decoder = [network.get_submodule(f"decoder{number}.conv").weight.shape for number in range(1, 9)]
    assert [shape[:2] for shape in decoder] == [(inputs, outputs) for outputs, inputs, *_ in encoder]
    code = nn.Sequential(*list(network)[:13])(images())
    assert code.shape == (2, 64, 1, 1)
    assert network(images()).shape == (2, 3072)


def test_the_encoder_is_the_beginning_of_a_vgg():
    network, classifier = build(), vgg(classes=10, head="linear", norm=BATCH, **SHARED)
    initialise(classifier, default, 0)
    features = {name: tensor for name, tensor in classifier.state_dict().items() if not name.startswith("head")}
    ours = network.state_dict()
    assert all(torch.equal(ours[name], tensor) for name, tensor in features.items())
    assert all(name in features or name.startswith("decoder") for name in ours)
    encoded = nn.Sequential(*list(network)[:13])(images())
    assert torch.equal(encoded.flatten(1), nn.Sequential(*list(classifier)[:-1])(images()))


def test_a_deeper_one_begins_and_ends_like_a_shallower_one():
    """So a chain of runs hands on every layer by its name, and its first one is the autoencoder of one layer."""
    shallow, deep = build(2).state_dict(), build(3).state_dict()
    assert all(torch.equal(deep[name], tensor) for name, tensor in shallow.items())
    assert {name.partition(".")[0] for name in deep.keys() - shallow.keys()} == {"layer3", "decoder3"}
    assert names(build(1)) == "layer1 pool1 unpool1 decoder1 flatten"


def test_the_last_convolution_puts_out_pixels_without_norm_and_activation():
    assert [name for name, _ in build().decoder1.named_children()] == ["conv"]
    assert [name for name, _ in build().decoder2.named_children()] == ["conv", "norm", "activation"]
    assert build().decoder1.conv.bias is not None


def test_of_one_layer_without_activation_it_is_two_convolutions_and_a_pool():
    network = build(1, norm=None, activation=nn.Identity)
    seen = nn.functional.max_pool2d(network.layer1.conv(images()), 2)
    expected = network.decoder1.conv(seen.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(network(images()), expected.flatten(1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": 10}, r"gives back the 3072 numbers of an image, and 10 outputs .* take task=reconstruction"),
        ({"layers": 0}, r"layers \(0\) .* within 1 and 8"),
        ({"layers": 9}, r"layers \(9\) .* within 1 and 8"),
        ({"image_size": 40, "classes": 4800}, r"image_size \(40\) must be a multiple of 32, since 5 pools"),
        ({"pool": partial(FractionalMaxPool, ratio=0.7071)}, r"leaves 22 of 32 pixels.*fractional_max_pool\] out"),
    ],
)
def test_what_gives_no_image_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)
