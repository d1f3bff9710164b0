"""What a user gets wrong ends before training, with one message, exit code 1 and nothing written."""

import os
import shutil
import stat

import pytest

from normscope import disk
from normscope.errors import UsageError
from tests.commands import TINY, normscope, normscope_afresh

WITHOUT_TORCH = [
    (["optimizer=sgdd"], "Could not find 'optimizer/sgdd'"),
    (["sead=3"], "Could not override 'sead'"),
    (["optimizer.lrr=1"], "optimizer.lrr"),
    (["seed=abc"], "seed"),
    (["+optimizer.nesterv=true"], "did you mean optimizer.nesterov?"),
    (["batch_size=0"], "batch_size=0: must be at least 1"),
    (["optimizer.lr=fast"], "optimizer.lr='fast': must be float"),
    (["optimizer._target_=torch.optim.SGDD"], "there is no such function or class"),
    (["optimizer._target_=os.system"], "only names that begin with normscope. or torch."),
    (["~schedule"], "schedule: nothing is chosen"),
    (["dataset=folder"], "dataset.root"),
    (
        ["probe=[moments]", "+probe.units.layers=3"],
        "units is not chosen; choose it as well, with probe=[moments,units]",
    ),
    (
        ["experiment=santurkar_2018/vgg", "probe=[]", "probe.covariate_shift.layers=[layer1]"],
        "with probe=[covariate_sh",
    ),
    (["-m", "seed=1,abc"], "seed"),
    (["-m", "seed=0,1", "batch_size=8,-8"], "batch_size=-8: must be at least 1"),
    (["-m", "seed=0,1", "+optimizer.nesterv=true"], "did you mean optimizer.nesterov?"),
    (["experiment=no/such"], "no/such"),
    (["search=random", "optimizer=sgdd", "optimizer.lr=interval(0.1,1)"], "Could not find 'optimizer/sgdd'"),
    (["experiment=seminar/bn_vs_no_bn", "optimizer=sgdd", "seed=0,1"], "Could not find 'optimizer/sgdd'"),
]

WITH_TORCH = [
    (["optimizer.lr=-1"], "optimizer: Invalid learning rate"),
    (["device=cuda"], "device=cuda: PyTorch finds no GPU here"),
    (["batch_size=1"], "batch_size=1: BatchNorm needs a batch"),
    (["batch_size=65"], "batch_size"),
    (["model.width=0"], "width"),
    (["dataset=cifar10", "dataset.root=nowhere", "dataset.url=http://127.0.0.1:9/x.tar.gz"], "nowhere"),
    (["dataset=folder", "dataset.root=nowhere"], "nowhere"),
    (["probe.along_gradient.step_sizes=[-1]"], "-1 must be > 0"),
    (["regularizer=[crop_flip]", "regularizer.crop_flip.data.flip=2"], "flip (2)"),
    (["regularizer=[dropout,alpha_dropout]"], "the slot 'dropout' is taken by another"),
    (["outputs=/dev/null/outputs"], "cannot be written to"),
    (["hydra.run.dir=/dev/null/run"], "cannot be written to"),
    (["schedule=cosine", "schedule.final=3"], "final (3)"),
    (["-m", "seed=0,1", "optimizer.lr=0.1,-1"], "Invalid learning rate"),
    (["task=rotation", "dataset.random_labels=0.5"], "dataset.random_labels=0.5: this task looks at no labels"),
]


def refused(tmp_path, overrides, message):
    flags = [word for word in overrides if word == "-m"]  # Hydra wants its flags first or last
    result = normscope(*flags, *TINY, "steps=2", *(word for word in overrides if word not in flags), cwd=tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not list(tmp_path.rglob("*config.yaml"))
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(("overrides", "message"), WITHOUT_TORCH, ids=lambda value: str(value)[:40])
def test_a_config_error_is_one_message(tmp_path, overrides, message):
    refused(tmp_path, overrides, message)


@pytest.mark.parametrize(("overrides", "message"), WITH_TORCH, ids=lambda value: str(value)[:40])
def test_what_shows_only_in_the_parts_is_one_message_too(tmp_path, overrides, message):
    refused(tmp_path, overrides, message)


def test_a_folder_with_the_results_of_another_config_is_not_taken_for_done(tmp_path):
    own = [*TINY, "model=mlp", "steps=1", "hydra.run.dir=run"]
    assert normscope(*own, cwd=tmp_path).returncode == 0
    assert "already finished, skipped" in normscope(*own, cwd=tmp_path).stdout
    before = (tmp_path / "run" / "summary.json").read_bytes()
    for other in (["seed=1"], ["start=run", "start.run=run"]):
        result = normscope(*own, *other, cwd=tmp_path)
        assert result.returncode == 1, result.stdout + result.stderr
        assert "run holds the results of another config; choose another folder by hydra.run.dir=DIR" in result.stderr
    assert (tmp_path / "run" / "summary.json").read_bytes() == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_write_permission_is_named(tmp_path):
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(stat.S_IRUSR | stat.S_IXUSR)
    result = normscope(*TINY, "steps=2", "outputs=locked/outputs", cwd=tmp_path)
    assert result.returncode == 1
    assert "cannot be written to" in result.stderr


def test_a_disk_that_is_all_but_full_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(UsageError, match="the disk has 1 MB left"):
        disk.check_disk(tmp_path)


@pytest.mark.parametrize("flag", ["--help", "--cfg=job"])
def test_help_and_configs_answer_without_pytorch(tmp_path, flag):
    """Without importing it: the check is that a poisoned PyTorch is never touched."""
    (tmp_path / "torch.py").write_text("raise ImportError('torch was imported')")
    result = normscope_afresh(*([flag] if flag == "--help" else ["--cfg", "job"]), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "vgg" in result.stdout
