import json
import math

import pytest

from normscope.pairs import data_of, option, pairs, settings
from normscope.runs.reader import find_runs
from normscope.verdicts import measured
from tests.fabricated import arms, fabricate


def only(found):
    assert len(found) == 1
    return found[0]


def test_the_arms_of_a_seed_make_a_pair(tmp_path):
    arms(tmp_path, [2, 0, 1])
    group = only(pairs(find_runs(tmp_path)))
    assert group.seeds == (0, 1, 2)
    assert [(a.choices["model/norm"], b.choices["model/norm"]) for a, b in group.pairs] == [("none", "batch")] * 3
    assert (group.scale, group.setting, group.remarks) == ("laptop", "vgg11 on sample, 400 steps", ())


def test_scales_never_mix(tmp_path):
    arms(tmp_path, [0])
    arms(tmp_path, [0, 1], choices={"scale": None})
    assert [(group.scale, group.seeds) for group in pairs(find_runs(tmp_path))] == [("laptop", (0,)), ("paper", (0, 1))]


def test_an_arm_at_one_scale_finds_no_partner_at_another(tmp_path):
    fabricate(tmp_path, "none", 0)
    fabricate(tmp_path, "batch", 0, choices={"scale": None})
    laptop, paper = pairs(find_runs(tmp_path))
    assert laptop.pairs == paper.pairs == ()
    assert laptop.remarks == ("seed 0: no ended run with model/norm=batch, not used",)
    assert paper.remarks == ("seed 0: no ended run with model/norm=none, not used",)


def test_learning_rates_never_mix(tmp_path):
    arms(tmp_path, [0])
    fabricate(tmp_path, "none", 0, name="a", optimizer={"lr": 0.1})
    fabricate(tmp_path, "batch", 0, name="b", optimizer={"lr": 0.1})
    low, high = pairs(find_runs(tmp_path))
    assert low.setting == "vgg11 on sample, 400 steps, optimizer.lr=0.01"
    assert high.setting == "vgg11 on sample, 400 steps, optimizer.lr=0.1"
    assert [run.config["optimizer"]["lr"] for run in high.pairs[0]] == [0.1, 0.1]


def test_another_choice_is_told_by_its_name_and_not_by_the_values_that_it_brings(tmp_path):
    for norm in ("none", "batch"):
        for activation in ("relu", "sigmoid"):
            words = {"model/activation": activation, "model/norm": norm}
            own = {"eps": 1e-5, "affine": True, "momentum": 0.1, "_partial_": True} if norm == "batch" else {}
            fabricate(tmp_path, norm, 0, name=norm + activation, choices=words, model={"norm": own})
    found = pairs(find_runs(tmp_path), arm="model/activation", reference="sigmoid", treated="relu")
    assert [group.setting for group in found] == [
        "vgg11 on sample, 400 steps, model/norm=batch",
        "vgg11 on sample, 400 steps, model/norm=none",
    ]


def test_data_sets_never_mix(tmp_path):
    arms(tmp_path, [0])
    arms(tmp_path, [0], choices={"scale": "laptop", "dataset": "cifar10", "model": "vgg13"})
    assert [group.setting for group in pairs(find_runs(tmp_path))] == [
        "vgg11 on sample, 400 steps",
        "vgg13 on cifar10, 400 steps",
    ]


def test_the_machine_does_not_keep_a_pair_apart(tmp_path):
    fabricate(tmp_path, "none", 0, device="cpu", outputs="a", checkpoint_every=7)
    fabricate(tmp_path, "batch", 0, device="cuda", outputs="b")
    assert only(pairs(find_runs(tmp_path))).seeds == (0,)


def test_where_cifar10_lies_does_not_matter_and_which_folder_does(tmp_path):
    for place, data in enumerate(("cifar10", "folder")):
        for norm, root in (("none", "/x"), ("batch", "/y")):
            choices = {"dataset": data}
            fabricate(tmp_path / str(place), norm, 0, choices=choices, dataset={"root": root})
    assert [group.seeds for group in pairs(find_runs(tmp_path / "0"))] == [(0,)]
    assert [group.seeds for group in pairs(find_runs(tmp_path / "1"))] == [(), ()]


