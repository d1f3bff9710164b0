import pytest
import torch

from normscope.optimizers.schedules import constant, cosine, step_decay, warm_up


def test_step_decay_divides_at_its_fractions():
    factors = [step_decay(step, 8, at=[0.5, 0.75], factor=0.1) for step in range(8)]
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_cosine_agrees_with_pytorchs_own():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.2)
    for step in range(10):
        assert cosine(step, 10, final=0.2) == pytest.approx(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()


def test_warm_up_rises_linearly_then_follows_the_next_schedule():
    assert [warm_up(step, 100, over=4, then=constant) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: step_decay(0, 10, at=[1.5], factor=0.1),
        lambda: cosine(0, 10, final=2.0),
        lambda: warm_up(0, 10, over=0, then=constant),
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="schedule"):
        wrong()
