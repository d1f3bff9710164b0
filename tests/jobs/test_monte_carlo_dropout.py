from itertools import product

import pytest
import torch
from torch import nn

from normscope.jobs.monte_carlo_dropout import conclude, dropping, masked, monte_carlo_dropout
from normscope.regularizers.drop_connect import DropConnect
from normscope.training.recording import Images
from tests.finished import finished_run
from tests.recorded import small_network

HERE = {"masks": 4, "split": "test", "images": 20, "seed": 0}
WHITE = Images(torch.full((20, 3, 1, 1), 255, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64))


def linear_network():
    """Softmax of a linear map of three inputs, each dropped with probability 1/2, into three classes."""
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3, 3)).double()
    with torch.no_grad():
        network[2].weight.copy_(torch.tensor([[1.0, -2.0, 0.5], [0.3, 1.0, -1.0], [-0.5, 0.2, 2.0]]))
        network[2].bias.copy_(torch.tensor([0.1, 0.2, -0.3]))
    return network


def all_logits(network):
    """The logits of a white image under each of the eight masks, (8, 3)."""
    return torch.stack(
        [network[2](2 * torch.tensor(mask, dtype=torch.float64)) for mask in product((0, 1), repeat=3)]
    ).detach()


def test_for_the_logits_of_a_linear_network_weight_scaling_is_exact():
    """The seminar's E(w1 x + w2 y), and the geometric mean of the softmax, over all masks: by enumeration."""
    network = linear_network().eval()
    logits = all_logits(network)
    scaled = network(torch.ones(1, 3, dtype=torch.float64))[0].detach()
    torch.testing.assert_close(logits.mean(0), scaled)
    geometric = logits.log_softmax(1).mean(0).softmax(0)
    torch.testing.assert_close(geometric, scaled.softmax(0))


def test_many_masks_come_to_the_mean_over_all_masks():
    network = linear_network()
    survey = monte_carlo_dropout(finished_run(network, test=WHITE), **HERE | {"masks": 300})
    exact = -all_logits(network).softmax(1).mean(0)[0].log().item()
    # 300 masks of each of 20 images: the probability's standard error is at most 0.5 / sqrt(300) an image
    assert survey.measure((300.0,))[2] == pytest.approx(exact, abs=0.03)
    scaled = survey.measure((0.0,))
    assert scaled[:2] == scaled[2:]
    wanted = -network.eval()(torch.ones(1, 3, dtype=torch.float64)).log_softmax(1)[0, 0].item()
    assert scaled[0] == pytest.approx(wanted, rel=1e-12)
    assert abs(scaled[0] - exact) > 0.1  # of probabilities the rule is an approximation


def test_weight_scaling_is_the_networks_own_evaluation():
    run = finished_run()
    survey = monte_carlo_dropout(run, **HERE)
    own = run.in_evaluation_mode(run.weights, run.buffers, run.test_batches(20, seed=0))
    assert survey.points == [(0.0,), (1.0,), (2.0,), (3.0,), (4.0,)]
    assert survey.measure((0.0,))[:2] == pytest.approx(own, rel=1e-12)


def test_a_mask_is_the_same_whichever_came_before_and_another_than_the_next():
    rows = [monte_carlo_dropout(finished_run(), **HERE).measure((3.0,)) for _ in range(2)]
    survey = monte_carlo_dropout(finished_run(), **HERE)
    in_order = [survey.measure(point) for point in survey.points]
    assert rows == [in_order[3]] * 2
    assert len({row[0] for row in in_order[1:]}) == 4
    assert monte_carlo_dropout(finished_run(), **HERE | {"seed": 1}).measure((3.0,))[0] != rows[0][0]


def test_masks_leave_no_trace():
    network = small_network().eval()
    before = torch.get_rng_state(), {name: buffer.clone() for name, buffer in network.named_buffers()}
    inputs = torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plain = network(inputs)
    with masked(network, 0):
        assert [module.training for module in dropping(network)] == [True]
        assert sum(module.training for module in network.modules()) == 1  # norms keep to their running statistics
        assert not torch.equal(network(inputs), plain)
    assert torch.equal(network(inputs), plain)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert all(torch.equal(buffer, before[1][name]) for name, buffer in network.named_buffers())


def test_drop_connect_drops_too():
    network = nn.Sequential(nn.Flatten(), DropConnect(3, 10, bias=True, p=0.5)).double()
    survey = monte_carlo_dropout(finished_run(network, test=WHITE), **HERE)
    assert survey.measure((1.0,))[0] != survey.measure((0.0,))[0]


@pytest.mark.parametrize("p", [None, 0.0])
def test_a_network_that_drops_nothing_is_refused(p):
    network = small_network()
    network.layer3.dropout = nn.Identity() if p is None else nn.Dropout(p)
    with pytest.raises(ValueError, match=r"nothing is dropped in outputs/a-run.* regularizer=\[dropout\]"):
        monte_carlo_dropout(finished_run(network), **HERE)


def test_no_masks_are_refused():
    with pytest.raises(ValueError, match=r"masks \(0\) must be at least 1"):
        monte_carlo_dropout(finished_run(), **HERE | {"masks": 0})


def test_the_gain_is_told_over_weight_scaling():
    survey = monte_carlo_dropout(finished_run(), **HERE)
    table = torch.tensor([[*point, *survey.measure(point)] for point in survey.points]).numpy()
    numbers = conclude(finished_run(), "20 test images", table).numbers
    assert numbers["reference/loss"] == table[0, 1]
    assert numbers["average/loss"] == table[4, 3]
