import pytest
import torch
from torch import nn

from normscope.record import StepRecord, random_state
from normscope.vectors import distance_l2


def cross_entropy(logits, targets, weights):
    return nn.functional.cross_entropy(logits, targets)


def record_of(network, images, targets):
    return StepRecord(
        step=0,
        lr=0.1,
        network=network,
        objective=cross_entropy,
        images=images,
        targets=targets,
        random_state=random_state(torch.device("cpu")),
        weights={name: w.detach().clone() for name, w in network.named_parameters()},
        buffers={name: b.clone() for name, b in network.named_buffers()},
        updated={},
    )


@pytest.fixture
def small():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(12, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 3)
    )
    return record_of(network, torch.rand(8, 3, 2, 2), torch.eye(3)[torch.arange(8) % 3])


def test_the_gradient_is_that_of_plain_autograd_with_the_same_dropout_mask(small):
    loss, gradient = small.gradient_at(small.weights)
    torch.set_rng_state(small.random_state)
    expected = cross_entropy(small.network(small.images), small.targets, {})
    expected.backward()
    assert loss == expected.detach()
    for name, weight in small.network.named_parameters():
        assert torch.equal(gradient[name], weight.grad)


def test_looking_moves_nothing(small):
    state = {name: tensor.clone() for name, tensor in small.network.state_dict().items()}
    random = torch.get_rng_state()
    small.loss_at(small.weights)
    small.gradient_at(small.weights)
    with small.watched({"norm": small.network[2]}) as outputs:
        assert outputs["norm"].shape == (8, 6)
    assert all(torch.equal(state[name], tensor) for name, tensor in small.network.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())
    assert all(weight.grad is None for weight in small.network.parameters())
    assert not small.network[2]._forward_hooks


def test_batch_norm_is_in_training_mode_whatever_the_running_statistics_say(small):
    before = small.loss_at(small.weights)
    small.buffers["2.running_mean"] += 100
    assert small.loss_at(small.weights) == before


def test_the_gradient_is_found_at_the_weights_that_are_asked_for(small):
    elsewhere = {name: weight + 0.1 for name, weight in small.weights.items()}
    assert distance_l2(small.gradient_at(elsewhere)[1], small.base[1]) > 1e-3
