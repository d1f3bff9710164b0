from functools import partial
from hashlib import sha256
from math import sqrt
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from normscope.inits import (
    constant,
    default,
    gaussian,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    initialise,
    lecun_normal,
    lecun_uniform,
    orthogonal,
    standard,
)

CONFIGS = Path(__file__).parents[1] / "configs" / "init"


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(init, layer, gain=1.0):
    init(layer, generator(), gain)
    return layer.weight.detach()


@pytest.mark.parametrize("make", [partial(nn.Linear, 30, 20), partial(nn.Conv2d, 3, 8, 3)])
def test_default_is_bit_for_bit_what_torch_draws(make):
    torch.manual_seed(7)
    torchs = make()
    ours = make()
    default(ours, generator(7), 1.0)
    assert torch.equal(ours.weight, torchs.weight)
    assert torch.equal(ours.bias, torchs.bias)


def test_default_keeps_weight_and_bias_within_one_over_the_root_of_the_fan_in():
    layer = nn.Conv2d(4, 64, 3)
    weight = drawn(default, layer)
    bound = 1 / sqrt(4 * 9)
    assert 0.99 * bound < weight.abs().max() <= bound
    assert 0.9 * bound < layer.bias.abs().max() <= bound


FAN_IN, FAN_OUT = 32 * 9, 64 * 9  # of the convolution below


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        (partial(glorot_uniform, gain=3.0), 9 * 2 / (FAN_IN + FAN_OUT)),
        (partial(glorot_normal, gain=3.0), 9 * 2 / (FAN_IN + FAN_OUT)),
        (partial(he_uniform, mode="fan_in", gain=sqrt(2)), 2 / FAN_IN),
        (partial(he_normal, mode="fan_in", gain=sqrt(2)), 2 / FAN_IN),
        (partial(he_normal, mode="fan_out", gain=1.0), 1 / FAN_OUT),
        (partial(he_normal, mode="fan_avg", gain=1.0), 2 / (FAN_IN + FAN_OUT)),
        (partial(he_normal, mode="fan_in", gain="auto"), 0.49 / FAN_IN),
        (partial(he_uniform, mode="fan_out", gain="auto"), 0.49 / FAN_OUT),
        (partial(glorot_normal, gain="auto"), 0.49 * 2 / (FAN_IN + FAN_OUT)),
        (partial(lecun_normal, mode="fan_in"), 1 / FAN_IN),
        (partial(lecun_uniform, mode="fan_in"), 1 / FAN_IN),
        (partial(lecun_uniform, mode="fan_out"), 1 / FAN_OUT),
        (partial(lecun_normal, mode="fan_avg"), 2 / (FAN_IN + FAN_OUT)),
        (partial(gaussian, std=0.05), 0.05**2),
        (standard, 1 / (3 * FAN_IN)),
    ],
)
def test_the_variance_is_the_papers_and_biases_are_0(init, variance):
    layer = nn.Conv2d(32, 64, 3)
    weight = drawn(init, layer, gain=0.7)  # for those that are told to take it
    assert weight.var().item() == pytest.approx(variance, rel=0.05)  # 18,432 draws: standard error 1 %
    assert abs(weight.mean().item()) < 4 * sqrt(variance / weight.numel())
    assert not layer.bias.any()


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        (partial(glorot_uniform, gain=1.0), sqrt(6 / (FAN_IN + FAN_OUT))),
        (partial(he_uniform, mode="fan_in", gain=sqrt(2)), sqrt(6 / FAN_IN)),
        (partial(lecun_uniform, mode="fan_in"), sqrt(3 / FAN_IN)),
    ],
)
def test_uniform_weights_fill_the_papers_interval(init, bound):
    weight = drawn(init, nn.Conv2d(32, 64, 3))
    assert 0.999 * bound < weight.abs().max() <= bound * (1 + 1e-6)


