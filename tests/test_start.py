"""What the group `start` takes, and which run it stands for."""

import json
import shutil

import pytest

from normscope.composed import composed
from normscope.errors import UsageError
from normscope.preflight import check_config
from normscope.start import check_start, source_of, start_of
from tests.commands import TINY, normscope
from tests.starts import finished


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Runs of an experiment that differ in their seed and norm, below outputs/."""
    outputs = tmp_path_factory.mktemp("starts") / "outputs"
    finished(outputs / "a" / "seed0", "model=mlp", "steps=1")
    config = (outputs / "a" / "seed0" / "config.yaml").read_text()
    marked = config.replace("experiment: null", "experiment: transfer/source")
    (outputs / "a" / "seed0" / "config.yaml").write_text(marked)
    return outputs


def config_of(*overrides):
    config, choices = composed([*TINY, "start=run", *overrides])
    check_config(config)
    return config, choices


def found(outputs, *overrides):
    config, choices = config_of(f"outputs={outputs}", *overrides)
    return source_of(start_of(config), config, choices).folder


def test_from_scratch_there_is_nothing_to_start_from():
    config, _ = composed(TINY)
    assert start_of(config) is None


def test_a_run_is_found_by_what_its_saved_config_says(outputs):
    by_experiment = ["start.experiment=transfer/source"]
    assert found(outputs, *by_experiment) == outputs / "a" / "seed0"
    assert found(outputs, *by_experiment, "model=mlp", "start.match=[seed,model,model.width,scale]")
    with pytest.raises(UsageError, match=r"no run of it under .* has seed=1; make it with normscope experiment=transf"):
        found(outputs, *by_experiment, "seed=1")
    with pytest.raises(UsageError, match=r"has model=vgg11; make it"):
        found(outputs, *by_experiment, "start.match=[model]")
    with pytest.raises(UsageError, match=r"start.match: this run has no setting or choice 'seeds'; try seed"):
        found(outputs, *by_experiment, "start.match=[seeds]")


def test_several_runs_that_agree_are_told_of(outputs, tmp_path):
    for name in ("b", "c"):
        shutil.copytree(outputs / "a" / "seed0", tmp_path / name)
    with pytest.raises(UsageError, match=r"2 runs of it have seed=0: .*/b, .*/c; add to start.match what tells them"):
        found(tmp_path, "start.experiment=transfer/source")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "neither run nor experiment is given; give start.run=FOLDER, or start.experiment"),
        (["start.run=a", "start.experiment=b"], "both run and experiment are given"),
        (["start.run=a", "start.head=old"], r"head \(old\) must be new or keep"),
        (["start.run=a", "start.trained=half"], r"trained \(half\) must be all, or a number of blocks"),
        (["start.run=a", "start.trained=-1"], r"trained \(-1\) must be at least 0, the head alone"),
        (["start.run=a", "start.trained=1.5"], r"start.trained=1.5: must be int \| str"),
        (["start.run=a", "start.trained=0", "start.thaw_every=0"], r"thaw_every \(0\) must be at least 1 update"),
        (["start.run=a", "start.thaw_every=5"], r"thaw_every \(5\): with trained=all nothing is frozen"),
        (["start.run=a", "start.lr_factor=0"], r"lr_factor \(0\) must be positive; start.trained=0 leaves"),
        (["start.run=a", "start.trained=0", "start.lr_factor=0.1"], r"lr_factor \(0.1\): with trained=0 nothing"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(overrides, message):
    with pytest.raises(UsageError, match=message):
        check_start(*config_of(*overrides))


def test_keys_without_a_choice_are_refused():
    with pytest.raises(UsageError, match="start: run belong to start=run; add it"):
        start_of({"start": {"run": "a"}})


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("interrupted", "the run is interrupted at step 1; repeat the command that began it"),
        ("diverged", "diverged at step 1; start from another"),
    ],
)
def test_only_a_finished_run_is_started_from(outputs, tmp_path, status, message):
    copy = shutil.copytree(outputs / "a" / "seed0", tmp_path / "run")
    (copy / "config.yaml").write_bytes((outputs / "a" / "seed0" / "config.yaml").read_bytes())
    summary = json.loads((copy / "summary.json").read_text())
    (copy / "summary.json").write_text(json.dumps(summary | {"status": status}))
    with pytest.raises(UsageError, match=message):
        found(tmp_path, f"start.run={copy}")


def test_a_run_that_learnt_the_validation_images_is_not_started_from(outputs, tmp_path):
    from_all = f"start.run={outputs / 'a' / 'seed0'}"
    with pytest.raises(
        UsageError, match=r"learnt the labels of images that are held out here .* with dataset.validation=20 too"
    ):
        found(outputs, from_all, "dataset.validation=20")
    held_out = tmp_path / "held_out"
    finished(held_out, "model=mlp", "steps=1", "dataset.validation=20")
    from_rest = f"start.run={held_out}"
    assert found(outputs, from_rest, "dataset.validation=20") == held_out
    with pytest.raises(UsageError, match=r"with dataset.validation=10 too"):
        found(outputs, from_rest, "dataset.validation=10")
    five = tmp_path / "five"
    finished(five, "model=mlp", "steps=1", "dataset.classes=[0,1,2,3,4]")
    assert found(outputs, f"start.run={five}", "dataset.validation=20", "dataset.classes=[5,6,7,8,9]") == five
    with pytest.raises(UsageError, match="learnt the labels"):
        found(outputs, f"start.run={five}", "dataset.validation=20", "dataset.classes=[4,5,6,7,8]")


def test_a_run_that_learnt_no_labels_may_have_seen_them(outputs, tmp_path):
    finished(tmp_path / "turned", "model=vgg11", "task=rotation", "steps=1")
    assert found(outputs, f"start.run={tmp_path / 'turned'}", "model=vgg11", "dataset.validation=20")


def test_the_command_says_that_there_is_no_such_run_and_writes_nothing(tmp_path):
    result = normscope(*TINY, "start=run", "start.run=outputs/single/nowhere", cwd=tmp_path)
    assert result.returncode == 1
    assert "start.run=outputs/single/nowhere: there is no such folder; no run under outputs has ended" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())
