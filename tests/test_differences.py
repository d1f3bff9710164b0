from normscope.differences import told_apart
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate


def test_runs_are_told_apart_by_what_differs_and_by_nothing_else(tmp_path):
    for norm in ("none", "batch"):
        for seed in (0, 1):
            fabricate(tmp_path, norm, seed)
    found = {(run.choices["model/norm"], run.seed): told for run, told in zip(*both(tmp_path), strict=True)}
    assert found == {(norm, seed): {"model/norm": norm} for norm in ("none", "batch") for seed in (0, 1)}


def test_what_another_choice_brings_along_is_not_told(tmp_path):
    adam = {"_target_": "torch.optim.Adam", "lr": 0.001, "betas": [0.9, 0.999]}
    fabricate(tmp_path, "batch", 0, name="a", optimizer=adam, choices={"optimizer": "adam"})
    fabricate(tmp_path, "batch", 0, name="b", optimizer={"lr": 0.1}, choices={"optimizer": "sgd"})
    assert both(tmp_path)[1] == [{"optimizer": "adam"}, {"optimizer": "sgd"}]


def test_a_value_of_the_same_choice_is_told(tmp_path):
    for name, lr in (("a", 0.1), ("b", 0.01)):
        fabricate(tmp_path, "batch", 0, name=name, optimizer={"lr": lr})
    assert both(tmp_path)[1] == [{"optimizer.lr": "0.1"}, {"optimizer.lr": "0.01"}]


def test_a_value_that_differs_among_the_runs_of_one_choice_is_told_beside_it(tmp_path):
    for name, optimizer, lr in (("a", "adam", 0.1), ("b", "sgd", 0.1), ("c", "sgd", 0.01)):
        fabricate(tmp_path, "batch", 0, name=name, optimizer={"lr": lr}, choices={"optimizer": optimizer})
    assert [of["optimizer"] + " " + of["optimizer.lr"] for of in both(tmp_path)[1]] == [
        "adam 0.1",
        "sgd 0.1",
        "sgd 0.01",
    ]


def test_lists_of_choices_are_told_by_their_names(tmp_path):
    regularizers = {"a": {}, "b": {"l2": {"loss": {"strength": 5e-4}}}, "c": {"flip": {}, "l2": {"loss": {}}}}
    for name, of in regularizers.items():
        fabricate(tmp_path, "batch", 0, name=name, regularizer=of)
    assert [told["regularizer"] for told in both(tmp_path)[1]] == ["none", "l2", "flip+l2"]
    assert all(told.keys() == {"regularizer"} for told in both(tmp_path)[1])


def test_one_run_differs_from_nothing(tmp_path):
    fabricate(tmp_path, "batch", 0)
    assert both(tmp_path)[1] == [{}]
    assert told_apart([]) == []


def both(folder):
    runs = find_runs(folder)
    return runs, told_apart(runs)
