from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.losses import cross_entropy, squared_error
from normscope.regularizers.rules import Regularizers
from normscope.tasks import Task
from normscope.training.step import Trainee, training_step

IMAGES = torch.randint(0, 256, (6, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def trainee(rules=None, momentum=0.0):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    return Trainee(
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.5, momentum=momentum),
        regularizers=rules or Regularizers(),
        preprocess=lambda images: 2 * images,
        loss=cross_entropy("mean"),
        task=Task(3, has_classes=True),
        classes=3,
        precision="fp32",
        augmentation=torch.Generator().manual_seed(0),
        weights=dict(network.named_parameters()),
    )


def test_a_step_of_softmax_regression_worked_out_by_hand():
    """∂L/∂W = (p − t)ᵀ x / N for logits W x + b."""
    student = trainee()
    weight, bias = (w.detach().clone() for w in student.weights.values())
    x = 2 * IMAGES.flatten(1).float() / 255
    probabilities = (x @ weight.T + bias).softmax(1)
    targets = torch.eye(3)[LABELS]
    update = training_step(student, IMAGES, LABELS)
    torch.testing.assert_close(student.weights["1.weight"], weight - 0.5 * (probabilities - targets).T @ x / 6)
    torch.testing.assert_close(student.weights["1.bias"], bias - 0.5 * (probabilities - targets).mean(0))
    torch.testing.assert_close(update.loss, -(targets * probabilities.log()).sum(1).mean())
    assert update.objective == update.loss
    assert update.accuracy == (probabilities.argmax(1) == LABELS).float().mean()
    torch.testing.assert_close(update.images.flatten(1), x)


def test_the_places_act_in_their_order():
    """Each place writes its name; decay sees the learning rate, constraints the updated weights."""
    seen = []

    def gradient(weights):
        assert all(weight.grad is not None for weight in weights.values())
        seen.append("gradient")

    def loss(logits, targets, weights):
        seen.append("loss")
        return logits.sum() * 0 + 5

    start = trainee().weights["1.weight"].detach().clone()
    rules = Regularizers(
        data=(lambda images, targets, generator: (seen.append("data") or images, targets),),
        loss=(loss,),
        gradient=(gradient,),
        decay=(lambda weights, lr: seen.append(("decay", lr, torch.equal(weights["1.weight"], start))),),
        constraint=(lambda weights: seen.append(("constraint", torch.equal(weights["1.weight"], start))),),
    )
    update = training_step(trainee(rules), IMAGES, LABELS)
    assert seen == ["data", "loss", "gradient", ("decay", 0.5, True), ("constraint", False)]
    assert update.objective.item() == pytest.approx(update.loss.item() + 5)


def test_mixed_precision_keeps_float32_weights_and_nearly_the_same_loss():
    full, mixed = trainee(), replace(trainee(), precision="bf16")
    losses = [training_step(student, IMAGES, LABELS).loss.item() for student in (full, mixed)]
    assert all(weight.dtype == torch.float32 for weight in mixed.weights.values())
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)  # bfloat16 has 8 bits of mantissa


def test_numbers_are_taken_as_they_are_and_have_no_accuracy():
    """∂/∂W Σ ‖W x + b − y‖² = 2 (W x + b − y)ᵀ x."""
    student = replace(
        trainee(), loss=squared_error("sum"), task=Task(3, has_classes=False), preprocess=lambda images: images
    )
    weight, bias = (w.detach().clone() for w in student.weights.values())
    x, y = torch.randn(6, 1, 2, 2), torch.randn(6, 3)
    update = training_step(student, x, y)
    difference = x.flatten(1) @ weight.T + bias - y
    torch.testing.assert_close(student.weights["1.weight"], weight - 0.5 * 2 * difference.T @ x.flatten(1))
    torch.testing.assert_close(update.loss, difference.square().sum())
    assert torch.equal(update.images, x)
    assert torch.equal(update.targets, y)
    assert update.accuracy is None


def test_classes_can_be_learnt_by_the_squared_error():
    student = replace(trainee(), loss=squared_error("mean"))
    update = training_step(student, IMAGES, LABELS)
    assert torch.equal(update.targets, torch.eye(3)[LABELS])
    assert 0 <= update.accuracy <= 1
