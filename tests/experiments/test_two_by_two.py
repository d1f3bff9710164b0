"""The transfer table: which runs make a cell, what is said of the seminar's advice, and the picture."""

import importlib.util

import pytest

from normscope.errors import UsageError
from normscope.places import EXPERIMENTS
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

ADVISED = {  # accuracy at the end of each arm where the seminar is right
    ("little", "similar"): {"scratch": 0.50, "0": 0.62, "2": 0.61, "all": 0.58},
    ("much", "similar"): {"scratch": 0.80, "0": 0.76, "2": 0.83, "all": 0.85},
    ("little", "different"): {"scratch": 0.80, "0": 0.79, "2": 0.82, "all": 0.84},
    ("much", "different"): {"scratch": 0.985, "0": 0.95, "2": 0.97, "all": 0.99},
}


@pytest.fixture(scope="module")
def experiment():
    """experiments/transfer/two_by_two.py as a module."""
    spec = importlib.util.spec_from_file_location("two_by_two", EXPERIMENTS / "transfer" / "two_by_two.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cell(root, amount, task, ends, seeds=range(5), **how):
    """Runs of every arm of a cell that end at these accuracies, each seed 0.2 points above the one before."""
    for arm, end in ends.items():
        start = {} if arm == "scratch" else {"trained": arm if arm == "all" else int(arm)}
        choices = {"dataset": "mnist" if task == "different" else "cifar10", "start": "run" if start else "scratch"}
        for seed in seeds:
            fabricate(
                root,
                "batch",
                seed,
                accuracy=lambda step, end=end + 0.002 * seed: end + 0 * step,
                name=f"{amount}-{task}-{arm}-{seed}",
                choices=choices,
                experiment=f"transfer/two_by_two/{'transferred' if start else 'from_scratch'}",
                start=start,
                dataset={"train_size": 100 if amount == "little" else 25000},
                **how,
            )


def verdicts(experiment, root):
    return {verdict.claim: verdict for verdict in experiment.claims(find_runs(root))}


def test_where_the_seminar_is_right_its_advice_is_reproduced(experiment, tmp_path):
    for (amount, task), ends in ADVISED.items():
        cell(tmp_path, amount, task, ends)
    found = verdicts(experiment, tmp_path)
    assert {name: verdict.verdict for name, verdict in found.items()} == dict.fromkeys(
        ("TR1", "TR2", "TR3", "TR4", "TR5"), "reproduced"
    )
    effects = {name: verdict.effect for name, verdict in found.items()}
    assert effects == pytest.approx({"TR1": 12, "TR2": 4, "TR3": 7, "TR4": 13, "TR5": 2})


def test_where_it_is_wrong_it_is_contradicted_and_three_seeds_decide_nothing(experiment, tmp_path):
    ends = {"scratch": 0.70, "0": 0.62, "2": 0.65, "all": 0.72}
    cell(tmp_path / "five", "little", "similar", ends)
    assert verdicts(experiment, tmp_path / "five")["TR1"].verdict == "contradicted"
    cell(tmp_path / "three", "little", "similar", ends, seeds=range(3))
    assert verdicts(experiment, tmp_path / "three")["TR1"].verdict == "undecided"


def test_cells_that_were_not_run_are_told_of(experiment, tmp_path):
    cell(tmp_path, "little", "similar", ADVISED["little", "similar"], seeds=[0])
    found = verdicts(experiment, tmp_path)
    assert found["TR5"].verdict == "not run"
    assert found["TR5"].note == "no runs with much data on a different task"
    assert found["TR4"].note == "it needs little data on the similar and on the different task"


def test_a_diverged_run_is_the_worst_there_is(experiment, tmp_path):
    cell(tmp_path, "little", "similar", {"scratch": 0.5})
    cell(tmp_path, "little", "similar", {"0": 0.9}, status="diverged")
    assert verdicts(experiment, tmp_path)["TR1"].verdict == "contradicted"


def test_the_picture_names_the_best_arm_of_each_cell(experiment, tmp_path):
    for (amount, task), ends in list(ADVISED.items())[:3]:
        cell(tmp_path, amount, task, ends, seeds=range(3))
    figure = experiment.plot(find_runs(tmp_path))
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[0] == "Little data, similar task (100 images):\nhighest median: head alone"
    assert titles[1] == "Little data, different task (100 images):\nhighest median: all layers"
    assert titles[3] == "Much data, different task: not run yet"
    assert "n = 3" in figure.get_supxlabel()


def test_without_runs_there_is_nothing_to_draw(experiment):
    with pytest.raises(UsageError, match="nothing to draw"):
        experiment.plot([])
