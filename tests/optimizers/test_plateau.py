import math
from functools import partial

import numpy as np
import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.optimizers.plateau import ReduceOnPlateau, observers
from normscope.optimizers.schedules import constant, warm_up
from normscope.training.run import carry_out
from tests.commands import TINY


def plateau(watch="validation/loss", factor=0.1, patience=2, threshold=1e-4):
    return ReduceOnPlateau(watch, factor, patience, threshold)


@pytest.mark.parametrize(("watch", "mode"), [("validation/loss", "min"), ("validation/accuracy", "max")])
@pytest.mark.parametrize("patience", [0, 2])
def test_it_agrees_with_pytorchs_own(watch, mode, patience):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau
    theirs = scheduler(optimizer, mode=mode, factor=0.5, patience=patience, threshold=0.01, eps=0)
    ours = plateau(watch, 0.5, patience, 0.01)
    for score in 1 + 0.2 * np.random.default_rng(0).standard_normal(60):
        theirs.step(score)
        ours.observe({watch: score})
        assert ours(0, 10) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours(0, 10) < 1


def test_it_waits_as_long_as_it_was_told():
    schedule = plateau(patience=2)
    factors = []
    for loss in (1.0, 1.0, 1.0, 1.0, 1.0):
        schedule.observe({"validation/loss": loss})
        factors.append(schedule(0, 10))
    assert factors == pytest.approx([1, 1, 1, 0.1, 0.1])  # the first sets the best, two pass, the next is too much


def test_a_score_that_is_no_number_is_worse_than_any():
    schedule = plateau(patience=0)
    for loss in (math.nan, 2.0, 1.5, 1.0):
        schedule.observe({"validation/loss": loss})
    assert schedule(0, 10) == 1


def test_it_goes_on_from_its_state():
    first, second = plateau(patience=1), plateau(patience=1)
    for loss in (1.0, 1.2):
        first.observe({"validation/loss": loss})
    second.restore(first.state())
    for schedule in (first, second):
        schedule.observe({"validation/loss": 1.1})
        assert schedule(0, 10) == pytest.approx(0.1)


def test_it_is_found_within_other_schedules():
    schedule = plateau()
    assert observers(partial(warm_up, over=3, then=schedule)) == [schedule]
    assert observers(schedule) == [schedule]
    assert observers(partial(constant)) == []


def test_the_test_set_is_no_choice():
    with pytest.raises(ValueError, match=r"watch \(test/loss\) must be validation/loss or validation/accuracy"):
        plateau(watch="test/loss")


@pytest.mark.parametrize("wrong", [{"factor": 1.0}, {"patience": -1}, {"threshold": -0.1}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"factor \(.*patience \(.*threshold \("):
        plateau(**wrong)


REGRESSION = ["dataset=gaussian_regression", "loss=squared_error", "model=deep_linear", "dataset.validation=16"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], r"watches validation/loss, and this run scores test/loss, test/accuracy; .*dataset\.validation=1000"),
        ([*REGRESSION, "schedule.watch=validation/accuracy"], "scores test/loss, validation/loss; .*no accuracy"),
    ],
)
def test_a_score_that_is_not_taken_is_refused_before_the_training(overrides, message):
    with pytest.raises(UsageError, match=message):
        assemble(*composed([*TINY, "schedule=plateau", *overrides]))


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_with_what_it_had_observed(tmp_path):
    extra = ["schedule=plateau", "schedule.patience=0", "schedule.threshold=0.5", "dataset.validation=16", "probe=[]"]
    extra += ["steps=12", "evaluate_every=2", "checkpoint_every=3"]

    def run(folder, until=None):
        def stop(step, metrics):
            if step == until:
                raise Killed

        carry_out(assemble(*composed([*TINY, *extra])), folder, stop)
        rows = (folder / "series.csv").read_text().splitlines()
        return [row for row in rows if ",train/" in row or ",validation/" in row]

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "broken", until=8)
    assert run(tmp_path / "broken") == whole
    rates = {row.split(",")[2] for row in whole if ",train/lr," in row}
    assert len(rates) > 2  # it fell before and after the interruption
