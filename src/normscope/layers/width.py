"""Narrower and wider networks."""


def scaled(channels: int, width: float) -> int:
    """The number of channels of a network whose every layer is `width` times as wide: round(width * channels).

    Args:
        channels: in the published network.
        width: factor; 1 is the published network.
    Returns:
        At least 1.
    Raises:
        ValueError: if width is not positive; the message holds the value.
    """
    if not width > 0:
        raise ValueError(f"width ({width}) must be positive: 1 is the published network, 0.25 a quarter as wide")
    return max(1, round(channels * width))
