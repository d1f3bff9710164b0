import pytest
import torch
from torch import nn

from normscope.optimizers.lbfgs import LBFGS


def lbfgs(weights, **changed):
    options = {"lr": 1.0, "max_iter": 1, "max_eval": 25, "history_size": 10, "line_search_fn": "strong_wolfe"}
    return LBFGS(weights, **options | changed, mini_batches=False)


def rosenbrock(w):
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def minimised(optimizer, w, steps):
    def closure():
        optimizer.zero_grad()
        objective = rosenbrock(w)
        objective.backward()
        return objective

    for _ in range(steps):
        optimizer.step(closure)
    return rosenbrock(w).item()


def test_steps_of_one_iteration_remember_the_earlier_ones():
    """Without the pairs (s, y) of earlier steps it is steepest descent, which crawls along Rosenbrock's valley."""
    w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    assert minimised(lbfgs([w]), w, 40) < 1e-12
    other = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    for _ in range(40):
        forgetful = minimised(lbfgs([other]), other, 1)  # a new optimizer every step
    assert forgetful > 1e-2


def test_iterations_in_one_step_are_as_good_as_steps_of_one_iteration():
    ways = []
    for iterations, steps in ((1, 20), (20, 1)):
        w = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
        minimised(lbfgs([w], max_iter=iterations, max_eval=100), w, steps)
        ways.append(w.detach())
    torch.testing.assert_close(ways[0], ways[1], rtol=1e-6, atol=1e-6)


def test_weights_may_lie_channels_last():
    """PyTorch's own flattens gradients by view(-1), which such a layout does not allow."""
    torch.manual_seed(0)
    ways = []
    start, images = torch.randn(4, 3, 3, 3), torch.randn(2, 3, 5, 5)
    for layout in (torch.contiguous_format, torch.channels_last):
        w = nn.Parameter(start.clone().to(memory_format=layout))
        optimizer = lbfgs([w])

        def closure(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            objective = nn.functional.conv2d(images, w).square().mean()
            objective.backward()
            return objective

        for _ in range(5):
            optimizer.step(closure)
        ways.append(w.detach().contiguous())
    torch.testing.assert_close(ways[0], ways[1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"max_iter": 0}, r"max_iter \(0\)"),
        ({"max_eval": 1}, r"max_eval \(1\) at least 2"),
        ({"line_search_fn": "wolfe"}, r"line_search_fn \(wolfe\) must be strong_wolfe or null"),
    ],
)
def test_values_out_of_range_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        lbfgs([nn.Parameter(torch.zeros(1))], **changed)
