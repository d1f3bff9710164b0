import numpy as np
import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.data.gaussian_regression import gaussian_regression
from normscope.errors import UsageError
from normscope.rehearsal import rehearse
from normscope.runs.reader import find_runs
from normscope.training.run import carry_out

LINEAR = ["dataset=gaussian_regression", "loss=squared_error", "model=mlp", "model.hidden_layers=2", "model/norm=none"]
LINEAR += [
    "model.hidden_units=10",
    "dataset.train_size=50",
    "dataset.test_size=20",
    "batch_size=50",
    "optimizer.lr=1e-3",
]
OFTEN = ["log_every=1", "evaluate_every=2", "probe_every=2", "steps=6"]


def test_the_targets_are_one_linear_map_of_all_inputs():
    """A, found by least squares from the training split, gives the test targets."""
    found = gaussian_regression(validation=30)
    x, y = found.train.images.flatten(1).double(), found.train.labels.double()
    a = torch.linalg.lstsq(x, y).solution
    for split in (found.train, found.test, found.validation):
        torch.testing.assert_close(split.images.flatten(1).double() @ a, split.labels.double(), rtol=0, atol=2e-6)
    assert found.train.images.shape == (1000, 10, 1, 1)
    assert found.train.labels.shape == (1000, 10)
    assert len(found.classes) == 10


def test_inputs_and_map_are_standard_normal():
    found = gaussian_regression(dimensions=30, train_size=20_000, test_size=1)
    x = found.train.images.flatten(1)
    a = torch.linalg.lstsq(x.double(), found.train.labels.double()).solution
    for numbers in (x, a):
        error = numbers.numel() ** -0.5
        assert abs(numbers.mean()) < 4 * error
        assert abs(numbers.std() - 1) < 4 * error


def test_another_seed_draws_another_map_and_the_same_seed_the_same():
    one, again, other = (gaussian_regression(seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.train.labels, again.train.labels)
    assert not torch.equal(one.train.labels, other.train.labels)
    assert not torch.equal(one.train.images, one.test.images)


@pytest.mark.parametrize("wrong", [{"dimensions": 0}, {"train_size": 0}, {"validation": -1}, {"seed": -1}])
def test_a_number_out_of_range_is_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"{name} \({value}\)"):
        gaussian_regression(**wrong)


def numpys_losses(job, steps):
    """The losses of full-batch gradient descent on a ReLU network of three layers, in float64."""
    w = [weight.detach().double().numpy().copy() for weight in job.trainee.weights.values()]
    x = job.training.images.flatten(1).double().numpy()
    y = job.training.labels.double().numpy()
    losses = []
    for _ in range(steps + 1):
        h1 = np.maximum(x @ w[0].T + w[1], 0)
        h2 = np.maximum(h1 @ w[2].T + w[3], 0)
        difference = h2 @ w[4].T + w[5] - y
        losses.append((difference**2).sum())
        d3 = 2 * difference
        d2 = (d3 @ w[4]) * (h2 > 0)
        d1 = (d2 @ w[2]) * (h1 > 0)
        for index, (d, h) in enumerate(((d1, x), (d2, h1), (d3, h2))):
            w[2 * index] -= 1e-3 * d.T @ h
            w[2 * index + 1] -= 1e-3 * d.sum(0)
    return losses


def test_a_run_is_plain_gradient_descent(tmp_path):
    """The series of a run against numpy's own forward and backward pass; and a run of numbers has no accuracy."""
    job = assemble(*composed([*LINEAR, *OFTEN]))
    expected = numpys_losses(job, 5)
    carry_out(job, tmp_path / "outputs" / "run", lambda step, metrics: None)
    (run,) = find_runs(tmp_path / "outputs")
    np.testing.assert_allclose(run.series("train/loss")[1], expected, rtol=2e-6)
    assert expected[-1] < 0.9 * expected[0]
    assert run.series("test/loss")[0].tolist() == [0, 2, 4, 6]
    assert not any("accuracy" in name for name in run.summary["metrics"])
    assert len(run.series("loss_landscape/max")[0]) == 3


def test_the_bound_of_divergence_is_a_multiple_of_the_loss_of_guessing():
    job = assemble(*composed([*LINEAR, "diverged_above=3"]))
    assert job.plan.diverged_above == pytest.approx(3 * float(job.training.labels.square().sum()), rel=1e-6)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["loss=cross_entropy"], "loss: .*choose loss=squared_error"),
        (["regularizer=[crop_flip]"], "regularizer=crop_flip changes images"),
        (["model=vgg11"], r"image_size \(1\) of a VGG must be at least 32"),
        (["dataset/preprocess=standardise"], r"dataset\.preprocess: .*take dataset/preprocess=none"),
        (["dataset/preprocess=zca"], r"dataset\.preprocess: .*take dataset/preprocess=none"),
        (["loss.reduction=max"], r"loss: reduction \(max\)"),
    ],
)
def test_what_needs_images_or_classes_is_refused(extra, message):
    rest = [setting for setting in LINEAR if extra != ["model=vgg11"] or "model." not in setting]
    with pytest.raises(UsageError, match=message):
        assemble(*composed([*rest, *extra]))


def test_it_fits_norms_dropout_and_mixed_precision():
    rehearse(assemble(*composed([*LINEAR, "model/norm=batch", "regularizer=[dropout,l2]", "precision=bf16"])))
