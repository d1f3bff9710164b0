import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from normscope.errors import UsageError
from normscope.jobs.interpolation import COLUMNS, barrier, conclude, interpolation
from normscope.tasks import Task
from normscope.training.recording import Images
from tests.finished import finished_run, random_images, run_of
from tests.recorded import small_network

HERE = {"points": 3, "images": 24, "test_images": 20, "seed": 0}


def pair():
    """Two runs of the small network on black and white images, which are the same in float32 and float64."""
    images, test = random_images(24, 1), random_images(20, 2)
    for split in (images, test):
        split.images.copy_((split.images > 127) * 255)
    second = small_network()
    with torch.no_grad():
        for weight in second.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel())) / 3)
    return finished_run(images=images, test=test), finished_run(second, images=images, test=test, run=run_of("other"))


def test_a_line_that_is_known_in_closed_form():
    """logits (0, α z) for label 0: the loss is ln(1 + exp(α z)), and the answer is right while α z < 0."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False)).double()
    images = Images(torch.full((8, 1, 1, 1), 255, dtype=torch.uint8), torch.zeros(8, dtype=torch.int64))
    runs = [finished_run(network, images=images, test=images, run=run_of(name)) for name in "AB"]
    runs[0].weights["1.weight"].zero_()
    runs[1].weights["1.weight"].copy_(torch.tensor([[0.0], [-2.0]]))
    survey = interpolation(runs, **HERE)
    assert survey.points == [(-0.5,), (0.0,), (0.5,), (1.0,), (1.5,)]
    for (alpha,) in survey.points:
        train_loss, train_accuracy, test_loss, test_accuracy = survey.measure((alpha,))
        assert train_loss == pytest.approx(math.log1p(math.exp(-2 * alpha)), rel=1e-12)
        assert test_loss == train_loss
        assert train_accuracy == test_accuracy == (alpha >= 0)


def naive(run, weights, batches, test):
    """A copy that holds these weights: its losses by batches; then BatchNorm set to the mean over the batches of what
    each layer saw, and the test images scored."""
    twin = copy.deepcopy(run.network)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            parameter.copy_(weights[name])
    norms = [module for module in twin.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    seen = {norm: [] for norm in norms}
    twin.eval()
    for norm in norms:
        norm.train()
        norm.register_forward_hook(lambda module, inputs, output: seen[module].append(inputs[0].transpose(0, 1)))
    with torch.no_grad():
        logits = torch.cat([twin(images.double() / 255) for images, _ in batches])
        train_loss = nn.functional.cross_entropy(logits, torch.cat([labels for _, labels in batches]))
        for norm, inputs in seen.items():
            channels = [some.flatten(1) for some in inputs]  # (C, m), a batch each
            norm.running_mean = torch.stack([some.mean(1) for some in channels]).mean(0)
            norm.running_var = torch.stack([some.var(1) for some in channels]).mean(0)
        logits = twin.eval()(test.images.double() / 255)
        test_loss = nn.functional.cross_entropy(logits, test.labels)
    return train_loss.item(), test_loss.item(), (logits.argmax(1) == test.labels).double().mean().item()


def test_the_values_are_those_of_a_loop_over_copies():
    runs = pair()
    survey = interpolation(runs, **HERE)
    batches = runs[0].training_batches(24, 0)
    for (alpha,) in survey.points:
        there = {name: (1 - alpha) * w + alpha * runs[1].weights[name] for name, w in runs[0].weights.items()}
        train_loss, _, test_loss, test_accuracy = survey.measure((alpha,))
        wanted = naive(runs[0], there, batches, runs[0].test)
        assert (train_loss, test_loss, test_accuracy) == pytest.approx(wanted, rel=1e-9)


def test_the_ends_are_the_runs_themselves():
    runs = pair()
    survey = interpolation(runs, **HERE)
    batches = runs[0].training_batches(24, 0)
    for run, alpha in zip(runs, (0.0, 1.0), strict=True):
        assert survey.measure((alpha,))[:2] == run.in_training_mode(run.weights, batches)[0]


def test_running_statistics_of_the_runs_play_no_part():
    runs = pair()
    own = interpolation(runs, **HERE).measure((0.5,))
    spoilt = {name: torch.full_like(buffer, 3) for name, buffer in runs[0].buffers.items()}
    assert interpolation([replace(runs[0], buffers=spoilt), runs[1]], **HERE).measure((0.5,)) == own


def test_one_run_goes_from_its_initial_weights_to_its_last():
    run = pair()[0]
    survey = interpolation([run], **HERE)
    batches = run.training_batches(24, 0)
    assert survey.measure((0.0,))[:2] == run.in_training_mode(run.initial, batches)[0]
    assert survey.measure((1.0,))[:2] == run.in_training_mode(run.weights, batches)[0]


def test_a_point_costs_a_pass_over_the_training_images_and_one_over_the_test_images():
    runs = pair()
    survey = interpolation(runs, **HERE)
    sizes = []
    runs[0].network.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    survey.measure((0.5,))
    assert sizes == [8, 8, 8, 20]


def test_barrier_by_hand():
    alpha = np.array([-0.5, 0, 0.5, 1, 1.5])
    found = barrier(alpha, np.array([99, 1, 5, 2, 99.0]))
    assert found == {"start": 1, "end": 2, "most": 5, "barrier": 3.5, "above_worse_end": 3}
    downhill = barrier(alpha, np.array([9, 4, 3, 2, 9.0]))
    assert (downhill["barrier"], downhill["above_worse_end"]) == (1, 0)
    broken = barrier(alpha, np.array([9, 4, math.nan, 2, 9.0]))
    assert (broken["most"], broken["barrier"], broken["above_worse_end"]) == (math.inf,) * 3


def test_the_conclusion_tells_the_barriers():
    alpha = np.linspace(-0.5, 1.5, 5)
    loss, accuracy = np.array([2, 1, 3, 1.2, 2]), np.array([0.5, 0.9, 0.2, 0.8, 0.5])
    found = conclude(pair(), np.stack([alpha, loss, accuracy, loss + 1, accuracy - 0.1], axis=1))
    assert found.numbers["train/loss/barrier"] == pytest.approx(3 - 1.1)
    assert found.numbers["train/loss/above_worse_end"] == pytest.approx(1.8)
    assert found.numbers["test/error/barrier"] == pytest.approx(0.9 - (0.2 + 0.3) / 2)
    assert len(COLUMNS) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": 4}, r"points \(4\) must be odd"),
        ({"images": 1}, r"images \(1\)"),
        ({"test_images": 0}, r"test_images \(0\) must be at least 1"),
    ],
)
def test_a_value_out_of_range_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        interpolation(pair(), **HERE | change)


def test_three_runs_make_no_line():
    with pytest.raises(ValueError, match="3 folders were named"):
        interpolation([*pair(), pair()[0]], **HERE)


def test_runs_of_two_models_are_refused_by_name():
    first, second = pair()
    other = replace(second, run=run_of("other", model="resnet18"))
    with pytest.raises(UsageError, match=r"model=vgg11 in outputs/a-run, but model=resnet18 in outputs/other"):
        interpolation([first, other], **HERE)


def test_weights_of_other_shapes_are_refused():
    first, second = pair()
    second.weights.pop("head.bias")
    with pytest.raises(ValueError, match="no line from one to the other"):
        interpolation([first, second], **HERE)


def test_runs_of_regression_are_refused():
    numbers = Images(torch.randn(24, 3, 4, 4), torch.randn(24, 10))
    run = finished_run(images=numbers, test=numbers, task=Task(10, has_classes=False))
    with pytest.raises(ValueError, match=r"their targets are numbers, .* job=loss_surface takes them"):
        interpolation([run], points=3, images=16, test_images=8, seed=0)
