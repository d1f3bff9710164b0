"""Gradients at other weights, from one pass that is done again.

`cuda_graph` needs a GPU (tests/training/test_gpu.py); what surrounds it is tested with work that is done again by
calling it, in the same memory.
"""

from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.captured_gradient import CapturedGradient, gradient_taker
from normscope.probes.along_gradient import along_gradient
from normscope.record import eager_gradient
from tests.recorded import cross_entropy, record_of


class Captures:
    """Counts what is captured; does it again by calling it, and overwrites what it returned as a graph would."""

    def __init__(self):
        self.count = 0

    def __call__(self, work):
        self.count += 1
        state = torch.get_rng_state()
        memory = work()
        torch.set_rng_state(state)  # a capture draws nothing

        def again():
            loss, gradient = work()
            memory[0].copy_(loss)
            for name, tensor in gradient.items():
                memory[1][name].copy_(tensor)
            return memory

        return again


def record(seed=0, images=8, network=None, **rest):
    torch.manual_seed(seed)
    own = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.3), nn.Linear(6, 3))
    network = network or own
    targets = torch.eye(3)[torch.randint(3, (images,))]
    return record_of(network, torch.randn(images, 5), targets, random_state=torch.get_rng_state(), **rest)


def elsewhere(of, by):
    return {name: weight + by for name, weight in of.weights.items()}


def same(found, expected):
    return torch.equal(found[0], expected[0]) and all(torch.equal(found[1][k], v) for k, v in expected[1].items())


def test_it_is_the_eager_gradient_bit_for_bit_at_every_step_and_point():
    network, captures = record().network, Captures()
    take = CapturedGradient(captures)
    for seed in range(3):  # another batch, dropout mask, and statistics each
        one = record(seed, network=network)
        network[1].running_mean.add_(1)
        for by in (0.0, 0.1, -0.2):
            found = replace(one, take_gradient=take).gradient_at(elsewhere(one, by))
            assert same(found, one.gradient_at(elsewhere(one, by)))
    assert captures.count == 1


def test_a_found_gradient_outlives_the_next_one():
    one = record()
    replayed = replace(one, take_gradient=CapturedGradient(Captures()))
    found = [replayed.gradient_at(elsewhere(one, by)) for by in (0.0, 0.1, 0.2, 0.3)]
    assert all(same(f, one.gradient_at(elsewhere(one, by))) for f, by in zip(found, (0.0, 0.1, 0.2, 0.3), strict=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: record(1, images=4, network=one.network),
        lambda one: replace(one, objective=lambda *given: 2 * cross_entropy(*given)),
        lambda one: replace(
            one,
            weights={name: weight for name, weight in one.weights.items() if name != "0.weight"},
            buffers=one.buffers | {"0.weight": one.weights["0.weight"]},
        ),
        lambda one: record(1),
    ],
    ids=["another batch size", "another objective", "a frozen layer", "another network"],
)
def test_it_is_captured_anew_for_another_function(change):
    one, captures = record(), Captures()
    take, other = CapturedGradient(captures), change(one)
    for here in (one, one, other, other, other):
        assert same(
            replace(here, take_gradient=take).gradient_at(elsewhere(here, 0.1)), here.gradient_at(elsewhere(here, 0.1))
        )
    assert captures.count == 2


def test_what_a_probe_measures_does_not_depend_on_it():
    one = record()
    measure = lambda of: along_gradient(of, step_sizes=[0.5, 1, 2], band_from=0.5).scalars  # noqa: E731
    replayed = measure(replace(one, take_gradient=CapturedGradient(Captures())))
    assert {name: float(value) for name, value in measure(one).items()} == pytest.approx(
        {name: float(value) for name, value in replayed.items()}, abs=0, nan_ok=True
    )


def test_a_cpu_takes_gradients_eagerly():
    assert gradient_taker(torch.device("cpu")) is eager_gradient
