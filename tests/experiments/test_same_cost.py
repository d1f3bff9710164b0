"""The figure and the claims of ensembles/same_cost, on runs and jobs whose outcome is known."""

import hashlib
import json

import numpy as np
import pytest

from normscope.errors import UsageError
from normscope.experiment_files import drawn_as, loaded
from normscope.places import EXPERIMENTS
from normscope.report import main
from normscope.reported import runs_of
from normscope.runs.reader import find_runs
from normscope.surveys.results import find_results
from tests.fabricated import fabricate

same_cost = loaded(EXPERIMENTS / "ensembles" / "same_cost.py")


def leave_run(root, arm, seed, accuracy, steps=1500, **rest):
    """A run of one arm that ends with this test accuracy."""
    folder = fabricate(
        root,
        "batch",
        seed,
        steps=steps,
        accuracy=lambda step: accuracy * (1 - np.exp(-step / 100)) / (1 - np.exp(-steps / 100)),
        experiment=f"ensembles/same_cost/{arm}",
        regularizer={"l2": {}, **({"snapshot_ensemble": {}} if arm == "snapshots" else {})},
        schedule={"cycles": 3} if arm == "snapshots" else {"final": 0.0},
        **rest,
    )
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"config_hash": f"{arm}{seed}"}))
    with (folder / "series.csv").open("a") as file:
        file.writelines(f"{step},test/loss,{2.3 - accuracy * step / steps}\n" for step in range(0, steps + 1, 25))
    return folder


def leave_job(root, seeds, accuracy, gained, *, split="test", images=10000, status="finished", digest="0"):
    """What job=ensemble leaves of these members."""
    folder = root / "ensemble" / f"{split}{images}-{'+'.join(map(str, seeds))}"
    folder.mkdir(parents=True)
    read = [{"name": "a", "config_hash": f"independent{seed}", "checkpoint_sha256": digest} for seed in seeds]
    of = {"job": "ensemble", "options": {"split": split, "images": images}, "runs": read}
    numbers = {"average/accuracy": accuracy, "gained/accuracy": gained}
    (folder / "summary.json").write_text(json.dumps({"status": status, "of": of, "metrics": numbers}))
    rows = [f"{n}.0,1.5,{accuracy - gained},{1.5 - n / 10},{accuracy - gained + gained * n / 3}\n" for n in (1, 2, 3)]
    header = "networks,loss_alone,accuracy_alone,loss,accuracy\n"
    (folder / "ensemble.csv").write_text(header + "".join(rows))
    return folder


def leave_all(root):
    """One network 70, 71, 72 %; networks together 72, 72, 72 %, 3 points over alone; snapshots 69, 72, 73 %."""
    for seed in range(3):
        leave_run(root, "single", seed, 0.70 + seed / 100)
        leave_run(root, "snapshots", seed, (0.69, 0.72, 0.73)[seed])
        leave_job(root, range(3 * seed, 3 * seed + 3), 0.72, 0.03)
    for seed in range(9):
        leave_run(root, "independent", seed, 0.69, steps=500)
    return find_runs(root, "ensembles/same_cost")


def test_the_arms_of_an_experiment_are_drawn_together(tmp_path):
    assert len(leave_all(tmp_path)) == 15
    assert drawn_as("ensembles/same_cost/single") == "ensembles/same_cost"
    assert drawn_as("seminar/bn_vs_no_bn") == "seminar/bn_vs_no_bn"
    assert drawn_as("not/there") == "not/there"


def test_the_effects_are_differences_in_points_by_pair(tmp_path):
    e1, e2, e3 = same_cost.claims(leave_all(tmp_path))
    assert [round(effect, 6) for _, effect in e1.effects] == [3, 3, 3]
    assert [round(effect, 6) for _, effect in e2.effects] == [2, 1, 0]
    assert [round(effect, 6) for _, effect in e3.effects] == [-1, 1, 1]
    assert [verdict.holds for verdict in (e1, e2, e3)] == [3, 2, 2]
    assert {verdict.verdict for verdict in (e1, e2, e3)} == {"undecided"}  # three pairs decide nothing
    assert e1.setting == "vgg11 on sample, 1,500 updates in all"


