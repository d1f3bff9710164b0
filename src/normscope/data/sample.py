"""Images that are drawn, not downloaded: `dataset=sample`."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from normscope.data.dataset import Dataset, Split, labels_of, of_classes, with_random_labels

SIDE = 32
AT_ONCE = 500  # images drawn together: what stays in a core's cache
CLUTTER = 3  # discs in the background

# A shape is where it is true: u, v in units of its radius.
SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "disc": lambda u, v: u * u + v * v < 0.8,
    "ring": lambda u, v: (u * u + v * v < 1.0) & (u * u + v * v > 0.3),
    "square": lambda u, v: torch.maximum(u.abs(), v.abs()) < 0.8,
    "cross": lambda u, v: (torch.minimum(u.abs(), v.abs()) < 0.3) & (torch.maximum(u.abs(), v.abs()) < 1.0),
    "triangle": lambda u, v: (v > -0.6) & (v + 1.8 * u.abs() < 1.0),
}
# A texture is 0 or 1: u, v in units of its period's half.
TEXTURES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "striped": lambda u, v: u.floor() % 2,
    "chequered": lambda u, v: (u.floor() + v.floor()) % 2,
}
CLASSES = tuple(f"{texture} {shape}" for shape in SHAPES for texture in TEXTURES)


def sample(
    train_size: int = 10_000,
    test_size: int = 2_000,
    validation: int = 0,
    seed: int = 0,
    classes: Sequence[int | str] | None = None,
    random_labels: float = 0.0,
) -> Dataset:
    """Ten classes of 32x32 colour images, five shapes in two textures, over clutter and under noise.

    Position, size, angle, colours and noise are drawn from a generator of each split's own. Only operations that
    IEEE 754 rounds exactly are used (no sine, no logarithm), so every machine draws the same bytes.

    Args:
        train_size, test_size, validation: images of each split; the classes take turns.
        seed: of the images; runs of different seeds share them unless it is changed.
        classes, random_labels: see `dataset.in_splits`; the sizes count images of these classes.
    Raises:
        ValueError: if a size, the seed or the share is out of range, or a class is not there.
    """
    if train_size < 1 or test_size < 1 or validation < 0:
        raise ValueError(
            f"train_size ({train_size}) and test_size ({test_size}) must be at least 1, validation ({validation}) 0"
        )
    if not 0 <= seed < 2**60:
        raise ValueError(f"seed ({seed}) must lie within 0 and 2^60 - 1")
    labels = range(len(CLASSES)) if classes is None else labels_of(CLASSES, classes)
    train, test = _of(labels, train_size, 3 * seed), _of(labels, test_size, 3 * seed + 1)
    held_out = _of(labels, validation, 3 * seed + 2) if validation else None
    train = with_random_labels(train, random_labels, len(labels)) if random_labels else train
    return Dataset("sample", tuple(CLASSES[label] for label in labels), train, test, held_out)


def _of(labels: Sequence[int], count: int, seed: int) -> Split:
    """`count` images of these classes."""
    if len(labels) == len(CLASSES):
        return of_classes(draw(count, seed), labels)
    rounds = -(-count // len(labels))  # in which every class has its turn
    return of_classes(draw(rounds * len(CLASSES), seed), labels)[torch.arange(count)]


def draw(count: int, seed: int) -> Split:
    """`count` images and their labels 0, 1, ..., 9, 0, 1, ..."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % len(CLASSES)
    images = torch.empty(count, 3, SIDE, SIDE, dtype=torch.uint8)
    kinds = [(shape, texture) for shape in SHAPES.values() for texture in TEXTURES.values()]
    for label, (shape, texture) in enumerate(kinds):
        for members in (labels == label).nonzero().squeeze(1).split(AT_ONCE):
            images[members] = _pictures(len(members), shape, texture, generator)
    return Split(images, labels)


def _pictures(
    count: int,
    shape: Callable[[Tensor, Tensor], Tensor],
    texture: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator,
) -> Tensor:
    """(count, 3, 32, 32) uint8 images of one class."""

    def between(low: float, high: float, channels: int = 1) -> Tensor:
        """A number an image: (count, channels, 1, 1)."""
        return low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)

    line = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    x, y = line.view(1, 1, 1, -1), line.view(1, 1, -1, 1)  # [-1, 1], to the right and down

    slope = _turned(x, y, *_direction(between))[0]  # (count, 1, 32, 32)
    picture = between(0, 1, 3) + 0.5 * slope * between(-1, 1, 3)
    for _ in range(CLUTTER):
        u, v = x - between(-1, 1), y - between(-1, 1)
        picture = torch.where(u * u + v * v < between(0.01, 0.1), between(0, 1, 3), picture)

    u, v = x - between(-0.3, 0.3), y - between(-0.3, 0.3)
    radius = between(0.5, 0.8)
    inside = shape(*(axis / radius for axis in _turned(u, v, *_direction(between))))
    frequency = between(4, 6)
    weave = texture(*(axis * frequency + between(0, 2) for axis in _turned(u, v, *_direction(between))))
    colour = between(0, 1, 3)
    picture = torch.where(inside, colour + weave * (between(0, 1, 3) - colour), picture)

    noise = torch.rand(count, 3, SIDE, SIDE, generator=generator)
    picture = picture + 0.3 * (noise - 0.5)
    return (picture.clamp(0, 1) * 255).to(torch.uint8)


def _direction(between: Callable[[float, float], Tensor]) -> tuple[Tensor, Tensor]:
    """Cosine and sine of a random angle of up to 22 degrees to either side."""
    tangent = between(-0.4, 0.4)
    length = (1 + tangent * tangent).sqrt()
    return 1 / length, tangent / length


def _turned(x: Tensor, y: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates in a turned frame."""
    return x * cosine + y * sine, y * cosine - x * sine
