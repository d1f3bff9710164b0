"""Babysitting: verdicts from made-up tables, and healthy and sick configs from the command line."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from normscope.beginnings import survey_before
from normscope.composed import composed, job_of
from normscope.errors import UsageError
from normscope.jobs.babysit_verdicts import (
    FIRST,
    Setting,
    cause_of,
    initial_finding,
    penalty_finding,
    rate_finding,
    ratio_finding,
    subset_finding,
)
from normscope.parts import load_dataset
from normscope.places import CONFIGS
from normscope.report import main
from normscope.surveys.trials import places, thinned
from tests.commands import TINY, normscope, run_folders

LN_10 = math.log(10)
SETTING = Setting(
    lr=0.01,
    subset=20,
    subset_steps=500,
    steps=50,
    size=32,
    learnt_below=0.01,
    nat=1 / LN_10,
    init="he_normal",
    subject="mlp",
)
SMALL = [*TINY, "model=mlp", "optimizer=adam", "dataset.train_size=200", "job.steps=12", "job.per_decade=1"]


@pytest.mark.parametrize(
    ("loss", "verdict", "advice"),
    [
        (LN_10, "fine", ""),
        (LN_10 + 0.0999, "fine", ""),
        (LN_10 - 0.0999, "fine", ""),
        (LN_10 + 0.11, "note", "He's init"),
        (LN_10 + 1.12, "note", "He's init"),  # a healthy network of a quarter of the width
        (LN_10 + 2.01, "look here", "init=he_normal"),
        (math.inf, "look here", "smaller initial weights"),
        (math.nan, "look here", "smaller initial weights"),
        (LN_10 - 0.11, "look here", "below guessing"),
    ],
)
def test_the_initial_loss(loss, verdict, advice):
    found = initial_finding(SETTING, loss, LN_10)
    assert found.verdict == verdict
    assert advice in found.advice


@pytest.mark.parametrize(
    ("rise", "penalty", "verdict"),
    [(0.5, 0.5, "fine"), (0.500009, 0.5, "fine"), (0.50002, 0.5, "look here"), (1000.009, 1000, "fine"),
     (1000.02, 1000, "look here"), (math.nan, math.nan, "look here"), (-0.2, -0.2, "fine")],
)  # fmt: skip
def test_the_penalties(rise, penalty, verdict):
    assert penalty_finding(1, rise, penalty, loss=2.3).verdict == verdict


def test_what_float32_loses_beside_a_large_loss_is_no_fault():
    loss, penalty = np.float32(560_000.0), np.float32(0.3)
    rise = float(loss + penalty - loss)
    assert abs(rise - penalty) > 0.01
    assert penalty_finding(1, rise, float(penalty), loss=float(loss)).verdict == "fine"
    assert penalty_finding(1, rise, float(penalty), loss=2.3).verdict == "look here"


FEW = [
    "job.lowest=1e-3",
    "job.decades=1",
    "job.steps=25",
    "job.subset_steps=150",
    "model.width=1",
    "model.hidden_units=64",
]
RATES = np.array([1e-4, 1e-3, 0.01, 0.1])


@pytest.mark.parametrize(
    ("fates", "falls", "verdict", "advice"),
    [
        (["too low", "fine", "fine", "diverged"], [0.001, 0.1, 0.5, -math.inf], "fine", ""),
        (["too low", "too low", "fine", "fine"], [0, 0, 0.04, 0.5], "note", "by 0.5, at optimizer.lr=0.1"),
        (["too low", "too low", "too low", "fine"], [0, 0, 0, 0.5], "look here", "at optimizer.lr=0.1"),
        (["fine", "fine", "diverged", "diverged"], [0.1, 0.5, -math.inf, -math.inf], "look here", "optimizer.lr=0.001"),
        (["too low"] * 3 + ["diverged"], [0, 0, 0, -math.inf], "look here", "no rate helps"),
    ],
)
def test_where_the_chosen_rate_stands(fates, falls, verdict, advice):
    start = initial_finding(SETTING, LN_10, LN_10)
    found = rate_finding(SETTING, RATES, fates, falls, 2, cause_of(start, fates, 2))
    assert found.verdict == verdict
    assert advice in found.advice


@pytest.mark.parametrize(
    ("loss", "accuracy", "cause", "verdict", "advice"),
    [
        (0.0099, 1.0, "", "fine", ""),
        (0.0099, math.nan, "", "fine", ""),  # regression
        (0.0099, 0.95, "", "look here", "slowly"),
        (0.5, 1.0, "learning rate", "look here", "slowly"),
        (2.3, 0.1, "learning rate", "look here", "first put the learning rate right"),
        (math.nan, 0.1, "", "look here", "diverges"),
        (2.3, 0.1, "", "look here", "equal labels"),
    ],
)
def test_the_tiny_subset(loss, accuracy, cause, verdict, advice):
    found = subset_finding(SETTING, 2.4, loss, accuracy, 500, cause)
    assert found.verdict == verdict
    assert advice in found.advice


@pytest.mark.parametrize(
    ("ratio", "verdict", "advice"),
    [(1e-3, "fine", ""), (1e-4, "fine", ""), (1e-2, "fine", ""), (9e-5, "note", "a larger rate"),
     (9e-6, "look here", "a larger rate"), (0.011, "note", "a smaller rate"), (0.11, "look here", "a smaller rate"),
     (math.nan, "look here", ""), (math.inf, "look here", "a smaller rate")],
)  # fmt: skip
def test_the_update_ratio(ratio, verdict, advice):
    found = ratio_finding([ratio, ratio / 2, ratio * 2], "")
    assert found.verdict == verdict
    assert advice in found.advice


@pytest.mark.parametrize(
    ("loss", "fates", "cause"),
    [
        (LN_10, ["fine", "fine", "diverged"], ""),
        (LN_10, ["fine", "too high", "diverged"], "learning rate"),
        (LN_10, ["too low", "too low", "diverged"], "gradient"),
        (50.0, ["fine", "diverged", "diverged"], "initial loss"),
    ],
)
def test_what_is_to_be_mended_first(loss, fates, cause):
    assert cause_of(initial_finding(SETTING, loss, LN_10), fates, 1) == cause
    if cause:
        assert ratio_finding([1e-9, 0, 1e-8], cause).advice == FIRST[cause]


def test_a_long_curve_is_thinned_and_a_short_one_filled_up():
    assert thinned([5, 4, 3], 3) == [5, 4, 3]
    assert thinned([5, 4, 3, 2, 1], 3) == [5, 3, 1]
    assert thinned([5, 4], 3)[:2] == [5, 4]
    assert math.isnan(thinned([5, 4], 3)[2])
    assert places(5, 3) == [0, 2, 4]
    assert places(2, 3) == [0, 1]


def survey(*overrides):
    from hydra import compose, initialize_config_dir

    config, choices = composed([*SMALL, *overrides, "job=babysit"])
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        job = job_of(compose("train", [*SMALL, *overrides, "job=babysit"]))
    return survey_before(job, config, choices)


def test_every_loss_term_raises_the_objective_by_the_penalty_even_beside_dropout_and_in_bf16():
    terms = "l1,l2,label_smoothing,confidence_penalty"
    found = survey(f"regularizer=[crop_flip,dropout,{terms}]", "precision=bf16")
    places_of = [point for point in found.points if point[0] == 2]
    assert [at for _, at in places_of] == [1, 1000]
    for point in places_of:
        rise, penalty, *_ = found.measure(point)
        assert penalty_finding(point[1], rise, penalty, loss=2.3).verdict == "fine"
        assert abs(penalty) > 0.05


def test_the_numbers_do_not_depend_on_the_order_in_which_they_are_measured():
    found = survey()
    picked = [found.points[place] for place in (0, 2, 5, 8)]
    there = {point: found.measure(point) for point in picked}
    back = {point: found.measure(point) for point in reversed(picked)}
    for point, row in there.items():
        np.testing.assert_array_equal(row, back[point])
        assert len(point) + len(row) == len(found.columns)


def test_the_initial_loss_is_measured_without_regularisation():
    point = (1.0, 0.0)
    assert survey("regularizer=[dropout,mixup]").measure(point)[:2] == survey().measure(point)[:2]


@pytest.mark.parametrize(("reduction", "times"), [("mean", 1), ("sum", 25)])
def test_regression_is_held_to_its_own_guess(reduction, times):
    of_numbers = ["dataset=gaussian_regression", "dataset.test_size=20", "loss=squared_error", "batch_size=25"]
    found = survey(*of_numbers, f"loss.reduction={reduction}")
    loss, guess = found.measure((1.0, 0.0))[:2]
    targets = load_dataset(composed([*SMALL, *of_numbers, "job=babysit"])[0]).train.labels
    assert guess == pytest.approx(times * targets.square().sum(1).mean().item())
    assert loss == pytest.approx(guess, rel=0.2)
    assert initial_finding(replace(SETTING, nat=1.0), loss, guess).verdict in ("fine", "note")


def test_turns_are_held_to_ln_4():
    found = survey("task=rotation")
    loss, guess = found.measure((1.0, 0.0))[:2]
    assert guess == pytest.approx(math.log(4))
    assert initial_finding(replace(SETTING, nat=1 / math.log(4)), loss, guess).verdict in ("fine", "note")


def test_an_autoencoder_is_held_to_the_lengths_of_its_images():
    of_images = ["task=reconstruction", "loss=squared_error", "loss.reduction=mean", "dataset/preprocess=none"]
    loss, guess = survey(*of_images).measure((1.0, 0.0))[:2]
    images = load_dataset(composed([*SMALL, *of_images, "job=babysit"])[0]).train.images.double() / 255
    assert guess == pytest.approx(images.square().sum((1, 2, 3)).mean().item(), rel=1e-5)
    assert initial_finding(replace(SETTING, nat=1.0), loss, guess).verdict == "note"  # He's init: outputs of their own


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer.lr=0", r"job: optimizer.lr \(0\) must be positive and finite to be judged"),
        ("optimizer.lr=inf", r"job: optimizer.lr \(inf\) must be positive and finite"),
        ("job.steps=9", r"job: steps \(9\) must be at least 10"),
        ("job.subset=1", r"job: subset \(1\) must be at least 2"),
        ("job.lowest=0", r"job: lowest \(0\) must be above 0"),
        ("job.turned_up=1", r"turned_up \(1\) above 1"),
    ],
)
def test_what_cannot_be_tried_is_refused(override, message):
    with pytest.raises(UsageError, match=message):
        survey(override)


def test_healthy_and_sick_from_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    command = ["-m", "job=babysit", *SMALL, "optimizer.lr=0.003,1e-6", *FEW]
    first = normscope(*command, cwd=tmp_path)
    assert first.returncode == 4, first.stdout + first.stderr
    summaries = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.rglob("summary.json")}
    (sick,) = [summary for name, summary in summaries.items() if "lr1e-06" in name]
    (healthy,) = [summary for name, summary in summaries.items() if "lr0.003" in name]
    assert {each["check"]: each["verdict"] for each in sick["findings"]} | {"initial loss": ""} == {
        "initial loss": "",
        "learning rate": "look here",
        "tiny subset": "look here",
        "update ratio": "look here",
    }
    assert "look here" not in [each["verdict"] for each in healthy["findings"]], healthy["findings"]
    assert not run_folders(tmp_path)  # none is taken for a run
    second = normscope(*command, cwd=tmp_path)
    assert second.returncode == 4
    assert second.stdout.count("already finished, skipped") == 2
    assert "1e-06: too low" in second.stdout

    (folder,) = (path.parent for path in tmp_path.rglob("summary.json") if "lr1e-06" in str(path))
    assert main([str(folder)]) == 0
    assert "1e-06: too low" in " ".join(capsys.readouterr().out.replace("│", " ").split())
    before = folder / "summary.json"
    before.write_text(before.read_text().replace('"finished"', '"interrupted"'))
    assert main([str(folder)]) == 1
    assert "this job is interrupted; repeat its command" in capsys.readouterr().err
