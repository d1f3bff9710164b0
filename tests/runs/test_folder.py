"""A run's folder has a readable name of its own and one writer."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from normscope.errors import UsageError
from normscope.runs.folder import config_hash, locked, run_name

CONFIG = {"seed": 0, "optimizer": {"lr": 0.01, "momentum": 0.9}, "probe": [1, None, True, "a"]}
CHOICES = {"model": "vgg11", "model/norm": "batch", "init": "default", "experiment": None}
HOLD = "import sys, time; from pathlib import Path; from normscope.runs.folder import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def test_hash_is_the_same_in_every_process_and_order():
    # printf '{"a":1,"b":[0.5,null]}' | sha256sum
    assert config_hash({"b": [0.5, None], "a": 1}) == config_hash({"a": 1, "b": [0.5, None]}) == "f1a92042"


def test_hash_tells_configs_apart():
    others = [{**CONFIG, "seed": 1}, {**CONFIG, "seed": "0"}, {**CONFIG, "probe": []}, {}]
    assert len({config_hash(config) for config in [CONFIG, *others]}) == 5


def test_hash_survives_a_round_trip_through_json():
    assert config_hash(json.loads(json.dumps(CONFIG))) == config_hash(CONFIG)


def test_hash_refuses_what_is_not_plain():
    with pytest.raises(TypeError, match=r"PosixPath.*plain dicts"):
        config_hash({"root": Path("/data")})


def test_name_says_what_the_reader_wants_to_know():
    assert run_name(CONFIG, CHOICES) == f"vgg11-batch-lr0.01-seed0-{config_hash(CONFIG)}"


def test_name_has_the_init_where_it_is_not_the_default():
    assert run_name(CONFIG, {**CHOICES, "init": "he_normal"}).startswith("vgg11-batch-he_normal-lr0.01-seed0-")


def test_name_leaves_out_what_the_config_does_not_have():
    assert run_name({"seed": None}, {"model": "mlp"}) == f"mlp-{config_hash({'seed': None})}"
    assert run_name({}, {}) == f"run-{config_hash({})}"


@pytest.mark.parametrize("model", ["../..", "a b/c\nd", "-rf", ".hidden", "größe", "x" * 300])
def test_name_is_safe_in_any_shell_and_file_system(model):
    name = run_name(CONFIG, {**CHOICES, "model": model})
    assert re.fullmatch(r"[A-Za-z0-9_=+][A-Za-z0-9._=+-]*", name)
    assert len(name) <= 100
    assert name.endswith(config_hash(CONFIG))


def test_second_writer_of_a_folder_is_turned_away(tmp_path):
    with (
        locked(tmp_path / "run"),
        pytest.raises(UsageError, match=r"run is being written by another process.*hydra\.run\.dir"),
        locked(tmp_path / "run"),
    ):
        pass


def test_folder_is_free_again_after_its_writer_ends(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "run"):
            assert (tmp_path / "run").is_dir()


def test_folder_is_free_again_after_its_writer_is_killed(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UsageError, match="another process"), locked(tmp_path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with locked(tmp_path):
        pass


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/run cannot be written: Not a directory"), locked(tmp_path / "file/run"):
        pass


def test_reading_and_naming_runs_does_not_import_torch():
    code = "import sys, normscope.runs.folder, normscope.runs.reader, normscope.runs.summary as s; s.environment()\n"
    code += "print([name for name in ('torch', 'tensorboard', 'matplotlib', 'hydra') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
