"""Jobs as their users call them, and every YAML under configs/job."""

import hashlib
import inspect
import os

import pytest

from normscope.composed import composed, job_of
from normscope.places import CONFIGS
from normscope.reopened import survey_of
from normscope.runs.reader import read_run
from tests.commands import normscope, normscope_afresh, run_folders

WITHOUT_RUNS = ("babysit",)  # see tests/jobs/test_babysit.py
JOBS = sorted(path.stem for path in (CONFIGS / "job").glob("*.yaml") if path.stem not in WITHOUT_RUNS)

NEEDS = {"snapshots": "snapshot_run"}  # job -> the fixture of a run that it takes, where not any will do


def job_named(name):
    from hydra import compose, initialize_config_dir

    composed([])  # registers what lies outside configs/
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return job_of(compose("train", [f"job={name}"]))


@pytest.mark.parametrize("name", JOBS)
def test_a_job_gives_every_option_and_measures_what_its_columns_say(request, name):
    runs = [request.getfixturevalue(NEEDS[name])] if name in NEEDS else request.getfixturevalue("runs")
    job = job_named(name)
    key = "run" if "run" in job else "runs"
    assert job[key] == "???"
    module, _, function = job["_target_"].rpartition(".")
    assert module == f"normscope.jobs.{name}"
    takes = inspect.signature(getattr(__import__(module, fromlist=[function]), function)).parameters
    assert set(takes) == job.keys() - {"_target_", "_partial_"}
    if name == "reconstructions":
        pytest.skip("reads an autoencoder; see test_reconstructions.py")

    job[key] = str(runs[0]) if key == "run" else [str(folder) for folder in runs]
    survey = survey_of(job, [read_run(folder) for folder in (runs[:1] if key == "run" else runs)], "cpu")
    point = survey.points[0]
    assert len(point) + len(survey.measure(point)) == len(survey.columns)
    assert len(set(survey.points)) == len(survey.points)


def test_a_job_is_no_part_of_what_a_run_is_made_of():
    """A run's folder is named after its config, and runs are compared by their choices: both stay as they were."""
    config, choices = composed([])
    assert "job" not in config
    assert "job" not in choices


def digests(root):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}


def test_a_sweep_of_jobs_leaves_its_runs_as_they_are_and_is_skipped_the_second_time(runs):
    root = runs[0].parents[2]
    before = digests(root / "outputs" / "single")
    names = ",".join(str(folder.relative_to(root)) for folder in runs)
    command = ["-m", "job=loss_surface", f"job.run={names}", "job.points=3"]
    first = normscope(*command, cwd=root)
    assert first.returncode == 0, first.stdout + first.stderr
    assert digests(root / "outputs" / "single") == before
    assert "2 jobs" in first.stdout
    assert "tensorboard --logdir outputs/loss_surface" in first.stdout.replace("\n", "")
    pictures = sorted((root / "outputs" / "loss_surface").glob("*/loss_surface.png"))
    assert [path.parent.name.rpartition("-")[0] for path in pictures] == sorted(folder.name for folder in runs)
    assert all(f"Picture: {path.relative_to(root)}" in first.stdout for path in pictures)
    assert sorted(run_folders(root / "outputs")) == sorted(runs)  # no job is taken for a run

    stamps = digests(root / "outputs" / "loss_surface")
    second = normscope(*command, cwd=root)
    assert second.returncode == 0, second.stdout + second.stderr
    assert second.stdout.count("already finished, skipped") == 2
    assert {path: stamps[path] for path in pictures} == {path: digests(path.parent)[path] for path in pictures}


def test_a_line_between_two_runs_from_the_command_line(runs):
    root = runs[0].parents[2]
    names = ",".join(str(folder.relative_to(root)) for folder in runs)
    result = normscope("job=interpolation", f"job.runs=[{names}]", "job.points=3", cwd=root)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "barrier of the training loss" in result.stdout
    assert "To look at it beside others (IMAGES)" in result.stdout
    (table,) = (root / "outputs" / "interpolation").glob("*/interpolation.csv")
    lines = table.read_text().splitlines()
    assert lines[0] == "alpha,train_loss,train_accuracy,test_loss,test_accuracy"
    assert [float(line.split(",")[0]) for line in lines[1:]] == [-0.5, 0, 0.5, 1, 1.5]


WITHOUT_TORCH = [
    (["job=loss_surfaces"], "Could not find 'job/loss_surfaces'"),
    (["job=loss_surface"], "job.run has no default; give it: job.run=VALUE; of those under outputs the latest: "),
    (["job=loss_surface", "job.run=nowhere"], "job.run=nowhere: there is no such folder; of those under outputs"),
    (["job=loss_surface", "job.run=RUN", "job.pionts=3"], "job.pionts"),
    (["job=loss_surface", "job.run=RUN", "+job.pionts=3"], "did you mean job.points?"),
    (["job=loss_surface", "job.run=RUN", "job.points=many"], "job.points='many': must be int"),
    (["job=loss_surface", "job.run=RUN", "model=resnet18"], "takes its settings from the run that it reads"),
    (["job=loss_surface", "job.run=RUN", "hydra.run.dir=RUN"], "holds a run, which job=loss_surface would write into"),
    (["job=interpolation", "job.runs=RUN"], "must be a list of the folders of runs, [A,B]"),
    (["-m", "job=loss_surface", "job.run=RUN,nowhere"], "job.run=nowhere"),
    (["-m", "job=loss_surface", "job.run=RUN,RUN"], "a value is listed twice"),
]
WITH_TORCH = [(["-m", "job=loss_surface", "job.run=RUN", "job.points=5,4"], "job: points (4) must be odd")]
TELL_TALE = "import atexit, sys\natexit.register(lambda: 'torch' in sys.modules and print('torch was imported'))\n"


@pytest.mark.parametrize(("overrides", "message"), WITHOUT_TORCH + WITH_TORCH, ids=lambda value: str(value)[:60])
def test_a_mistake_is_one_message_before_anything_is_written(runs, tmp_path, monkeypatch, overrides, message):
    outputs = tmp_path / "outputs"
    outputs.symlink_to(runs[0].parents[1])
    (tmp_path / "sitecustomize.py").write_text(TELL_TALE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    run = str(runs[0].relative_to(runs[0].parents[2]))
    before = digests(outputs.resolve())
    result = normscope_afresh(*(word.replace("RUN", run) for word in overrides), "outputs=outputs", cwd=tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert ("torch was imported" in result.stdout) == ((overrides, message) in WITH_TORCH)
    assert digests(outputs.resolve()) == before
