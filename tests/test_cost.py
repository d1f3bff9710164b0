"""What a sweep says of its cost, before and on the way."""

from pathlib import Path

import pytest

from normscope import cost
from normscope.cost import Cost, clock
from tests.commands import TINY, normscope

A, B = Path("a"), Path("b")


@pytest.fixture
def now(monkeypatch):
    """A clock that the test sets."""
    time = [100.0]
    monkeypatch.setattr(cost.time, "perf_counter", lambda: time[0])
    return time


def test_the_time_left_is_that_of_all_runs_at_the_pace_so_far(now):
    sweep = Cost({A: 100, B: 300}, done=0)
    assert sweep.seconds_left(A, 0) is None  # no pace yet
    now[0] += 5
    assert sweep.seconds_left(A, 50) == pytest.approx(35)  # 50 of 400 steps in 5 s
    now[0] += 15
    assert sweep.seconds_left(B, 100) == pytest.approx(20)  # 200 of 400 in 20 s


def test_steps_of_an_earlier_command_do_not_count_as_pace(now):
    sweep = Cost({A: 100, B: 100}, done=0)
    sweep.seconds_left(A, 60)  # went on from a checkpoint
    now[0] += 10
    assert sweep.seconds_left(A, 80) == pytest.approx(60)  # 20 steps in 10 s, 120 to go


def test_a_run_that_the_sweep_does_not_know_has_no_time(now):
    assert Cost({A: 100}, done=0).seconds_left(B, 5) is None


@pytest.mark.parametrize(
    ("steps", "done", "said"),
    [
        ({A: 250, B: 250}, 0, "2 runs to train, 250 steps each, 500 in all"),
        ({A: 250, B: 1500}, 1, "2 runs to train, 250 to 1,500 steps each, 1,750 in all (1 more is done)"),
        ({A: 1, B: 1}, 0, "2 runs to train, 1 step each, 2 in all"),
        ({A: 250}, 3, "1 run to train, 250 steps each (3 more are done)"),
        ({}, 3, "nothing to train (3 more are done)"),
    ],
)
def test_the_cost_in_words(steps, done, said):
    assert str(Cost(steps, done)) == said


def test_a_clock():
    assert [clock(4), clock(245), clock(3723)] == ["0:04", "4:05", "1:02:03"]


def test_a_sweep_states_its_cost_before_it_starts(tmp_path):
    command = ["-m", *TINY, "steps=3", "probe=[]", "model=mlp"]
    first = normscope(*command, "seed=0,1", cwd=tmp_path).stdout
    assert first.index("sweep: 2 runs to train, 3 steps each, 6 in all") < first.index("weights")
    assert "1 run to train, 3 steps each (2 more are done)" in normscope(*command, "seed=0,1,2", cwd=tmp_path).stdout