def test_a_missing_seed_is_told_of(tmp_path):
    arms(tmp_path, [0, 1])
    fabricate(tmp_path, "batch", 2)
    fabricate(tmp_path, "batch", 3)
    group = only(pairs(find_runs(tmp_path)))
    assert group.seeds == (0, 1)
    assert group.remarks == ("seed 2, 3: no ended run with model/norm=none, not used",)


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_a_half_finished_run_makes_no_pair_and_is_told_of(tmp_path, status):
    arms(tmp_path, [0])
    fabricate(tmp_path, "none", 1, status=status)
    fabricate(tmp_path, "batch", 1)
    group = only(pairs(find_runs(tmp_path)))
    assert group.seeds == (0,)
    assert group.remarks == (
        f"seed 1, none: {status} at step 200, not used",
        "seed 1: no ended run with model/norm=none, not used",
    )


def test_a_diverged_run_makes_a_pair(tmp_path):
    fabricate(tmp_path, "none", 0, status="diverged")
    fabricate(tmp_path, "batch", 0)
    assert only(pairs(find_runs(tmp_path))).seeds == (0,)


def test_of_equal_runs_the_first_folder_counts_and_it_is_said(tmp_path):
    arms(tmp_path, [0])
    fabricate(tmp_path, "batch", 0, name="a copy", device="cuda")
    group = only(pairs(find_runs(tmp_path)))
    assert group.pairs[0][1].folder.name == "a copy"
    assert group.remarks == ("seed 0, batch: 2 equal runs, only the first folder's is used",)


def test_a_half_finished_copy_does_not_hide_a_finished_run(tmp_path):
    arms(tmp_path, [0])
    fabricate(tmp_path, "batch", 0, name="a copy", device="cuda", status="interrupted")
    assert only(pairs(find_runs(tmp_path))).pairs[0][1].status == "finished"


def test_other_arms_are_passed_over(tmp_path):
    arms(tmp_path, [0])
    fabricate(tmp_path, "batch", 0, name="group", choices={"model/norm": "group"})
    assert only(pairs(find_runs(tmp_path))).seeds == (0,)
    assert set(only(settings(find_runs(tmp_path))).arms) == {"batch", "group", "none"}


def test_any_group_can_be_the_arm(tmp_path):
    for init in ("default", "he"):
        fabricate(tmp_path, "none", 4, name=init, choices={"init": init}, init={"_target_": init})
    group = only(pairs(find_runs(tmp_path), arm="init", reference="default", treated="he"))
    assert group.seeds == (4,)


def test_no_runs_make_no_pairs():
    assert pairs([]) == []


def test_a_diverged_run_is_measured_as_the_worst_and_told_of(tmp_path):
    fabricate(tmp_path, "none", 0, status="diverged")
    fabricate(tmp_path, "batch", 0)
    group, values = measured(only(pairs(find_runs(tmp_path))), lambda run: 3.0, worst=math.inf)
    assert values == [(math.inf, 3.0)]
    assert group.remarks == ("seed 0: vgg11-none-laptop-seed0 diverged",)


def test_a_pair_that_cannot_be_measured_is_left_out_and_told_of(tmp_path):
    arms(tmp_path, [0, 1])
    group, values = measured(
        only(pairs(find_runs(tmp_path))), lambda run: math.nan if run.seed == 0 else 1.0, worst=math.inf
    )
    assert group.seeds == (1,)
    assert values == [(1.0, 1.0)]
    assert group.remarks == ("seed 0: what is measured is not there, not used",)


def test_a_run_that_was_stopped_before_it_told_its_step_is_named_too(tmp_path):
    folder = fabricate(tmp_path, "none", 0, status="failed")
    (folder / "summary.json").write_text(json.dumps({"status": "failed", "reason": "no memory"}))
    assert only(pairs(find_runs(tmp_path))).remarks == ("seed 0, none: failed, not used",)


