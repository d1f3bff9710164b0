import pytest
import torch

from normscope.data.dataset import Split
from normscope.data.preprocess import mean_channel, mean_image, standardise


def split(images):
    return Split(images, torch.zeros(len(images), dtype=torch.int64))


RANDOM = split(torch.randint(0, 200, (50, 3, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))


def test_black_and_white_have_mean_and_std_one_half():
    half = torch.tensor([0, 255], dtype=torch.uint8).repeat(8).reshape(4, 1, 2, 2)
    found = standardise(split(half))
    assert found.mean.item() == found.std.item() == 0.5


def test_the_training_split_gets_mean_0_and_std_1_in_every_channel():
    images = RANDOM.images.double() / 255
    found = standardise(RANDOM)
    result = found(images)
    torch.testing.assert_close(result.mean((0, 2, 3)), torch.zeros(3).double(), rtol=0, atol=1e-6)
    torch.testing.assert_close(result.std((0, 2, 3), correction=0), torch.ones(3).double(), rtol=1e-6, atol=0)


def test_the_moments_are_those_of_float64():
    std, mean = torch.std_mean(RANDOM.images.double() / 255, (0, 2, 3), keepdim=True, correction=0)
    found = standardise(RANDOM)
    assert torch.equal(found.mean, mean.float())
    torch.testing.assert_close(found.std, std.float(), rtol=1e-7, atol=0)
    assert found.mean.shape == found.std.shape == (1, 3, 1, 1)


def test_a_channel_that_never_varies_is_only_centred():
    images = RANDOM.images.clone()
    images[:, 1] = 51
    result = standardise(split(images))(images.float() / 255)
    assert torch.equal(result[:, 1], torch.zeros_like(result[:, 1]))
    assert result.isfinite().all()


def test_the_images_given_are_left_as_they_are():
    images = RANDOM.images.float() / 255
    before = images.clone()
    standardise(RANDOM)(images)
    assert torch.equal(images, before)


def test_it_moves_to_a_device():
    moved = standardise(RANDOM).to(torch.device("meta"))
    assert moved.mean.device.type == moved.std.device.type == "meta"
    with pytest.raises(AttributeError):
        moved.mean = None


def test_the_mean_image_and_the_mean_of_each_channel_are_taken_off():
    images = RANDOM.images.float() / 255
    torch.testing.assert_close(mean_image(RANDOM)(images), images - images.mean(0), rtol=0, atol=1e-6)
    torch.testing.assert_close(
        mean_channel(RANDOM)(images), images - images.mean((0, 2, 3), keepdim=True), rtol=0, atol=1e-6
    )
    assert mean_image(RANDOM).mean.shape == (1, 3, 5, 7)
    assert mean_channel(RANDOM).mean.shape == (1, 3, 1, 1)


def test_the_mean_of_two_images_by_hand():
    two = split(torch.tensor([[[[0, 255]]], [[[51, 255]]]], dtype=torch.uint8))
    assert mean_image(two).mean.flatten().tolist() == pytest.approx([0.1, 1.0])
    assert mean_channel(two).mean.item() == pytest.approx(0.55)


@pytest.mark.parametrize("fit", [standardise, mean_channel, mean_image])
def test_plain_numbers_are_refused(fit):
    numbers = Split(torch.randn(5, 3, 1, 1), torch.randn(5, 2))
    with pytest.raises(ValueError, match="take dataset/preprocess=none"):
        fit(numbers)
