import pytest
import torch
from torch import nn

from normscope.data.dataset import Dataset, Split
from normscope.losses import cross_entropy, squared_error
from normscope.models.deep_linear import deep_linear
from normscope.optimizers.lbfgs import LBFGS
from normscope.regularizers.crop_flip import crop_flip
from normscope.regularizers.rules import Regularizers
from normscope.tasks import labels, reconstruction, rotation
from normscope.training.closure_step import closure_step
from normscope.training.evaluation import evaluate
from normscope.training.step import Trainee, training_step


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def dataset(images=None):
    images = torch.randint(256, (8, 3, 4, 4), generator=torch.Generator().manual_seed(0)).byte()
    split = Split(images, torch.arange(8) % 5)
    return Dataset("made up", ("a", "b", "c", "d", "e"), split, split)


def numbers(count=200, dimensions=9):
    """Centred inputs whose variances are 5², 4², 3² and at most 1.5² along random directions."""
    axes = torch.linalg.qr(drawn(dimensions, dimensions)).Q
    scales = torch.cat([torch.tensor([5.0, 4.0, 3.0]), torch.linspace(1.5, 1, dimensions - 3)])
    inputs = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(1)) * scales @ axes.T
    inputs = (inputs - inputs.mean(0))[:, :, None, None]
    split = Split(inputs, inputs.flatten(1))
    return Dataset("numbers", tuple("abcdefghi"), split, split)


def trainee(network, task, loss, optimizer=None, rules=None, classes=5):
    return Trainee(
        network=network,
        optimizer=optimizer or torch.optim.SGD(network.parameters(), lr=0.1),
        regularizers=rules or Regularizers(),
        preprocess=lambda images: images,
        loss=loss,
        task=task,
        classes=classes,
        precision="fp32",
        augmentation=torch.Generator().manual_seed(0),
        weights=dict(network.named_parameters()),
    )


def test_labels_are_handed_on_as_they_are():
    made = labels(dataset())
    assert (made.outputs, made.has_classes) == (5, True)
    images, wanted = drawn(2, 3, 4, 4), torch.tensor([1, 2])
    found = made.examples(images, wanted)
    assert found[0] is images
    assert found[1] is wanted
    assert not labels(numbers()).has_classes


def test_an_image_is_turned_by_hand():
    image = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, None]
    turned, turns = rotation(dataset()).examples(image, torch.tensor([3]))
    assert turns.tolist() == [0, 1, 2, 3]
    assert turned[:, 0].tolist() == [
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
        [[3, 6, 9], [2, 5, 8], [1, 4, 7]],  # counter-clockwise
        [[9, 8, 7], [6, 5, 4], [3, 2, 1]],
        [[7, 4, 1], [8, 5, 2], [9, 6, 3]],
    ]


def test_four_quarter_turns_are_none():
    examples, images = rotation(dataset()).examples, drawn(2, 3, 4, 4)
    once = images
    for _ in range(4):
        once = examples(once, torch.zeros(2))[0][2:4]  # the first quarter turn of both
    assert torch.equal(once, images)


def test_each_image_comes_in_all_turns_whatever_its_label():
    images = drawn(6, 3, 4, 4)
    turned, turns = rotation(dataset()).examples(images, torch.tensor([0, 1, 2, 3, 4, 0]))
    assert turns.bincount().tolist() == [6, 6, 6, 6]
    for label in range(4):
        assert torch.equal(turned[turns == label], images.rot90(label, (2, 3)))
    _, probabilities = rotation(dataset()).examples(images, torch.eye(5)[[0, 1, 2, 3, 4, 0]])
    assert torch.equal(probabilities, torch.eye(4)[turns])


class Corner(nn.Module):
    """Says in which corner an image is brightest, as many quarter turns from the upper left one."""

    def forward(self, images):
        return torch.stack([images[:, 0, row, column] for row, column in ((0, 0), (-1, 0), (-1, -1), (0, -1))], 1)


