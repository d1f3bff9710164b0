import torch

from normscope.layers.global_average import GlobalAverage


def test_each_channel_is_averaged_over_space():
    features = torch.tensor([1.0, 2.0, 3.0, 6.0, 0.0, 0.0, 4.0, 4.0]).reshape(1, 2, 2, 2)
    assert GlobalAverage()(features).tolist() == [[3.0, 2.0]]


def test_one_pixel_is_passed_on_without_a_copy():
    features = torch.randn(4, 8, 1, 1).to(memory_format=torch.channels_last)
    average = GlobalAverage()(features)
    assert average.data_ptr() == features.data_ptr()
    assert torch.equal(average, features[:, :, 0, 0])
