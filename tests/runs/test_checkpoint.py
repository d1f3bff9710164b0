"""A checkpoint is whole or not there, and only tensors, numbers and strings come out of it."""

import errno
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from normscope.errors import UsageError
from normscope.runs.checkpoint import FORMAT, load_checkpoint, save_checkpoint

HASH = "1a2b3c4d"

# Forks before each death, so that torch is imported once.
DEATHS = """
import os, resource, signal, sys
from pathlib import Path
import torch
from normscope.runs.checkpoint import save_checkpoint
import normscope.runs.atomic as atomic

path = Path(sys.argv[1])
die = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)

def at_fsync(): os.fsync = die
def at_rename(): os.replace = die
def in_the_middle_of_the_file():
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

for death in (at_fsync, at_rename, in_the_middle_of_the_file):
    child = os.fork()
    if child == 0:
        death()
        save_checkpoint(path, {"config_hash": "1a2b3c4d", "weights": torch.ones(50_000)})
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(os.WTERMSIG(status), path.with_name(".part").stat().st_size, flush=True)
"""


def state(value=1.0):
    moments = {0: {"momentum_buffer": torch.arange(3) * value, "step": 7}}
    weights = OrderedDict(layer1=torch.full((2, 3), value), half=torch.ones(2, dtype=torch.bfloat16))
    return {"config_hash": HASH, "step": 7, "weights": weights, "optimizer": moments, "lr": [0.1, None, True, "x"]}


@pytest.fixture
def path(tmp_path):
    save_checkpoint(tmp_path / "last.pt", state())
    return tmp_path / "last.pt"


def is_whole(path, value=1.0):
    loaded = load_checkpoint(path, HASH)
    return torch.equal(loaded["weights"]["layer1"], torch.full((2, 3), value)) and loaded["step"] == 7


def test_state_comes_back_as_it_was(path):
    loaded, saved = load_checkpoint(path, HASH), state()
    assert loaded["format"] == FORMAT
    assert {key: loaded[key] for key in ("config_hash", "step", "lr")} == {
        "config_hash": HASH,
        "step": 7,
        "lr": saved["lr"],
    }
    assert loaded["weights"]["half"].dtype == torch.bfloat16
    assert torch.equal(loaded["optimizer"][0]["momentum_buffer"], saved["optimizer"][0]["momentum_buffer"])


def test_new_state_replaces_the_old_and_leaves_nothing_beside_it(path):
    save_checkpoint(path, state(2.0))
    assert is_whole(path, 2.0)
    assert os.listdir(path.parent) == ["last.pt"]


def test_kill_while_saving_leaves_the_old_state_whole_and_the_next_save_cleans_up(path):
    deaths = subprocess.run([sys.executable, "-c", DEATHS, str(path)], capture_output=True, text=True)
    signals, sizes = zip(*(map(int, line.split()) for line in deaths.stdout.splitlines()), strict=True)
    assert (signals, deaths.stderr) == ((9, 9, 25), "")  # SIGKILL twice, SIGXFSZ
    assert sizes[1] > 200_000 and sizes[2] == 30_000  # noqa: PT018
    assert is_whole(path)
    save_checkpoint(path, state(2.0))
    assert is_whole(path, 2.0)
    assert os.listdir(path.parent) == ["last.pt"]


@pytest.mark.parametrize("broken", ["os.fsync", "os.replace"])
def test_full_disk_leaves_the_old_state_whole_and_says_what_was_needed(path, monkeypatch, broken):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    large = {"config_hash": HASH, "weights": torch.zeros(500_000)}
    with monkeypatch.context() as patch:
        patch.setattr(broken, full)
        with pytest.raises(
            UsageError, match=r"last\.pt \(2\.0 MB\) cannot be written: No space left on device; make room"
        ):
            save_checkpoint(path, large)
    assert is_whole(path)
    assert os.listdir(path.parent) == ["last.pt"]


@pytest.mark.parametrize("part", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated_checkpoint_is_refused(path, part):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(
        UsageError, match=r"last\.pt is truncated or no checkpoint .*; delete it to start this run over"
    ):
        load_checkpoint(path, HASH)


def test_no_flipped_bit_goes_unnoticed(path):
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        try:
            loaded = load_checkpoint(path, HASH)
        except UsageError:
            continue
        assert torch.equal(loaded["weights"]["layer1"], state()["weights"]["layer1"])
        assert loaded["lr"] == state()["lr"]


class Bomb:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


def test_code_in_a_checkpoint_is_never_run(path, tmp_path):
    target = tmp_path / "touched"
    torch.save({**state(), "format": 1, "trap": Bomb(target)}, path)
    with pytest.raises(UsageError, match="is no checkpoint of tensors"):
        load_checkpoint(path, HASH)
    path.write_bytes(pickle.dumps({**state(), "format": 1, "trap": Bomb(target)}))
    with pytest.raises(UsageError, match="truncated or no checkpoint"):
        load_checkpoint(path, HASH)
    assert not target.exists()
    pickle.loads(pickle.dumps(Bomb(target)))
    assert target.exists()  # the trap works


def test_foreign_files_are_refused(path):
    for content in (b"hello", os.urandom(3000), b"PK\x05\x06" + bytes(18)):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"last\.pt is .*no checkpoint"):
            load_checkpoint(path, HASH)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "a")
    with pytest.raises(UsageError, match="is no checkpoint"):
        load_checkpoint(path, HASH)
    for foreign in (torch.ones(3), {"state_dict": {}}, {"config_hash": HASH}):
        torch.save(foreign, path)
        with pytest.raises(UsageError, match="was not written by normscope; delete it"):
            load_checkpoint(path, HASH)


def test_checkpoint_of_another_config_is_refused(path):
    with pytest.raises(UsageError, match=r"belongs to config 1a2b3c4d, and this run's config is 00000000; delete it"):
        load_checkpoint(path, "00000000")


def test_checkpoint_of_another_format_is_refused(path):
    torch.save({**state(), "format": FORMAT - 1}, path)
    with pytest.raises(UsageError, match=f"has format {FORMAT - 1}, and .* reads format {FORMAT}"):
        load_checkpoint(path, HASH)


def test_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"last\.pt cannot be read: No such file"):
        load_checkpoint(tmp_path / "last.pt", HASH)


@pytest.mark.parametrize("value", [np.float64(1.0), {1, 2}, Bomb("/x"), torch.device("cpu")])
def test_what_could_not_be_loaded_again_is_not_saved(tmp_path, value):
    with pytest.raises(TypeError, match=r"state\['optimizer'\]\[0\] is a \w+; keep tensors"):
        save_checkpoint(tmp_path / "last.pt", {"config_hash": HASH, "optimizer": [value]})
    assert not os.listdir(tmp_path)


def test_state_without_a_config_hash_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="has no 'config_hash'"):
        save_checkpoint(tmp_path / "last.pt", {"step": 0})
