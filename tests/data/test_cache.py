import errno
import multiprocessing
import os

import numpy as np
import pytest
import torch

from normscope.data import cache
from normscope.data.folder import read_class_folders


@pytest.fixture
def root(tmp_path, draw_image, user_cache):
    for name in ("train/a/0", "train/a/1", "train/b/0", "test/a/0", "test/b/0"):
        draw_image(f"images/{name}.png", (16, 16, 3))
    return tmp_path / "images"


@pytest.fixture
def decodings(monkeypatch):
    """Grows by one with every decoding."""
    made = []
    original = cache.splits_of

    def counted(train, test):
        made.append(len(train) + len(test))
        return original(train, test)

    monkeypatch.setattr(cache, "splits_of", counted)
    return made


def kept_in(folder):
    return sorted(folder.rglob("*.npz"))


def same(first, second):
    return all(
        torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels)
        for a, b in zip(first[1:], second[1:], strict=True)
    )


def test_images_are_decoded_once(root, decodings):
    assert same(read_class_folders(root), read_class_folders(root))
    assert decodings == [5]
    (kept,) = kept_in(root)
    assert kept.parent == root / ".normscope-cache"


def test_the_cache_moves_with_its_folder(root, decodings):
    read_class_folders(root)
    read_class_folders(root.rename(root.with_name("elsewhere")))
    assert len(decodings) == 1


def changed(root, draw_image):
    draw_image(root / "train/a/0.png", (16, 16, 3), compress_level=0)


def touched(root, draw_image):
    os.utime(root / "train/a/0.png", ns=(1, 1))


def renamed(root, draw_image):
    (root / "train/a/0.png").rename(root / "train/a/7.png")


def added(root, draw_image):
    draw_image(root / "test/b/1.png", (16, 16, 3))


def removed(root, draw_image):
    (root / "train/a/1.png").unlink()


def moved_to_another_class(root, draw_image):
    (root / "train/a/1.png").rename(root / "train/b/1.png")


@pytest.mark.parametrize("change", [changed, touched, renamed, added, removed, moved_to_another_class])
def test_a_changed_tree_is_decoded_again_and_the_old_cache_goes(root, decodings, draw_image, change):
    read_class_folders(root)
    change(root, draw_image)
    found = read_class_folders(root)
    assert len(decodings) == 2
    assert len(kept_in(root)) == 1
    assert same(found, read_class_folders(root))
    assert len(decodings) == 2


def truncated(content):
    return content[: len(content) // 2]


def emptied(content):
    return b""


def one_bit_flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes((content[middle] ^ 1,)) + content[middle + 1 :]


def replaced(content):
    return b"not an archive of arrays"


@pytest.mark.parametrize("damage", [truncated, emptied, one_bit_flipped, replaced])
def test_a_damaged_cache_is_made_again(root, decodings, damage):
    first = read_class_folders(root)
    (kept,) = kept_in(root)
    kept.write_bytes(damage(kept.read_bytes()))
    assert same(read_class_folders(root), first)
    assert len(decodings) == 2
    assert same(read_class_folders(root), first)
    assert len(decodings) == 2


def test_a_cache_with_pickles_is_not_loaded(root, decodings):
    first = read_class_folders(root)
    (kept,) = kept_in(root)
    np.savez(
        kept, **{f"{s}_{k}": np.array([{}], dtype=object) for s in ("train", "test") for k in ("images", "labels")}
    )
    assert same(read_class_folders(root), first)
    assert len(decodings) == 2


def test_beside_a_read_only_folder_the_users_cache_is_taken(root, decodings, user_cache):
    (root / ".normscope-cache").write_bytes(b"no folder can be made here")
    assert same(read_class_folders(root), read_class_folders(root))
    assert decodings == [5]
    assert len(kept_in(user_cache)) == 1


def test_without_any_place_for_a_cache_the_images_are_still_read(root, decodings, user_cache):
    for place in (root / ".normscope-cache", user_cache):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"no folder can be made here")
    with pytest.warns(UserWarning, match=r"normscope-cache or .*\(no permission\): every run decodes them again"):
        assert same(read_class_folders(root), read_class_folders(root))
    assert decodings == [5, 5]


def test_a_full_disk_costs_the_cache_alone(root, monkeypatch):
    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.np, "savez", full)
    with pytest.warns(UserWarning, match=r"cannot be kept in .*No space left on device"):
        found = read_class_folders(root)
    assert len(found[1]) == 3
    assert [path.name for path in (root / ".normscope-cache").iterdir()] == ["lock"]


def _decode_in_a_process(root, report):
    made = []
    original = cache.splits_of
    cache.splits_of = lambda train, test: made.append(1) or original(train, test)
    read_class_folders(root)
    report.put(len(made))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its processes by fork, to be quick")
def test_of_several_processes_one_decodes(root):
    context = multiprocessing.get_context("fork")
    report = context.SimpleQueue()
    processes = [context.Process(target=_decode_in_a_process, args=(root, report)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(report.get() for _ in processes) == [0, 0, 1]