def test_the_paper_scale_is_the_same_whether_it_was_named_or_not(tmp_path):
    fabricate(tmp_path, "none", 0, choices={"scale": None})
    fabricate(tmp_path, "batch", 0, choices={"scale": "paper"})
    assert only(pairs(find_runs(tmp_path))).seeds == (0,)


def test_class_folders_are_called_by_their_name(tmp_path):
    root = {"root": "/data/flowers"}
    fabricate(tmp_path, "batch", 0, choices={"dataset": "folder"}, dataset=root)
    (run,) = find_runs(tmp_path, None)
    assert data_of(run) == "folder flowers"


def test_an_arm_may_be_a_list_or_a_value(tmp_path):
    model = {"width": 0.25, "norm": None}
    fabricate(tmp_path, "none", 0, name="a", regularizer={}, model=model | {"norm_position": "before"})
    fabricate(
        tmp_path, "none", 0, name="b", regularizer={"flip": {}, "l2": {}}, model=model | {"norm_position": "after"}
    )
    first, second = find_runs(tmp_path)
    assert [option(run, "regularizer") for run in (first, second)] == ["none", "flip+l2"]
    assert [option(run, "model.norm_position") for run in (first, second)] == ["before", "after"]
    assert [option(run, "model/norm") for run in (first, second)] == ["none", "none"]
    assert [option(first, nothing) for nothing in ("model.bias", "model/residual", "steps.deeper")] == [None] * 3


def test_a_dotted_arm_pairs_what_differs_in_it_alone(tmp_path):
    for position in ("before", "after"):
        model = {"width": 0.25, "norm": {"eps": 1e-5}, "norm_position": position}
        fabricate(tmp_path, "batch", 0, name=position, model=model)
    group = only(pairs(find_runs(tmp_path), "model.norm_position", reference="before", treated="after"))
    assert group.seeds == (0,)
    assert pairs(find_runs(tmp_path)) != [group]


def test_runs_may_differ_in_what_is_free(tmp_path):
    arms(tmp_path, [0], choices={"model/activation": "relu"})
    arms(tmp_path / "more", [0], choices={"model/activation": "tanh"})
    found = only(settings(find_runs(tmp_path), "model/activation", free=["model/norm"]))
    assert {arm: len(runs) for arm, runs in found.arms.items()} == {"relu": 2, "tanh": 2}
    assert len(settings(find_runs(tmp_path), "model/activation")) == 2


def with_data(root, seed, data, name=""):
    """A pair whose data were drawn by this seed."""
    for norm in ("none", "batch"):
        dataset = {"train_size": 100, "seed": data}
        fabricate(root, norm, seed, name=f"{norm}-{seed}-{data}{name}", dataset=dataset)


def test_data_that_are_drawn_anew_for_every_seed_are_part_of_the_seed(tmp_path):
    for seed in range(3):
        with_data(tmp_path, seed, data=seed)
    (group,) = pairs(find_runs(tmp_path))
    assert group.seeds == (0, 1, 2)
    assert "dataset.seed" not in group.setting


def test_runs_on_other_data_are_never_in_one_setting(tmp_path):
    for seed in range(3):
        for data in (0, 7):
            with_data(tmp_path, seed, data)
    found = {group.setting.rpartition(", ")[2]: group.seeds for group in pairs(find_runs(tmp_path))}
    assert found["dataset.seed=7"] == (0, 1, 2)
    assert sorted(found.values()) == [(0, 1, 2), (0, 1, 2)]


def test_a_run_of_one_step_is_called_so(tmp_path):
    for norm in ("none", "batch"):
        fabricate(tmp_path, norm, 0, steps=1)
    (group,) = pairs(find_runs(tmp_path))
    assert group.setting == "vgg11 on sample, 1 step"
