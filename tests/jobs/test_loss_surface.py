import copy
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from normscope.jobs.loss_surface import conclude, filter_normalised, gaussian, loss_surface
from normscope.vectors import cosine, moved
from tests.finished import finished_run
from tests.recorded import small_network

HERE = {"dimensions": 2, "points": 3, "extent": 1.0, "images": 24, "seed": 0}


def test_filter_normalisation_by_hand():
    weights = {"matrix": torch.tensor([[3.0, 4], [0, 2]]), "bias": torch.tensor([7.0, 8])}
    direction = {"matrix": torch.tensor([[1.0, 0], [0, -5]]), "bias": torch.tensor([1.0, 1])}
    scaled = filter_normalised(direction, weights)
    assert scaled["matrix"].tolist() == [[5, 0], [0, -2]]
    assert scaled["bias"].tolist() == [0, 0]


def test_every_filter_of_a_direction_is_as_long_as_that_of_the_weights():
    weights = dict(small_network().named_parameters())
    direction = filter_normalised(gaussian(weights, 0, "x"), weights)
    for name, weight in weights.items():
        if weight.dim() == 1:
            assert not direction[name].any()
            continue
        for mine, theirs in zip(direction[name], weight, strict=True):  # a filter (C, k, k), or a row
            assert mine.norm().item() == pytest.approx(theirs.norm().item(), rel=1e-12)


def test_a_filter_of_length_zero_stays_where_it_is():
    assert not filter_normalised({"w": torch.ones(1, 2)}, {"w": torch.zeros(1, 2)})["w"].any()


def naive_loss(network, weights, batches):
    """The mean loss over batches of a copy that holds these weights: BatchNorm in training mode, dropout off."""
    twin = copy.deepcopy(network)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            parameter.copy_(weights[name])
    twin.eval()
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.train()
    losses = [nn.functional.cross_entropy(twin(images.double() / 255), labels) for images, labels in batches]
    return torch.stack(losses).mean().item()


def test_the_values_are_those_of_a_loop_over_copies():
    run = finished_run()
    survey = loss_surface(run, **HERE)
    batches = run.training_batches(24, 0)
    directions = []
    for stream in "xy":
        drawn = gaussian(run.weights, 0, stream)
        for name, weight in run.weights.items():
            filters = [d * (w.norm() / d.norm()) for d, w in zip(drawn[name], weight, strict=True)]
            drawn[name] = torch.stack(filters) if weight.dim() > 1 else torch.zeros_like(weight)
        directions.append(drawn)
    assert survey.points == list(itertools.product([-1.0, 0.0, 1.0], repeat=2))
    for x, y in survey.points:
        there = {name: w + x * directions[0][name] + y * directions[1][name] for name, w in run.weights.items()}
        # the pictures are float32 divided by 255 there and float64 here, which sets the tolerance
        assert survey.measure((x, y))[0] == pytest.approx(naive_loss(run.network, there, batches), rel=1e-6)


def test_the_values_are_exact_where_the_images_are():
    """As above to 1e-9: of black and white images, whose division by 255 is exact."""
    run = finished_run()
    run.training.images.copy_((run.training.images > 127) * 255)
    survey = loss_surface(run, **HERE | {"dimensions": 1, "points": 5})
    direction = filter_normalised(gaussian(run.weights, 0, "x"), run.weights)
    for point in survey.points:
        wanted = naive_loss(run.network, moved(run.weights, direction, point[0]), run.training_batches(24, 0))
        assert survey.measure(point)[0] == pytest.approx(wanted, rel=1e-9)


def test_the_middle_is_the_loss_of_the_run_itself():
    run = finished_run()
    survey = loss_surface(run, **HERE)
    middle = survey.points[len(survey.points) // 2]
    assert middle == (0, 0)
    assert survey.measure(middle) == run.in_training_mode(run.weights, run.training_batches(24, 0))[0]


def without_eps():
    network = small_network()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.eps = 1e-14
    return network


def rescaled(network, factor):
    """The same function, the filters of the first convolution longer: the BatchNorm behind it takes that away."""
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin.layer1.conv.weight.mul_(factor)
    return twin


def test_filters_rescaled_before_a_batch_norm_leave_the_surface_as_it_is():
    network = without_eps()
    own, other = (loss_surface(finished_run(n), **HERE) for n in (network, rescaled(network, 7.0)))
    for point in own.points:
        assert other.measure(point)[0] == pytest.approx(own.measure(point)[0], rel=1e-9)


def test_directions_that_are_not_normalised_see_the_rescaling():
    network = without_eps()
    losses = []
    for run in (finished_run(network), finished_run(rescaled(network, 7.0))):
        there = moved(run.weights, gaussian(run.weights, 0, "x"), 0.2)
        losses.append(run.in_training_mode(there, run.training_batches(24, 0))[0].loss)
    assert abs(losses[0] - losses[1]) > 0.1


def test_two_directions_are_nearly_at_right_angles_and_depend_on_the_seed():
    weights = {"w": torch.ones(50, 100)}
    x, y, other = gaussian(weights, 0, "x"), gaussian(weights, 0, "y"), gaussian(weights, 1, "x")
    assert abs(cosine(x, y)) < 0.06  # 4 / √5000
    assert not torch.equal(x["w"], other["w"])
    assert torch.equal(x["w"], gaussian(weights, 0, "x")["w"])


def test_a_point_costs_one_forward_pass_of_each_batch_and_leaves_no_trace():
    run = finished_run()
    survey = loss_surface(run, **HERE)
    before = copy.deepcopy(run.network.state_dict())
    passes = []
    run.network.register_forward_hook(lambda *_: passes.append(torch.is_grad_enabled()))
    first = survey.measure((0.5, -0.5))
    assert passes == [False] * 3  # 24 images in batches of 8
    assert survey.measure((0.5, -0.5)) == first  # dropout is off
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.network.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimensions": 3}, r"dimensions \(3\) must be 1, a line, or 2"),
        ({"points": 24}, r"points \(24\) must be odd"),
        ({"points": 1}, r"points \(1\) must be odd and at least 3"),
        ({"extent": 0.0}, r"extent \(0.0\) must be positive"),
        ({"extent": math.inf}, r"extent \(inf\)"),
        ({"images": 7}, r"images \(7\) must be at least the run's batch_size \(8\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        loss_surface(finished_run(), **HERE | change)


def test_the_conclusion_by_hand():
    table = np.array([[x, y, 1 + x * x + 4 * y * y, 0.5] for x in (-1, 0, 1) for y in (-1, 0, 1)], float)
    found = conclude(finished_run(), 2, 0.01, table)
    assert found.numbers == {"loss": 1, "loss/least": 1, "loss/most": 6, "directions/cosine": 0.01}
    assert found.sentence == "loss 1 at the run's weights, 1 to 6 around them"


def test_a_loss_that_is_not_a_number_counts_as_infinite():
    table = np.array([[-1, math.nan, 0], [0, 1, 0], [1, 2, 0]], float)
    assert conclude(finished_run(), 1, 1.0, table).numbers == {"loss": 1, "loss/least": 1, "loss/most": math.inf}
