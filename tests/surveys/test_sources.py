import json

import pytest
import yaml

from normscope.composed import composed
from normscope.errors import UsageError
from normscope.runs.folder import config_hash
from normscope.surveys.names import folder_name
from normscope.surveys.sources import fingerprints, known, sources

JOB = {"_target_": "normscope.jobs.loss_surface.loss_surface", "points": 5}


def leave_run(folder, *overrides, status="finished", checkpoint=b"weights"):
    """What training leaves, as far as a job looks at it before PyTorch is imported."""
    config, choices = composed(["dataset=sample", *overrides])
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config | {"choices": choices}))
    summary = {"status": status, "step": 12, "config_hash": config_hash(config), "versions": {"normscope": "0.1"}}
    (folder / "summary.json").write_text(json.dumps(summary))
    if checkpoint:
        (folder / "last.pt").write_bytes(checkpoint)
    return str(folder)


def refused(tmp_path, job, message):
    with pytest.raises(UsageError, match=message):
        sources(job, tmp_path / "outputs")


def test_the_runs_come_in_the_order_in_which_they_are_named(tmp_path):
    names = [leave_run(tmp_path / name, f"seed={seed}") for seed, name in enumerate("ba")]
    assert [run.seed for run in sources({"runs": names}, tmp_path)] == [0, 1]
    assert [run.seed for run in sources({"run": names[1]}, tmp_path)] == [1]
    assert sources(JOB, tmp_path) == []


def test_what_is_no_finished_run_is_refused_with_the_way_out(tmp_path):
    refused(
        tmp_path, {"run": str(tmp_path / "none")}, r"job.run=.*none: there is no such folder; no run under .* make one"
    )
    refused(tmp_path, {"run": str(tmp_path)}, "holds no run: it has no config.yaml")
    refused(tmp_path, {"run": 3}, "job.run=3: must be the folder of a run")
    refused(tmp_path, {"runs": "a"}, r"job.runs=a: must be a list of the folders of runs, \[A,B\]")
    refused(tmp_path, {"runs": []}, r"job.runs=\[\]: must be a list")
    stopped = leave_run(tmp_path / "stopped", status="interrupted")
    refused(tmp_path, {"run": stopped}, "interrupted at step 12; repeat the command that began it")
    refused(tmp_path, {"run": leave_run(tmp_path / "bare", checkpoint=None)}, "no last.pt, so its weights are lost")
    begun = leave_run(tmp_path / "begun")
    (tmp_path / "begun" / "summary.json").unlink()
    refused(tmp_path, {"run": begun}, "has no summary.json: the run has not ended")


def test_a_message_names_the_runs_that_there_are(tmp_path):
    there = leave_run(tmp_path / "outputs" / "single" / "a-run")
    refused(tmp_path, {"run": str(tmp_path / "none")}, f"the latest: {there}")
    leave_run(tmp_path / "outputs" / "single" / "stopped", status="interrupted")
    assert known(tmp_path / "outputs").endswith(f"the latest: {there}")


def test_a_config_that_was_changed_after_the_run_is_refused(tmp_path):
    run = leave_run(tmp_path / "run")
    path = tmp_path / "run" / "config.yaml"
    path.write_text(path.read_text().replace("batch_size: 128", "batch_size: 64"))
    refused(tmp_path, {"run": run}, "config.yaml was changed after the run")


def test_a_run_of_another_version_is_refused_by_what_it_lacks(tmp_path):
    run = leave_run(tmp_path / "run")
    path = tmp_path / "run" / "config.yaml"
    path.write_text(path.read_text().replace("probe_every: 100\n", ""))
    refused(tmp_path, {"run": run}, r"no probe_every; it is of another version of normscope \(0.1\)")


def test_a_diverged_run_has_ended(tmp_path):
    assert sources({"run": leave_run(tmp_path / "run", status="diverged")}, tmp_path)[0].status == "diverged"


def test_runs_of_other_data_are_refused_by_what_differs(tmp_path):
    first = leave_run(tmp_path / "a")
    for name, override, message in (
        ("b", "dataset.train_size=500", r"dataset.train_size=10000 in .*a, but dataset.train_size=500 in .*b"),
        ("c", "dataset=cifar10", r"dataset=sample in .*a, but dataset=cifar10 in .*c"),
        ("d", "dataset/preprocess=none", r"dataset/preprocess=standardise in .*a, but dataset/preprocess=none in .*d"),
    ):
        refused(tmp_path, {"runs": [first, leave_run(tmp_path / name, override)]}, message)
    refused(tmp_path, {"runs": [first, f"{first}/../a"]}, "is named twice")


def test_where_the_same_data_lies_is_no_difference(tmp_path):
    names = [leave_run(tmp_path / name, "dataset=cifar10", f"dataset.root=data/{name}") for name in "ab"]
    assert len(sources({"runs": names}, tmp_path)) == 2
    folders = [leave_run(tmp_path / name, "dataset=folder", f"dataset.root=data/{name}") for name in "cd"]
    refused(tmp_path, {"runs": folders}, "dataset.root=data/c")


def test_a_jobs_folder_is_named_after_its_runs_and_its_options(tmp_path):
    run, other = leave_run(tmp_path / "x" / "a-run"), leave_run(tmp_path / "y" / "a-run", "seed=1")
    name = folder_name(JOB | {"run": run})
    assert name.startswith("a-run-")
    assert folder_name(JOB | {"run": f"{run}/"}) == name
    different = {name, folder_name(JOB | {"run": other}), folder_name(JOB | {"run": run, "points": 7})}
    assert len(different) == 3
    both = folder_name(JOB | {"runs": [run, other]})
    assert both.startswith("a-run+a-run-")
    assert both != folder_name(JOB | {"runs": [other, run]})
    assert len(folder_name(JOB | {"runs": [run] * 40})) <= 100
    assert folder_name(JOB | {"run": "???"})  # what is wrong is told of elsewhere


def test_a_fingerprint_follows_the_weights(tmp_path):
    run = leave_run(tmp_path / "run")
    before = fingerprints(sources({"run": run}, tmp_path))
    assert fingerprints(sources({"run": run}, tmp_path)) == before
    (tmp_path / "run" / "last.pt").write_bytes(b"others")
    assert fingerprints(sources({"run": run}, tmp_path)) != before
