"""k-fold cross-validation: a trial is a run for each fold."""

from types import SimpleNamespace

import pytest
from PIL import Image

from normscope import main
from normscope.composed import composed
from normscope.runs.reader import read_run
from normscope.searches.record import trials_of, write_search
from tests.commands import run_folders
from tests.searches.test_record import searched


@pytest.fixture
def class_folders(tmp_path):
    """12 training and 2 test images of each of two classes."""
    for split, count in (("train", 12), ("test", 2)):
        for name, grey in (("dark", 40), ("light", 200)):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (8, 8), (grey, 3 * number, 0)).save(tmp_path / split / name / f"{number}.png")
    return tmp_path


class NoHydra:
    """What Hydra says of a job that it begins."""

    @staticmethod
    def get():
        return SimpleNamespace(job=SimpleNamespace(num=0), overrides=SimpleNamespace(task=["optimizer.lr=0.1"]))


def test_a_trial_trains_once_for_each_fold_and_scores_the_mean(class_folders, tmp_path, monkeypatch):
    words = ["dataset=folder", f"dataset.root={class_folders}", "dataset.validation=8", "model=mlp", "batch_size=4"]
    config, choices = composed([*words, "steps=6", "probe=[]", "score_test=false", "optimizer.lr=0.1"])
    record = searched(folds=3)
    write_search(tmp_path / "search", record)
    search = {"folds": 3, "score": "validation/accuracy"}
    monkeypatch.setattr(main, "HydraConfig", NoHydra)
    score = main._try(search, config, choices, tmp_path / "search" / "trial")
    runs = [read_run(folder) for folder in run_folders(tmp_path / "search")]
    assert [run.config["dataset"]["fold"] for run in runs] == [0, 1, 2]
    accuracies = [run.summary["metrics"]["validation/accuracy"] for run in runs]
    assert score == pytest.approx(sum(accuracies) / 3)
    (trial,) = trials_of(record, tmp_path / "search")
    assert trial.score == pytest.approx(score)
