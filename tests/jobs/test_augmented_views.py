import pytest
import torch
from torch import nn

from normscope.jobs.augmented_views import augmented_views, viewed
from normscope.regularizers.crop_flip import crop_flip
from normscope.training.recording import Images
from tests.finished import finished_run

HERE = {"shift": 1, "flip": True, "split": "test", "images": 20, "seed": 0}


class MeanOfRows(nn.Module):
    """Knows an image by the means of its rows, which a mirror does not change."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(12, 10).double()

    def forward(self, images):
        return self.head(images.mean(3).flatten(1))


def test_a_network_that_a_mirror_does_not_trouble_gains_nothing_by_flips():
    survey = augmented_views(finished_run(MeanOfRows()), **HERE | {"shift": 0})
    plain, both = (survey.measure(point) for point in survey.points)
    assert both == pytest.approx(plain, rel=1e-12)


def test_a_constant_network_gains_nothing_by_any_view():
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 10)).double()
    nn.init.zeros_(network[1].weight)
    survey = augmented_views(finished_run(network), **HERE)
    assert len(survey.points) == 10
    rows = [survey.measure(point) for point in survey.points]
    assert all(row == pytest.approx(rows[0], rel=1e-12) for row in rows)


def test_a_view_by_hand():
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert viewed(image, down=1, right=0, flip=False).tolist() == [[[[0, 0], [1, 2]]]]
    assert viewed(image, down=0, right=-1, flip=False).tolist() == [[[[2, 0], [4, 0]]]]
    assert viewed(image, down=-1, right=1, flip=True).tolist() == [[[[3, 0], [0, 0]]]]
    assert torch.equal(viewed(image, down=0, right=0, flip=False), image)


def test_every_view_is_one_that_crop_flip_shows_in_training():
    image = torch.rand(1, 3, 5, 5)
    source = torch.Generator().manual_seed(0)
    shown = crop_flip(image.repeat(400, 1, 1, 1), torch.zeros(400, 1), source, padding=1, flip=0.5)[0]
    for down, right in ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        for flip in (False, True):
            view = viewed(image, down=down, right=right, flip=flip)
            assert (shown == view).flatten(1).all(1).any()


def test_the_first_view_is_the_image_and_the_last_row_the_mean_over_all():
    run = finished_run()
    survey = augmented_views(run, **HERE | {"shift": 0})
    plain, both = (survey.measure(point) for point in survey.points)
    own = run.in_evaluation_mode(run.weights, run.buffers, run.test_batches(20, seed=0))
    assert plain[:2] == plain[2:] == pytest.approx(own, rel=1e-12)
    images = (run.test.images.float() / 255).double()
    with torch.no_grad():
        mean = (run.network.eval()(images).softmax(1) + run.network(images.flip(3)).softmax(1)) / 2
    wanted = -mean[torch.arange(20), run.test.labels].log().mean().item()
    assert both[2] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shift": 0, "flip": False}, "the only view is the image itself"),
        ({"shift": 4}, r"shift \(4\) must lie within 0 and 3 pixels"),
        ({"shift": -1}, r"shift \(-1\)"),
    ],
)
def test_views_that_are_none_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        augmented_views(finished_run(), **HERE | change)


def test_plain_numbers_have_no_views():
    numbers = Images(torch.randn(20, 3, 4, 4), torch.zeros(20, dtype=torch.int64))
    with pytest.raises(ValueError, match="plain numbers, which have no other views"):
        augmented_views(finished_run(test=numbers), **HERE)
