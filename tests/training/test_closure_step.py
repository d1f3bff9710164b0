from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.losses import cross_entropy
from normscope.optimizers.lbfgs import LBFGS
from normscope.optimizers.newton import Newton
from normscope.regularizers.rules import Regularizers
from normscope.tasks import Task
from normscope.training.capture import eager_step, step_taker
from normscope.training.closure_step import Objective, closure_step, needs_closure
from normscope.training.step import Trainee, training_step

IMAGES = torch.randint(0, 256, (8, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])


def lbfgs(weights):
    return LBFGS(weights, 1.0, 1, 25, 10, "strong_wolfe", mini_batches=False)


def newton(weights):
    return Newton(weights, lr=0.1, damping=1.0, most_weights=100, mini_batches=False)


def trainee(optimizer=lbfgs, rules=None):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 3))
    return Trainee(
        network=network,
        optimizer=optimizer(network.parameters()),
        regularizers=rules or Regularizers(),
        preprocess=lambda images: images,
        loss=cross_entropy("mean"),
        task=Task(3, has_classes=True),
        classes=3,
        precision="fp32",
        augmentation=torch.Generator().manual_seed(0),
        weights=dict(network.named_parameters()),
    )


def gradient(student):
    return {name: weight.grad for name, weight in student.weights.items()}


@pytest.mark.parametrize("optimizer", [lbfgs, newton])
def test_what_is_told_of_a_step_is_what_a_gradient_step_tells(optimizer):
    """Loss, gradient, running statistics and the noise left for the next step: as with one evaluation."""
    ours, plain = trainee(optimizer), trainee(lambda weights: torch.optim.SGD(weights, lr=0.1))
    found = []
    for student, step in ((ours, closure_step), (plain, training_step)):
        torch.manual_seed(1)
        update = step(student, IMAGES, LABELS)
        found.append((update, gradient(student), dict(student.network.named_buffers()), torch.get_rng_state()))
    (update, slopes, buffers, noise), (expected, their_slopes, their_buffers, their_noise) = found
    for ours_, theirs in zip(update, expected, strict=True):
        torch.testing.assert_close(ours_, theirs)
    torch.testing.assert_close(slopes, their_slopes)
    torch.testing.assert_close(buffers, their_buffers)
    assert torch.equal(noise, their_noise)


def test_every_evaluation_of_a_step_has_the_same_dropout_masks():
    student = trainee()
    objective = Objective(student, IMAGES.float() / 255, torch.eye(3)[LABELS])
    values = [objective().item() for _ in range(3)]
    assert values[0] == values[1] == values[2]


def test_augmentation_is_drawn_once_a_step():
    calls = []
    rules = Regularizers(data=(lambda images, targets, generator: (calls.append(1) or images, targets),))
    closure_step(trainee(rules=rules), IMAGES, LABELS)
    assert len(calls) == 1


def test_lbfgs_lowers_the_objective_of_its_step():
    student = replace(trainee(), regularizers=Regularizers())
    student.network[3] = nn.Identity()
    losses = [closure_step(student, IMAGES, LABELS).objective.item() for _ in range(10)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]


def test_constraints_act_on_where_it_ended():
    def at_most_one(weights):
        with torch.no_grad():
            for weight in weights.values():
                weight.clamp_(-0.1, 0.1)

    student = trainee(rules=Regularizers(constraint=(at_most_one,)))
    closure_step(student, IMAGES, LABELS)
    assert max(weight.abs().max() for weight in student.weights.values()) <= 0.1 + 1e-7


@pytest.mark.parametrize("place", ["gradient", "decay"])
def test_rules_beside_the_objective_are_refused(place):
    rules = Regularizers(**{place: (lambda *arguments: None,)})
    with pytest.raises(ValueError, match=f"LBFGS takes the curvature.*in the place '{place}'"):
        closure_step(trainee(rules=rules), IMAGES, LABELS)


def test_the_step_follows_from_the_optimizers_needs():
    weights = [nn.Parameter(torch.zeros(1))]
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    adam = torch.optim.Adam(weights)
    assert not needs_closure(adam)
    assert eager_step(adam) is step_taker(cpu, adam) is training_step
    assert eager_step(lbfgs(weights)) is step_taker(gpu, lbfgs(weights)) is closure_step
    adafactor = torch.optim.Adafactor(weights)  # waits for the device in every step, so that it is not captured
    assert step_taker(gpu, adafactor) is training_step
