import math

import pytest
import yaml

from normscope.errors import UsageError
from normscope.runs.summary import write_summary
from normscope.searches.record import Search, check_record, read_search, trials_of, write_search
from normscope.searches.space import Interval, Listed

SPACE = (Interval("optimizer.lr", 1e-4, 1, log=True), Listed("model/norm", ("none", "batch")))


def searched(folds=1, trials=4, space=SPACE, **config):
    full = {"steps": 10, "device": "cpu", "dataset": {"validation": 20}} | config
    return Search("random", "validation/accuracy", trials, folds, 0, space, ("model=mlp",), full)


def leave(folder, lr, norm="batch", accuracy=0.5, status="finished"):
    """A run as training leaves it."""
    folder.mkdir(parents=True)
    config = {"seed": 0, "optimizer": {"lr": lr}, "choices": {"model/norm": norm}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    write_summary(folder, {"status": status, "metrics": {"validation/accuracy": accuracy}, "seconds": 2.0})


def test_a_record_is_read_as_it_was_written(tmp_path):
    write_search(tmp_path / "mine", searched(folds=3))
    assert read_search(tmp_path / "mine") == searched(folds=3)


def test_more_trials_and_another_device_are_the_same_search(tmp_path):
    write_search(tmp_path, searched())
    check_record(tmp_path, searched(trials=100, device="cuda"))


@pytest.mark.parametrize(
    ("other", "what"),
    [(searched(folds=2), "folds"), (searched(steps=20), "config.steps"), (searched(space=SPACE[:1]), "space")],
    ids=["folds", "steps", "space"],
)
def test_another_search_is_refused_in_the_same_folder(tmp_path, other, what):
    write_search(tmp_path, searched())
    with pytest.raises(UsageError, match=rf"another search \(it differs in {what}\); .* search.name=NAME"):
        check_record(tmp_path, other)


def test_trials_come_best_first_with_their_settings(tmp_path):
    leave(tmp_path / "a", 0.1, accuracy=0.3)
    leave(tmp_path / "b", 1, "none", status="diverged")
    leave(tmp_path / "c", 0.01, accuracy=0.6)
    found = trials_of(searched(), tmp_path)
    assert [trial.folder.name for trial in found] == ["c", "a", "b"]
    assert found[0].settings == {"optimizer.lr": 0.01, "model/norm": "batch"}
    assert found[2].settings == {"optimizer.lr": 1.0, "model/norm": "none"}
    assert (found[2].score, found[2].status) == (-math.inf, "diverged")


@pytest.mark.parametrize(
    ("words", "value", "word"),
    [
        (("1", "0.1"), 1, "1"),
        (("0", "0.9"), 0, "0"),
        (("1", "2"), 1.0, "1"),
        (("1e-05", "0.1"), 1e-5, "1e-05"),
        (("True", "False"), True, "True"),
        (("true", "1"), 1, "1"),
        (("null", "3"), None, "null"),
        (("[]", "[l2,flip]"), {"l2": {}, "flip": {}}, "[l2,flip]"),
        (("[0.5,1]", "[1,2]"), [0.5, 1], "[0.5,1]"),
    ],
)
def test_a_listed_value_is_told_as_it_was_listed(tmp_path, words, value, word):
    leave(tmp_path / "a", value)
    (trial,) = trials_of(searched(space=(Listed("optimizer.lr", words),)), tmp_path)
    assert trial.settings == {"optimizer.lr": word}


def test_a_trial_is_the_mean_of_its_folds_and_unfinished_without_one(tmp_path):
    for fold, accuracy in enumerate((0.2, 0.4)):
        leave(tmp_path / "whole" / f"fold{fold}", 0.1, accuracy=accuracy)
    leave(tmp_path / "half" / "fold0", 0.1, accuracy=0.9)
    whole, half = trials_of(searched(folds=2), tmp_path)
    assert (whole.folder.name, whole.score, whole.status) == ("whole", pytest.approx(0.3), "finished")
    assert whole.seconds == 4.0
    assert (half.folder.name, half.score, half.status) == ("half", -math.inf, "interrupted")


def test_a_folder_without_a_search_and_a_damaged_record_are_told(tmp_path):
    with pytest.raises(UsageError, match="holds no search"):
        read_search(tmp_path)
    (tmp_path / "search.yaml").write_text("space: [{key: lr}]\n")
    with pytest.raises(UsageError, match="is no record of a search"):
        read_search(tmp_path)
