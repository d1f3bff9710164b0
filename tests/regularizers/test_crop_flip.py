import pytest
import torch

from normscope.regularizers.crop_flip import crop_flip


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(image, padding):
    """All crops of a padded image and their mirror images, by plain slicing."""
    padded = torch.nn.functional.pad(image, (padding,) * 4)
    height, width = image.shape[1:]
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = padded[:, top : top + height, left : left + width]
            yield crop
            yield crop.flip(2)


def test_every_result_is_a_window_of_the_padded_image_and_all_windows_occur():
    image = torch.rand(3, 4, 4, generator=generator()) + 0.1
    batch, _ = crop_flip(image.expand(600, 3, 4, 4), torch.empty(0), generator(), padding=1, flip=0.5)
    possible = list(windows(image, 1))
    found = {next(i for i, window in enumerate(possible) if torch.equal(window, result)) for result in batch}
    assert found == set(range(18))  # 9 places x 2


def test_flip_one_mirrors_every_image_and_zero_none():
    images, targets = torch.rand(5, 3, 4, 4), torch.rand(5, 2)
    mirrored, same_targets = crop_flip(images, targets, generator(), padding=0, flip=1.0)
    assert torch.equal(mirrored, images.flip(3))
    assert same_targets is targets
    assert torch.equal(crop_flip(images, targets, generator(), padding=0, flip=0.0)[0], images)


def test_the_same_seed_draws_the_same_crops():
    images = torch.rand(9, 3, 8, 8)
    first, second = (crop_flip(images, images, generator(3), padding=2, flip=0.5)[0] for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(("padding", "flip"), [(-1, 0.5), (0, 1.5)])
def test_values_out_of_range_are_refused(padding, flip):
    with pytest.raises(ValueError, match="crop_flip"):
        crop_flip(torch.rand(1, 3, 4, 4), torch.rand(1, 2), generator(), padding=padding, flip=flip)
