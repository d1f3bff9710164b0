from itertools import pairwise

import pytest
import torch

from normscope.composed import composed
from normscope.instantiation import made
from normscope.optimizers.cycles import cosine_restarts, cycle_of, one_cycle, triangular
from normscope.optimizers.schedules import constant, cosine, exponential, polynomial, step_decay, warm_up
from normscope.places import CONFIGS


def test_step_decay_divides_at_its_fractions():
    factors = [step_decay(step, 8, at=[0.5, 0.75], factor=0.1) for step in range(8)]
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def rates_of(scheduler, steps, **options):
    """What one of PyTorch's schedulers makes of a rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = scheduler(optimizer, **options)
    rates = []
    for _ in range(steps):
        rates.append(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    return rates


def test_cosine_agrees_with_pytorchs_own():
    expected = rates_of(torch.optim.lr_scheduler.CosineAnnealingLR, 10, T_max=10, eta_min=0.2)
    assert [cosine(step, 10, final=0.2) for step in range(10)] == pytest.approx(expected)


def test_exponential_agrees_with_pytorchs_own():
    expected = rates_of(torch.optim.lr_scheduler.ExponentialLR, 10, gamma=0.01**0.1)
    assert [exponential(step, 10, final=0.01) for step in range(10)] == pytest.approx(expected)


def test_polynomial_agrees_with_pytorchs_own():
    expected = rates_of(torch.optim.lr_scheduler.PolynomialLR, 10, total_iters=10, power=0.9)
    assert [polynomial(step, 10, power=0.9, final=0.0) for step in range(10)] == pytest.approx(expected)


def test_cosine_restarts_agree_with_pytorchs_own():
    """3 cycles, each twice the last: 4 + 8 + 16 = 28 steps."""
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    expected = rates_of(scheduler, 28, T_0=4, T_mult=2, eta_min=0.1)
    found = [cosine_restarts(step, 28, cycles=3, growth=2.0, final=0.1) for step in range(28)]
    assert found == pytest.approx(expected)


def test_cycles_fill_a_run_of_any_length():
    for steps in (1, 2, 10, 101):
        starts = {cycle_of(step, steps, cycles=3, growth=1.0) for step in range(steps)}
        ends = sorted(starts)
        assert ends[0][0] == 0
        assert ends[-1][1] == steps
        assert all(before[1] == after[0] for before, after in pairwise(ends))
        assert all(0 <= cosine_restarts(step, steps, cycles=3, growth=1.0, final=0.0) <= 1 for step in range(steps))


@pytest.mark.parametrize(("mode", "shrink"), [("triangular", 1.0), ("triangular2", 0.5)])
def test_triangles_agree_with_pytorchs_own(mode, shrink):
    options = {"base_lr": 0.2, "max_lr": 1.0, "step_size_up": 5, "mode": mode, "cycle_momentum": False}
    expected = rates_of(torch.optim.lr_scheduler.CyclicLR, 30, **options)
    found = [triangular(step, 30, cycles=3, lowest=0.2, shrink=shrink) for step in range(30)]
    assert found == pytest.approx(expected)


def test_one_cycle_agrees_with_pytorchs_own():
    """PyTorch's last step has the final rate, and its peak lies a step early, so its run is a step longer and ours is
    counted from the same places."""
    options = {"max_lr": 1.0, "div_factor": 10, "final_div_factor": 10, "pct_start": 0.41, "three_phase": True}
    scheduler = torch.optim.lr_scheduler.OneCycleLR
    expected = rates_of(scheduler, 100, total_steps=100, anneal_strategy="linear", cycle_momentum=False, **options)
    found = [one_cycle(step, 99, rise=40 / 99, start=0.1, final=0.01) for step in range(100)]
    assert found == pytest.approx(expected)


def test_every_schedule_of_the_configs_stays_a_share_of_the_base_rate():
    for path in sorted((CONFIGS / "schedule").glob("*.yaml")):
        schedule = made("schedule", composed([f"schedule={path.stem}"])[0]["schedule"])
        for steps in (1, 7, 1000):
            assert all(0 <= schedule(step, steps) <= 1 for step in range(steps)), path.stem


def test_warm_up_rises_linearly_then_follows_the_next_schedule():
    assert [warm_up(step, 100, over=4, then=constant) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: step_decay(0, 10, at=[1.5], factor=0.1),
        lambda: cosine(0, 10, final=2.0),
        lambda: warm_up(0, 10, over=0, then=constant),
        lambda: exponential(0, 10, final=0.0),
        lambda: polynomial(0, 10, power=0.0, final=0.0),
        lambda: cosine_restarts(0, 10, cycles=0, growth=1.0, final=0.0),
        lambda: triangular(0, 10, cycles=2, lowest=0.1, shrink=1.5),
        lambda: one_cycle(0, 10, rise=0.6, start=0.1, final=0.01),
        lambda: one_cycle(0, 10, rise=0.3, start=0.1, final=0.2),
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="schedule"):
        wrong()
