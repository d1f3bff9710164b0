from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.jobs.reconstructions import as_images, conclude, reconstructions
from normscope.reopened import reopen
from normscope.runs.reader import read_run
from normscope.training.run import carry_out
from tests.commands import TINY
from tests.finished import finished_run, random_images, run_of

HERE = {"images": 8, "shown": 3, "seed": 0}


class Scaled(nn.Module):
    """Gives the images back, made smaller by a factor that is a weight."""

    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor, dtype=torch.float64))

    def forward(self, images):
        return (self.factor * images).flatten(1)


def run_with(factor, **change):
    return finished_run(Scaled(factor), run=run_of(task="reconstruction"), **change)


def measured(survey):
    return np.array([[*point, *survey.measure(point)] for point in survey.points])


def test_what_gives_the_images_back_keeps_all_of_their_variance():
    run = run_with(1.0)
    survey = reconstructions(run, **HERE)
    found = conclude(run, torch.rand(3, 3, 4, 4, dtype=torch.float64), measured(survey))
    assert found.numbers == {"squared_error": 0, "variance_kept": 1}
    assert found.sentence == "squared error 0 an image, 100.0 % of the variance kept"


def test_the_errors_by_hand():
    run = run_with(0.5)
    table = measured(reconstructions(run, **HERE))
    images = torch.cat([some for some, _ in run.test_batches(8, seed=0)]).double() / 255
    assert table[:, 1] == pytest.approx((0.25 * images.square().sum((1, 2, 3))).tolist(), rel=1e-6)
    assert table[:, 2] == pytest.approx((images - images.mean(0)).square().sum((1, 2, 3)).tolist(), rel=1e-6)
    share = conclude(run, images[:3], table).numbers["variance_kept"]
    assert share == pytest.approx(1 - table[:, 1].sum() / table[:, 2].sum())


def test_shifts_and_scales_are_undone_for_the_picture():
    images = torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    seen = (images - 0.4) / 0.2
    torch.testing.assert_close(as_images(lambda x: (x - 0.4) / 0.2, seen)(seen), images)


def test_what_mixes_the_numbers_is_shown_from_its_darkest_to_its_brightest():
    images = torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    mixing = torch.randn(48, 48, generator=torch.Generator().manual_seed(1))

    def mixed(some):
        return (some.flatten(1) @ mixing).view(some.shape)

    shown = as_images(mixed, mixed(images))(mixed(images))
    assert (shown.min(), shown.max()) == (0, 1)


def test_a_run_is_scored_as_it_scored_itself(tmp_path):
    """The mean error over all test images is the run's own test loss."""
    how = [
        "task=reconstruction",
        "model=autoencoder",
        "loss=squared_error",
        "loss.reduction=mean",
        "probe=[]",
        "optimizer=adam",
    ]
    config, choices = composed([*TINY, *how, "steps=2"])
    summary = carry_out(assemble(config, choices), tmp_path / "run", lambda step, metrics: None)
    assert "test/accuracy" not in summary["metrics"]
    run = reopen(read_run(tmp_path / "run"), "cpu")
    table = measured(reconstructions(run, images=20, shown=2, seed=0))
    assert table[:, 1].mean() == pytest.approx(summary["metrics"]["test/loss"], rel=1e-5)
    figure = conclude(run, torch.zeros(2, 3, 32, 32), table).figure
    assert len(figure.axes) == 4


@pytest.mark.parametrize(
    ("build", "change", "message"),
    [
        (finished_run, {}, r"run: its task is None, .* name one of task=reconstruction"),
        (partial(run_with, 1.0), {"shown": 17}, r"shown \(17\) must lie within 1 and 16"),
        (partial(run_with, 1.0), {"images": 2}, r"images \(2\) must be at least those that are shown \(3\)"),
        (partial(run_with, 1.0, test=random_images(0, 0)), {"images": 0, "shown": 0}, r"shown \(0\)"),
    ],
)
def test_what_cannot_be_shown_is_refused(build, change, message):
    with pytest.raises(ValueError, match=message):
        reconstructions(build(), **HERE | change)