def test_standard_has_the_weights_of_the_default_without_its_biases():
    ours, torchs = nn.Linear(40, 30), nn.Linear(40, 30)
    standard(ours, generator(), 1.0)
    default(torchs, generator(), 1.0)
    torch.testing.assert_close(ours.weight, torchs.weight, rtol=1e-6, atol=0)  # the bound 1/√n, computed in two ways
    assert not ours.bias.any()


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize(
    ("ours", "torchs"), [(he_normal, nn.init.kaiming_normal_), (he_uniform, nn.init.kaiming_uniform_)]
)
def test_he_with_gain_root_two_is_torchs_kaiming_for_relu(ours, torchs, mode):
    weight = drawn(partial(ours, mode=mode, gain=sqrt(2)), nn.Linear(40, 30))
    expected = torchs(torch.empty(30, 40), mode=mode, nonlinearity="relu", generator=generator())
    torch.testing.assert_close(weight, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("init", "kept"), [(partial(he_normal, mode="fan_in", gain=sqrt(2)), 1.0), (partial(glorot_normal, gain=1.0), 0.5)]
)
def test_he_keeps_the_mean_square_through_relu_layers_and_glorot_halves_it(init, kept):
    signal = torch.randn(64, 512, generator=generator(1))
    squares = []
    for number in range(10):
        layer = nn.Linear(512, 512)
        init(layer, generator(number), 1.0)
        signal = layer(signal.relu() if number else signal)
        squares.append(signal.square().mean().item())
    assert (squares[-1] / squares[0]) ** (1 / 9) == pytest.approx(kept, rel=0.05)


def through(activation, init, *, layers, units=256):
    """The values of each layer of N(0, 1) inputs, (layers, N, units)."""
    signal, values = torch.randn(256, units, generator=generator(100)), []
    for number in range(layers):
        layer = nn.Linear(units, units)
        init(layer, generator(number), 1.0)
        signal = activation(layer(signal)).detach()
        values.append(signal)
    return torch.stack(values)


def test_lecun_keeps_selu_at_mean_0_and_variance_1():
    """Klambauer et al. 2017: the fixed point, which 32 layers of 256 units hold to 0.1 and 0.2."""
    values = through(nn.SELU(), partial(lecun_normal, mode="fan_in"), layers=32)
    assert values.mean((1, 2)).abs().max() < 0.1
    assert 0.8 < values.var((1, 2)).min() <= values.var((1, 2)).max() < 1.2


@pytest.mark.parametrize(
    ("activation", "init"), [(nn.SELU(), default), (nn.ReLU(), partial(lecun_normal, mode="fan_in"))]
)
def test_under_a_smaller_init_or_relu_the_images_become_one(activation, init):
    """Variance between the inputs, unit by unit; that between units stays, where biases are drawn too."""
    assert through(activation, init, layers=32)[-1].var(0).mean() < 1e-4


def test_tanh_layers_shrink_less_under_glorot_than_under_the_standard_init():
    """Glorot & Bengio 2010, figure 6: standard deviation of the fifth layer over that of the first."""
    shrunk = {
        init: (values := through(nn.Tanh(), init, layers=5, units=1000))[-1].std() / values[0].std()
        for init in (default, partial(glorot_uniform, gain=1.0))
    }
    standard, normalised = shrunk.values()
    assert standard <= 0.15
    assert normalised >= 0.4


@pytest.mark.parametrize("shape", [(20, 20), (12, 30), (30, 12)])
def test_an_orthogonal_matrix_has_one_singular_value(shape):
    weight = drawn(partial(orthogonal, gain=3.0), nn.Linear(shape[1], shape[0]))
    small = weight @ weight.T if shape[0] <= shape[1] else weight.T @ weight
    torch.testing.assert_close(small, 9 * torch.eye(min(shape)), rtol=0, atol=1e-5)


def test_an_orthogonal_convolution_is_orthogonal_as_a_matrix_of_filters():
    layer = nn.Conv2d(4, 16, 3)
    filters = drawn(partial(orthogonal, gain="auto"), layer, gain=sqrt(2)).flatten(1)  # (16, 36)
    torch.testing.assert_close(filters @ filters.T, 2 * torch.eye(16), rtol=0, atol=1e-5)
    assert not layer.bias.any()


def test_a_hundred_orthogonal_layers_keep_every_length():
    signal = torch.randn(8, 32, generator=generator(1))
    lengths = signal.norm(dim=1)
    for number in range(100):
        layer = nn.Linear(32, 32)
        orthogonal(layer, generator(number), 1.0, gain="auto")
        signal = layer(signal)
    torch.testing.assert_close(signal.norm(dim=1), lengths, rtol=1e-4, atol=0)


