"""Small archives that look like the published ones, and a server on this machine that hands them out, well or badly."""

import hashlib
import io
import tarfile
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from normscope.data import cifar
from normscope.data.cifar10 import CIFAR10
from normscope.data.dataset import Split
from normscope.data.published import checksum_and_order
from tests.data.python2_pickle import pickled

FOLDER = CIFAR10.layout.folder
ARCHIVE = CIFAR10.file.name


@dataclass
class Cifar:
    """A little CIFAR-10: 100 training images and 20 test images; `kind` is what is published of it."""

    train: Split
    test: Split
    batches: dict[str, bytes]
    content: bytes  # of the tar.gz
    kind: cifar.Cifar

    def write_batches(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name, batch in self.batches.items():
            (folder / name).write_bytes(batch)
        return folder

    def write_archive(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ARCHIVE).write_bytes(self.content)
        return folder / ARCHIVE

    def write_class_folders(self, root: Path) -> Path:
        for name, split in (("train", self.train), ("test", self.test)):
            for index, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
                folder = root / name / CIFAR10.published.classes[label]
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{index}.png")
        return root


def _split(count, seed):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(count) % 10)


@pytest.fixture(scope="session", name="cifar")
def _cifar():
    train, test = _split(100, 0), _split(20, 1)
    names = (*CIFAR10.layout.train, *CIFAR10.layout.test)
    parts = dict(zip(names, [train[torch.arange(i * 20, i * 20 + 20)] for i in range(5)] + [test], strict=True))
    batches = {
        name: pickled(
            {
                b"batch_label": name.encode(),
                b"labels": part.labels.tolist(),
                b"data": part.images.reshape(20, -1).numpy(),
                b"filenames": [b"%d.png" % i for i in range(20)],
            }
        )
        for name, part in parts.items()
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, batch in batches.items():
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size = len(batch)
            tar.addfile(entry, io.BytesIO(batch))
    content = file.getvalue()
    file = replace(CIFAR10.file, size=len(content), md5=hashlib.md5(content).hexdigest())
    sums = {"train_sum": checksum_and_order(train)[0], "test_sum": checksum_and_order(test)[0]}
    return Cifar(
        train, test, batches, content, replace(CIFAR10, file=file, published=replace(CIFAR10.published, **sums))
    )


@dataclass
class Server:
    """A web server with one file, or with several in a folder.

    Attributes:
        content: of the file.
        files: name -> content, where there are several; others are not found.
        breaks_after: bytes after which the first, second, ... connection breaks; later ones are whole.
        knows_ranges, tells_length: what it can do.
        status: what it answers instead, if not 200.
        ranges: the Range header of every request so far.
    """

    url: str
    content: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks_after: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    tells_length: bool = True
    status: int = 200
    ranges: list[str | None] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        name = request.path.rpartition("/")[2]
        if self.status != 200 or (self.files and name not in self.files):
            return request.send_error(self.status if self.status != 200 else 404)
        content = self.files.get(name, self.content)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.knows_ranges else 0
        if start >= len(content):
            return request.send_error(416)
        rest = content[start:]
        request.send_response(206 if asked and self.knows_ranges else 200)
        if asked and self.knows_ranges:
            end = len(content) - 1
            request.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        if self.tells_length:
            request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        request.wfile.write(rest[: self.breaks_after.pop(0)] if self.breaks_after else rest)


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.answer(self)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state = Server(f"http://127.0.0.1:{http.server_port}/archive.tar.gz")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture
def user_cache(tmp_path, monkeypatch):
    """Where caches go that cannot lie beside their images."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch-home"))
    return tmp_path / "torch-home" / "normscope"


@pytest.fixture
def draw_image(tmp_path):
    """Write an image of random pixels, (H, W) or (H, W, C) uint8, and return them."""
    random = np.random.default_rng(0)

    def write(path, shape=(4, 4, 3), **options):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(file, **options)
        return pixels

    return write
