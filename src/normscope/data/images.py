"""Class folders of images: what lies there, and its pixels."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from normscope.data.dataset import Split
from normscope.errors import UsageError

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
LEFT_ALONE = {"desktop.ini", "thumbs.db"}  # Windows puts them there; as are names that begin with a dot
GRAY = {"1", "L"}  # Pillow's names of one channel
COLOUR = {"RGB", "RGBA", "RGBX", "P", "PA", "LA", "CMYK", "YCbCr"}  # what becomes RGB; transparency is dropped


@dataclass(frozen=True)
class ImageFile:
    """A file in a class folder; size in bytes and time of the last change in ns tell whether it is still the same."""

    path: Path
    label: int
    size: int
    changed: int


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the class folders in a split's folder, in alphabetical order: labels 0, 1, ...

    Raises:
        UsageError: if the folder is missing or has no folders in it.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: there is no such folder; class folders of images are expected in it, {folder}/<class>/*.png"
        )
    names = tuple(entry.name for entry in _entries(folder) if entry.is_dir())
    if not names:
        raise UsageError(f"{folder} holds no class folders; expected {folder}/<class>/*.png, a folder for each class")
    return names


def image_files(folder: Path, classes: Sequence[str]) -> list[ImageFile]:
    """All images of a split, class after class, by name.

    Raises:
        UsageError: if a class has no images, or something else lies between them; the message names it.
    """
    found = []
    for label, name in enumerate(classes):
        members = [_image_file(entry, label) for entry in _entries(folder / name)]
        if not members:
            raise UsageError(f"{folder / name} holds no images; put some there, or take the folder away")
        found += members
    return found


def decode(files: Sequence[ImageFile]) -> Tensor:
    """The pixels of images of one size, (N, C, H, W) uint8; one channel if all are gray, else three.

    One after the other: for small images threads only wait for each other (measured: 60,000 of 32x32 take half as long
    again with two). A progress bar shows in a terminal.

    Raises:
        UsageError: naming the first file that cannot be read or that has another size than the first of all.
    """
    width, height = _opened(files[0].path).size
    pixels = np.empty((len(files), 3, height, width), dtype=np.uint8)
    gray = True
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        for index, file in enumerate(bar.track(files, description="Decoding images")):
            image = _opened(file.path)
            if image.size != (width, height):
                raise UsageError(
                    f"{file.path} is {image.width}x{image.height}, {files[0].path} is {width}x{height} pixels; all "
                    f"images must have one size: resize them, e.g. magick mogrify -resize {width}x{height}! FILE"
                )
            gray = gray and image.mode == "L"
            channels_last = np.asarray(image).reshape(height, width, -1)  # (H, W, 1 or 3)
            pixels[index] = channels_last.transpose(2, 0, 1)  # one channel fills all three
    return torch.from_numpy(pixels[:, :1].copy() if gray else pixels)


def splits_of(train: Sequence[ImageFile], test: Sequence[ImageFile]) -> tuple[Split, Split]:
    """Decode both splits; they have the same size and number of channels.

    Raises:
        UsageError: see `decode`.
    """
    files = [*train, *test]
    images, labels = decode(files), torch.tensor([file.label for file in files])
    return Split(images[: len(train)], labels[: len(train)]), Split(images[len(train) :], labels[len(train) :])


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder by name, hidden files left out."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read: {error.strerror}; give permission, or choose another folder"
        ) from None
    return (e for e in entries if not e.name.startswith(".") and e.name.lower() not in LEFT_ALONE)


def _image_file(entry: os.DirEntry[str], label: int) -> ImageFile:
    path = Path(entry.path)
    if entry.is_dir():
        raise UsageError(f"{path} is a folder within a class; images lie directly in their class's folder")
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{path} is no image by its name (one of {' '.join(sorted(SUFFIXES))}); take it out of the class's folder"
        )
    try:
        status = entry.stat()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; put the file back, or take it away") from None
    return ImageFile(path, label, status.st_size, status.st_mtime_ns)


def _opened(path: Path) -> Image.Image:
    """A decoded image of mode L or RGB."""
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:  # Pillow's decoders raise nearly anything at damaged data
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, UnidentifiedImageError):
            reason = "it is not an image, or damaged at its beginning"
        raise UsageError(f"{path} cannot be read: {reason}; put a good copy there, or take it away") from error
    if image.mode not in GRAY | COLOUR:
        raise UsageError(
            f"{path} has pixels of type {image.mode}, not 8 bits a channel; convert it, e.g. magick mogrify -depth 8"
        )
    wanted = "L" if image.mode in GRAY else "RGB"
    return image if image.mode == wanted else image.convert(wanted)
