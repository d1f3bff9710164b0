from collections import OrderedDict
from functools import partial

import pytest
import torch
from torch import nn

from normscope.inits import default, glorot_uniform, initialise
from normscope.models.mlp import mlp
from normscope.probes.jacobian import consecutive, jacobian, matrix, singular_values
from normscope.record import StepRecord
from tests.recorded import record_of, small_record
from tests.test_weight_layers import small_resnet


def layers(*pairs, dtype=torch.float64):
    """A network of named (weight layer, activation) pairs."""
    named = OrderedDict(
        (f"layer{number}", nn.Sequential(OrderedDict(linear=weight, activation=activation)))
        for number, (weight, activation) in enumerate(pairs, 1)
    )
    return nn.Sequential(named).to(dtype)


def found_in(network, batch, **options):
    """The probe's result on images whose targets do not matter."""
    record = record_of(
        network, batch, torch.zeros(len(batch), 1), objective=lambda outputs, targets, weights: outputs.sum()
    )
    measured = jacobian(record, **{"images": len(batch), "max_entries": 10_000, **options})
    return {name: float(value) for name, value in measured.scalars.items()}


def linear(weight):
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    return layer


def test_a_linear_layer_stretches_by_the_singular_values_of_its_weight():
    """W = diag(3, 1) and a row of zeros: 3 and 1, whatever the inputs."""
    network = layers(
        (linear([[1.0, 2.0], [0.5, -1.0]]), nn.Identity()),
        (linear([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), nn.Identity()),
    )
    found = found_in(network, torch.randn(3, 2, dtype=torch.float64))
    assert found == pytest.approx({"jacobian/layer2/mean": 2, "jacobian/layer2/min": 1, "jacobian/layer2/max": 3})


def test_tanh_adds_its_slope_and_the_results_are_means_over_images():
    """∂z/∂x = diag(1 − z²) W for each image, computed with plain tensors."""
    torch.manual_seed(0)
    network = layers((nn.Linear(3, 5), nn.Tanh()), (nn.Linear(5, 4), nn.Tanh()))
    images = torch.randn(3, 3, dtype=torch.float64)
    with torch.no_grad():
        slopes = 1 - network(images) ** 2  # (3, 4)
    by_hand = [torch.linalg.svdvals(slope.diag() @ network.layer2.linear.weight.detach()) for slope in slopes]
    found = found_in(network, images)
    for name, of in (("mean", torch.mean), ("min", torch.min), ("max", torch.max)):
        expected = sum(float(of(factors)) for factors in by_hand) / 3
        assert found[f"jacobian/layer2/{name}"] == pytest.approx(expected, rel=1e-9)
    first = float(by_hand[0].mean())
    assert found_in(network, images, images=1)["jacobian/layer2/mean"] == pytest.approx(first, rel=1e-9)


def test_a_convolution_after_a_pool_agrees_with_pytorchs_own_jacobian():
    torch.manual_seed(0)
    network = layers((nn.Conv2d(2, 3, 3, padding=1), nn.ReLU()), (nn.Conv2d(3, 4, 3, stride=2), nn.ReLU()))
    network.layer2.linear = nn.Sequential(nn.MaxPool2d(2, 1), network.layer2.linear)
    images = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    expected = []
    for image in images:
        below = network.layer1(image[None]).detach()
        whole = torch.autograd.functional.jacobian(network.layer2, below).reshape(-1, below.numel())
        expected.append(torch.linalg.svdvals(whole))
    found = found_in(network, images)
    mean = torch.stack(expected).mean(0)
    assert found["jacobian/layer2/mean"] == pytest.approx(float(mean.mean()), rel=1e-9)
    assert found["jacobian/layer2/max"] == pytest.approx(float(mean[0]), rel=1e-9)
    assert found["jacobian/layer2/min"] == pytest.approx(float(mean[-1]), rel=1e-9, abs=1e-12)


def test_rows_are_made_in_pieces(monkeypatch):
    below = torch.randn(7, dtype=torch.float64, requires_grad=True)
    above = (torch.arange(35.0).view(5, 7).double() @ below).sin()
    whole = matrix(above, below)
    monkeypatch.setattr("normscope.probes.jacobian.AT_ONCE", 15)  # two of five rows
    assert torch.equal(matrix(above, below), whole)


@pytest.mark.parametrize(("init", "published"), [(default, 0.48), (partial(glorot_uniform, gain=1.0), 0.71)])
def test_the_mean_over_a_tanh_network_is_as_published(init, published):
    """Glorot & Bengio 2010, section 4.2.1, "around 0.5" and "around 0.8"; 0.48 and 0.71 were computed in numpy for
    5 x 1000 units."""
    network = mlp(
        in_channels=2,
        classes=10,
        image_size=10,
        hidden_layers=5,
        hidden_units=200,
        width=1,
        bias="auto",
        norm=None,
        activation=nn.Tanh,
    )
    initialise(network, init, seed=0)
    images = torch.randn(4, 2, 10, 10, generator=torch.Generator().manual_seed(0))
    found = jacobian(record_of(network, images, torch.eye(10)[:4]), images=4, max_entries=40_000).scalars
    means = [float(found[f"jacobian/layer{number}/mean"]) for number in range(2, 6)]
    assert sum(means) / 4 == pytest.approx(published, abs=0.03)


def test_below_a_block_stands_the_block_before_it():
    order = ["stem", "block1.layer1", "block1", "block2.layer1", "block2.layer2", "block2", "block10.layer1", "block10"]
    assert list(consecutive(order)) == [
        ("stem", "block1.layer1"),
        ("stem", "block1"),
        ("block1", "block2.layer1"),
        ("block2.layer1", "block2.layer2"),
        ("block1", "block2"),
        ("block2", "block10.layer1"),
        ("block2", "block10"),
    ]


def test_the_shortcut_counts():
    """A block of a ResNet whose branch ends in zeros, and whose activation is the identity, passes on what it gets."""
    network = small_resnet()
    for module in network.modules():
        if isinstance(module, nn.PReLU):
            nn.init.ones_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    nn.init.zeros_(network.block1.layer2.norm.weight)
    record = record_of(network, torch.randn(2, 3, 8, 8), torch.eye(10)[:2])
    found = jacobian(record, images=1, max_entries=100_000).scalars
    assert [float(found[f"jacobian/block1/{name}"]) for name in ("mean", "min", "max")] == [1, 1, 1]


def test_a_norm_over_the_batch_is_refused():
    with pytest.raises(ValueError, match=r"normalises over the batch, .* measure it with model/norm=none"):
        jacobian(small_record(), images=1, max_entries=10_000)


def test_a_norm_over_the_image_is_not():
    network = layers((nn.Linear(3, 4), nn.Tanh()), (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), nn.Tanh()))
    assert found_in(network, torch.randn(2, 3, dtype=torch.float64))["jacobian/layer2/max"] > 0


