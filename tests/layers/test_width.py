import pytest

from normscope.layers.width import scaled


@pytest.mark.parametrize(
    ("channels", "width", "expected"), [(64, 1, 64), (64, 0.25, 16), (64, 2.0, 128), (64, 0.3, 19)]
)
def test_width_scales_channels_and_rounds(channels, width, expected):
    assert scaled(channels, width) == expected


def test_a_very_narrow_layer_keeps_one_channel():
    assert scaled(64, 1e-6) == 1


@pytest.mark.parametrize("width", [0, -0.5, float("nan")])
def test_a_width_that_is_not_positive_is_refused(width):
    with pytest.raises(ValueError, match=rf"width \({width}\) must be positive"):
        scaled(64, width)
