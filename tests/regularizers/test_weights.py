"""What acts on the weights after the optimizer: a bound on their length, and pruning."""

import pytest
import torch
from torch import nn

from normscope.regularizers.max_norm import max_norm
from normscope.regularizers.pruning import MagnitudePruning, sparsity_at
from tests.regularizers.courses import course


def test_max_norm_bounds_the_weights_of_each_unit_and_keeps_their_direction():
    torch.manual_seed(0)
    network = nn.ModuleDict({"conv": nn.Conv2d(3, 8, 3), "head": nn.Linear(50, 4), "norm": nn.BatchNorm2d(8)})
    with torch.no_grad():
        network["conv"].weight[0] *= 1e-3
        network["norm"].weight.fill_(9.0)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    max_norm(dict(network.named_parameters()), bound=0.4)
    for name in ("conv.weight", "head.weight"):
        rows, was = network.get_parameter(name).flatten(1), before[name].flatten(1)
        torch.testing.assert_close(rows.norm(dim=1), was.norm(dim=1).clamp(max=0.4))
        torch.testing.assert_close(torch.cosine_similarity(rows, was), torch.ones(len(rows)))
    for name in ("conv.bias", "norm.weight", "norm.bias"):
        assert torch.equal(network.get_parameter(name), before[name])


def test_max_norm_worked_out_by_hand():
    weight = nn.Parameter(torch.tensor([[3.0, 4.0], [0.3, 0.4]]))
    max_norm({"w": weight}, bound=1.0)
    torch.testing.assert_close(weight.detach(), torch.tensor([[0.6, 0.8], [0.3, 0.4]]))


def test_sparsity_grows_as_a_cubic():
    """1 − (1/2)³ = 7/8 of the way at half time."""
    assert [sparsity_at(x, 0.8) for x in (-1, 0, 0.5, 1, 3)] == pytest.approx([0, 0, 0.7, 0.8, 0.8])


def steps(network, pruning, count, first=0):
    """Updates that move every weight, by momentum too; the shares of zeros after each."""
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    weights, shares, zeros = dict(network.named_parameters()), [], torch.zeros_like(network.weight).bool()
    for step in range(first, first + count):
        optimizer.zero_grad()
        (network(torch.randn(5, 20)) ** 2).mean().backward()
        optimizer.step()
        pruning(weights)
        pruning.after_step(network, step)
        assert not network.weight[zeros].any()  # what was zero is zero
        zeros = network.weight == 0
        shares.append(zeros.float().mean().item())
    return shares


def test_pruning_keeps_zeros_zero_and_reaches_its_share():
    torch.manual_seed(0)
    network, pruning = nn.Linear(20, 10), MagnitudePruning(sparsity=0.8, start=0.25, end=0.75, every=2)
    pruning.begin(course(steps=12))  # prunes after updates 3, 5, 7 and 9, progress 0, 1/3, 2/3, 1
    shares = steps(network, pruning, 12)
    expected = [0.0] * 4 + [0.8 * 19 / 27] * 2 + [0.8 * 26 / 27] * 2 + [0.8] * 4
    assert shares == pytest.approx(expected, abs=1 / 200)
    assert network.bias.all()


def test_the_smallest_weights_go():
    network, pruning = nn.Linear(4, 1), MagnitudePruning(sparsity=0.5, start=0.5, end=0.5, every=1)
    pruning.begin(course(steps=2))
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[0.1, -3.0, -0.2, 2.0]]))
    pruning(dict(network.named_parameters()))
    pruning.after_step(network, 0)
    assert network.weight.tolist() == [[0, -3, 0, 2]]


def test_pruning_at_the_last_update_holds():
    torch.manual_seed(0)
    network, pruning = nn.Linear(20, 10), MagnitudePruning(sparsity=0.5, start=1.0, end=1.0, every=100)
    pruning.begin(course(steps=3))
    assert steps(network, pruning, 3) == [0, 0, 0.5]


def test_pruning_goes_on_with_its_masks():
    torch.manual_seed(0)
    network, first = nn.Linear(20, 10), MagnitudePruning(sparsity=0.5, start=0.0, end=0.5, every=1)
    first.begin(course())
    steps(network, first, 8)
    second = MagnitudePruning(sparsity=0.5, start=0.0, end=0.5, every=1)
    second.begin(course())
    second.restore(first.state())
    assert steps(network, second, 2, first=8) == [0.5, 0.5]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: max_norm({}, bound=0), r"bound \(0\)"),
        (lambda: MagnitudePruning(sparsity=1.0, start=0, end=1, every=1), r"sparsity \(1.0\)"),
        (lambda: MagnitudePruning(sparsity=0.5, start=0.6, end=0.5, every=1), r"start \(0.6\) <= end \(0.5\)"),
        (lambda: MagnitudePruning(sparsity=0.5, start=0, end=1, every=0), r"every \(0\)"),
    ],
)
def test_values_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