def test_all_turns_of_a_split_are_scored_without_chance():
    images = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    images[:, :, 0, 0] = 255
    task = rotation(dataset())
    how = {"loss": cross_entropy("mean"), "precision": "fp32", "examples": task.examples}
    found = [
        evaluate(Corner(), images, torch.tensor([4, 4, 4]), lambda x: x, batch_size=size, **how) for size in (2, 3)
    ]
    assert found[0].loss == pytest.approx(found[1].loss)
    assert found[0].accuracy == found[1].accuracy == 1
    assert found[0].loss == pytest.approx(torch.tensor([1.0, 0, 0, 0]).logsumexp(0).item() - 1)


def test_a_step_turns_what_was_augmented():
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    rules = Regularizers(data=(lambda *batch: crop_flip(*batch, padding=1, flip=0.5),))
    student = trainee(network, rotation(dataset()), cross_entropy("mean"), rules=rules)
    split = dataset().train
    update = training_step(student, split.images, split.labels)
    alone = crop_flip(split.images / 255, split.labels, torch.Generator().manual_seed(0), padding=1, flip=0.5)[0]
    assert torch.equal(update.images, torch.cat([alone.rot90(turns, (2, 3)) for turns in range(4)]))
    assert update.targets.argmax(1).bincount().tolist() == [8, 8, 8, 8]
    assert 0 <= update.accuracy <= 1


def test_rotation_refuses_plain_numbers():
    with pytest.raises(ValueError, match="rotation turns images, and this dataset's inputs are plain numbers"):
        rotation(numbers())


def test_the_targets_of_a_reconstruction_are_what_the_network_sees():
    made = reconstruction(dataset())
    assert (made.outputs, made.has_classes) == (48, False)
    split = dataset().train
    student = trainee(nn.Sequential(nn.Flatten(), nn.Linear(48, 48)), made, squared_error("mean"))
    update = training_step(student, split.images, split.labels)
    assert torch.equal(update.targets, (split.images / 255).flatten(1))
    assert update.accuracy is None
    how = {"loss": squared_error("mean"), "precision": "fp32", "examples": made.examples}
    found = evaluate(nn.Flatten(), split.images, split.labels, lambda x: x / 2, **how)
    assert found.loss == 0
    assert found.accuracy != found.accuracy


@pytest.mark.parametrize("units", [1, 3])
def test_a_linear_autoencoder_finds_the_principal_subspace(units):
    """Baldi & Hornik 1989: the best U V x is the projection on the first principal axes, and what it leaves of the
    squared error is the sum of the other eigenvalues of the covariance (1/N) Σ x xᵀ."""
    data = numbers()
    task = reconstruction(data)
    torch.manual_seed(0)
    network = deep_linear(
        in_channels=9, classes=task.outputs, image_size=1, layers=2, units=units, width=1.0, norm=None
    )
    optimizer = LBFGS(network.parameters(), 1.0, 1, 25, 10, "strong_wolfe", mini_batches=False)
    student = trainee(network, task, squared_error("mean"), optimizer, classes=9)
    for _ in range(100):
        update = closure_step(student, data.train.images, data.train.labels)

    inputs = data.train.images.flatten(1).double()
    _, singular, axes = torch.linalg.svd(inputs, full_matrices=False)
    eigenvalues = singular.square() / len(inputs)
    assert update.loss.item() == pytest.approx(eigenvalues[units:].sum().item(), rel=1e-5)
    decoder = network.layer2.linear.weight.detach().double()  # (9, units)
    cosines = torch.linalg.svdvals(axes[:units] @ torch.linalg.qr(decoder).Q)
    assert cosines.min() > 1 - 1e-6  # the principal angles are 0, up to float32
    product = decoder @ network.layer1.linear.weight.detach().double()
    torch.testing.assert_close(product, axes[:units].T @ axes[:units], atol=2e-3, rtol=0)