@pytest.mark.parametrize("value", [0.0, 0.01])
def test_equal_weights_get_equal_gradients(value):
    hidden, head = nn.Linear(4, 6), nn.Linear(6, 3)
    for layer in (hidden, head):
        constant(layer, generator(), 1.0, value=value)
    logits = head(hidden(torch.randn(5, 4, generator=generator(1))).tanh())
    nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0, 1])).backward()
    assert hidden.weight.eq(value).all()
    assert torch.equal(hidden.weight.grad, hidden.weight.grad[:1].expand(6, 4))
    assert hidden.weight.grad.any() if value else not hidden.weight.grad.any()


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5), nn.Linear(5, 5))


def test_each_layer_draws_from_a_generator_seeded_by_its_name():
    whole = network()
    initialise(whole, default, seed=7)
    for name in ("0", "3", "4"):
        layer = whole.get_submodule(name)
        alone = type(layer).__new__(type(layer))
        alone.__init__(*((3, 4, 3) if name == "0" else (layer.in_features, layer.out_features)))
        default(alone, generator(int.from_bytes(sha256(f"7/{name}".encode()).digest()[:8], "big")), 1.0)
        assert torch.equal(alone.weight, layer.weight)
        assert torch.equal(alone.bias, layer.bias)


def test_a_seed_gives_the_same_weights_again_and_another_seed_others():
    def weights(seed):
        built = network()
        initialise(built, partial(gaussian, std=1.0), seed)
        return built[0].weight

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_a_missing_bias_does_not_move_the_weight():
    with_bias, without = (
        nn.ModuleDict({"layer": nn.Linear(4, 4)}),
        nn.ModuleDict({"layer": nn.Linear(4, 4, bias=False)}),
    )
    initialise(with_bias, default, seed=0)
    initialise(without, default, seed=0)
    assert torch.equal(with_bias["layer"].weight, without["layer"].weight)


def test_norms_stay_at_scale_1_and_shift_0():
    built = network()
    initialise(built, partial(gaussian, std=1.0), seed=0)
    assert built[1].weight.eq(1).all()
    assert built[1].bias.eq(0).all()


def test_drawing_leaves_torchs_own_generator_alone():
    built, before = network(), torch.get_rng_state()
    initialise(built, default, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_elsewhere_than_on_the_cpu_are_refused():
    with pytest.raises(ValueError, match=r"0\.weight is on meta; initialise on the CPU"):
        initialise(network().to("meta"), default, seed=0)


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (partial(glorot_normal, gain=0.0), r"init.gain \(0.0\) must be auto .* or positive"),
        (partial(he_uniform, mode="fan_in", gain=-1.0), r"init.gain \(-1.0\) must be auto .* or positive"),
        (partial(orthogonal, gain="relu"), r"init.gain \(relu\) must be auto .* or positive"),
        (partial(he_normal, mode="fan", gain=1.0), r"init.mode \(fan\) must be fan_in .* fan_out .* or fan_avg"),
        (partial(lecun_normal, mode="in"), r"init.mode \(in\) must be fan_in .* fan_out .* or fan_avg"),
        (partial(gaussian, std=0.0), r"init.std \(0.0\) must be positive"),
    ],
)
def test_values_out_of_range_are_refused(init, message):
    with pytest.raises(ValueError, match=message):
        init(nn.Linear(2, 2), generator(), 1.0)


def batch(count):
    return torch.randn(count, 3, 3, 3, generator=generator(1))


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_fills_every_layer(path):
    init = instantiate(OmegaConf.load(path), _convert_="all")
    built = network()
    for parameter in built.parameters():
        parameter.data.fill_(float("nan"))
    built[1].reset_parameters()
    initialise(built, init, seed=0, batch=batch)
    for number in (0, 3, 4):
        assert built[number].weight.isfinite().all()
        assert built[number].weight.std() > 0 or path.stem in ("zeros", "constant")
        assert built[number].bias.any() if path.stem == "default" else not built[number].bias.any()
    assert path.read_text().startswith("#")