def test_networks_of_another_cost_are_not_held_against_a_single_one(tmp_path):
    leave_run(tmp_path, "single", 0, 0.7, steps=500)
    for seed in range(3):
        leave_run(tmp_path, "independent", seed, 0.69, steps=500)
    leave_job(tmp_path, range(3), 0.72, 0.03)
    verdicts = same_cost.claims(find_runs(tmp_path))
    notes = {(verdict.claim, verdict.setting or "none"): verdict.note for verdict in verdicts}
    assert ("E1", "vgg11 on sample, 1,500 updates in all") in notes
    assert [verdict.note for verdict in verdicts if verdict.claim == "E2"] == [
        "no run of single with as many updates as three of independent",
        "it needs the same job as E1",
    ]


def test_a_missing_job_is_asked_for_with_its_command(tmp_path):
    folders = [leave_run(tmp_path, "independent", seed, 0.69, steps=500) for seed in range(3)]
    verdict = same_cost.claims(find_runs(tmp_path))[0]
    assert verdict.verdict == "not run"
    assert verdict.note.endswith(f"job=ensemble job.runs=[{','.join(map(str, folders))}]")


def test_a_job_counts_only_if_it_is_finished_on_the_whole_test_set_and_no_network_twice(tmp_path):
    for seed in range(4):
        leave_run(tmp_path, "independent", seed, 0.69, steps=500)
    leave_job(tmp_path, (0, 1), 0.8, 0.1)
    leave_job(tmp_path, (0, 1, 2), 0.8, 0.1, split="validation")
    leave_job(tmp_path, (0, 1, 3), 0.8, 0.1, status="interrupted")
    leave_job(tmp_path, (0, 1, 99), 0.8, 0.1)
    leave_job(tmp_path, (0, 1, 2), 0.8, 0.1, images=2000)
    (arms,) = same_cost.settings(find_runs(tmp_path))
    assert arms.ensembles == []
    leave_job(tmp_path, (0, 2, 3), 0.72, 0.03)
    leave_job(tmp_path, (1, 2, 3), 0.8, 0.1)
    (arms,) = same_cost.settings(find_runs(tmp_path))
    assert [[run.seed for run in result.runs] for result in arms.ensembles] == [[0, 2, 3]]


def test_a_job_on_weights_that_were_trained_anew_since_is_left_out(tmp_path):
    folders = [leave_run(tmp_path, "independent", seed, 0.69, steps=500) for seed in range(3)]
    for folder in folders:
        (folder / "last.pt").write_bytes(b"weights")
    leave_job(tmp_path, range(3), 0.72, 0.03, digest=hashlib.sha256(b"weights").hexdigest())
    runs = find_runs(tmp_path)
    (result,) = find_results("ensemble", runs)
    assert result.columns["networks"].tolist() == [1, 2, 3]
    (folders[1] / "last.pt").write_bytes(b"others")
    assert find_results("ensemble", runs) == []


def test_a_diverged_single_network_is_the_worst_there_is(tmp_path):
    leave_run(tmp_path, "single", 0, 0.9, status="diverged")
    leave_run(tmp_path, "snapshots", 0, 0.5)
    e3 = same_cost.claims(find_runs(tmp_path))[-1]
    assert e3.holds == 1
    assert e3.effects == ((0, np.inf),)


def test_the_figure_has_a_line_for_each_arm_and_says_what_is_missing(tmp_path):
    figure = same_cost.plot(leave_all(tmp_path))
    left, right = figure.axes
    for axis in (left, right):
        assert {text.get_text().partition("\n")[0] for text in axis.texts} == set(same_cost.NAMES.values())
    assert {text.get_text() for text in left.texts} >= {"one network\n71.0 %", "three networks\n72.0 %"}
    assert "n = 3 of one network, 3 of snapshots, 3 of networks" in figure._supxlabel.get_text().replace("\n", " ")
    dots = next(line for line in left.lines if line.get_linestyle() == "None")
    assert dots.get_xdata().tolist() == [500, 1000, 1500]
    with pytest.raises(UsageError, match="has ended: nothing to draw"):
        same_cost.plot([])


def test_the_report_takes_all_arms_for_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("normscope.figures.look.save", lambda figure, path: path.write_bytes(b"png"))
    leave_all(tmp_path)
    assert main(["--outputs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "ensembles/same_cost: 15 runs" in shown
    assert shown.count("Figure: ") == 1


def test_without_runs_the_report_names_an_arm_to_run(tmp_path):
    with pytest.raises(UsageError, match="experiment=ensembles/same_cost/independent scale=laptop"):
        runs_of("ensembles/same_cost", tmp_path, None)