def test_silent_units_and_dropped_pixels_count_as_zeros():
    assert singular_values(torch.tensor([[0.0, 0, 0], [0, 3, 0]])).tolist() == [3, 0]
    assert singular_values(torch.zeros(4, 2)).tolist() == [0, 0]


def test_what_is_not_finite_has_no_singular_values_and_ends_no_run():
    assert singular_values(torch.full((2, 2), torch.inf)).isnan().all()


def test_larger_layers_are_left_out():
    network = layers((nn.Linear(3, 9), nn.Tanh()), (nn.Linear(9, 5), nn.Tanh()), (nn.Linear(5, 4), nn.Tanh()))
    found = found_in(network, torch.randn(2, 3, dtype=torch.float64), max_entries=44)
    assert list(found) == ["jacobian/layer3/mean", "jacobian/layer3/min", "jacobian/layer3/max"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, r"images \(0\) and max_entries \(10000\) must be at least 1"),
        ({"max_entries": 19}, r"max_entries \(19\): the smallest Jacobian of a layer has 20 entries; raise it"),
    ],
)
def test_options_that_leave_nothing_are_refused(options, message):
    network = layers((nn.Linear(3, 5), nn.Tanh()), (nn.Linear(5, 4), nn.Tanh()))
    with pytest.raises(ValueError, match=message):
        found_in(network, torch.randn(2, 3, dtype=torch.float64), **options)


def test_a_network_of_one_layer_is_refused():
    with pytest.raises(ValueError, match="no two layers with activations"):
        found_in(layers((nn.Linear(3, 5), nn.Tanh())), torch.randn(2, 3, dtype=torch.float64))


def test_an_image_costs_one_forward_pass_and_the_question_of_coupling_another(monkeypatch):
    network = layers((nn.Linear(3, 5), nn.Tanh()), (nn.Linear(5, 4), nn.Tanh()))
    sizes = []
    evaluate = StepRecord.evaluate
    monkeypatch.setattr(
        StepRecord, "evaluate", lambda self, weights: sizes.append(len(self.images)) or evaluate(self, weights)
    )
    images = torch.randn(8, 3, dtype=torch.float64)
    record = record_of(network, images, torch.zeros(8, 4), updated={}, objective=lambda z, targets, weights: z.sum())
    jacobian(record, images=3, max_entries=100)
    assert sizes == [3, 1, 1, 1]
