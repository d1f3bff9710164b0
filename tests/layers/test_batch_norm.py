import pytest
import torch

from normscope.layers.batch_norm import batch_norm


def norm(channels=1, spatial=False, eps=1e-5, momentum=0.1, affine=True):
    return batch_norm(channels, spatial, eps=eps, momentum=momentum, affine=affine)


def test_training_output_by_hand():
    layer = norm(eps=3.0)  # of 1 and 3: mean 2, biased variance 1, √(1 + 3) = 2
    output = layer(torch.tensor([[1.0], [3.0]]))
    torch.testing.assert_close(output, torch.tensor([[-0.5], [0.5]]))


def test_scale_and_shift_act_after_the_normalisation():
    layer = norm(eps=3.0)
    layer.weight.data.fill_(10.0)
    layer.bias.data.fill_(7.0)
    torch.testing.assert_close(layer(torch.tensor([[1.0], [3.0]])), torch.tensor([[2.0], [12.0]]))


def test_images_are_averaged_over_batch_and_space():
    images = torch.tensor([1.0, 3.0, 5.0, 7.0]).reshape(2, 1, 1, 2)  # mean 4, biased variance 5
    output = norm(spatial=True, eps=4.0)(images)
    torch.testing.assert_close(output.flatten(), torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0]))


def test_running_averages_hold_the_mean_and_the_unbiased_variance():
    layer = norm(spatial=True, momentum=0.25)
    layer(torch.tensor([1.0, 3.0, 5.0, 7.0]).reshape(2, 1, 1, 2))  # unbiased variance 20/3; they start at 0 and 1
    torch.testing.assert_close(layer.running_mean, torch.tensor([0.25 * 4]))
    torch.testing.assert_close(layer.running_var, torch.tensor([0.75 * 1 + 0.25 * 20 / 3]))


def test_scoring_uses_the_running_averages_and_leaves_them_alone():
    layer = norm(eps=1.0).eval()
    layer.running_mean.fill_(2.0)
    layer.running_var.fill_(3.0)
    torch.testing.assert_close(layer(torch.tensor([[4.0]])), torch.tensor([[1.0]]))
    assert layer.running_mean.item() == 2.0
    assert layer.running_var.item() == 3.0


def test_in_scoring_an_image_does_not_know_of_the_others():
    """Ioffe & Szegedy 2015, section 3.1: the output at inference depends on the input alone."""
    images = torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    layer = norm(3, spatial=True)
    together = layer(images)
    assert not torch.allclose(layer(images[:2]), together[:2])
    layer.eval()
    assert torch.equal(layer(images[:2]), layer(images)[:2])


def test_scaling_and_shifting_the_input_changes_nothing():
    features = torch.randn(16, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    layer = norm(5, eps=1e-12).double()
    torch.testing.assert_close(layer(7 * features - 3), layer(features), rtol=1e-9, atol=1e-9)  # eps is not scaled


def test_without_affine_there_is_nothing_to_learn():
    assert list(norm(affine=False).parameters()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 0}, r"channels \(0\) must be at least 1"),
        ({"eps": 0.0}, r"eps \(0.0\) must be positive.* 1e-5"),
        ({"momentum": 1.5}, r"momentum \(1.5\) must lie in \[0, 1\]"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        norm(**change)
