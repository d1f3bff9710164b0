import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from normscope.probes.along_gradient import along_gradient
from normscope.probes.equal_distance import equal_distance
from normscope.turns import FLOOR
from normscope.vectors import cosine, distance_l2, norm_l2
from tests.recorded import quadratic, record_of, small_record
from tests.test_record import counted


def measured(record, radii=(0.01, 0.1)):
    return {name: float(value) for name, value in equal_distance(record, radii=list(radii)).scalars.items()}


def test_on_a_parabola_every_number_is_known():
    """L = w² from w = 3: a walk of r · 3 towards 0 ends at 3 (1 − r), and the gradient turns by 6 r; β is 2."""
    found = measured(quadratic([2.0], [3.0], lr=0.1))
    assert found["equal_distance/weight_norm"] == pytest.approx(3)
    for r in (0.01, 0.1):
        assert found[f"equal_distance/loss/r_{r:g}"] == pytest.approx(9 * (1 - r) ** 2)
        assert found[f"equal_distance/gradient/r_{r:g}"] == pytest.approx(6 * r, rel=1e-5)
        assert found[f"equal_distance/relative/r_{r:g}"] == pytest.approx(r, rel=1e-5)
        assert found[f"equal_distance/cosine/r_{r:g}"] == pytest.approx(1)
        assert found[f"equal_distance/beta/r_{r:g}"] == pytest.approx(2, rel=1e-5)


def test_it_agrees_with_along_gradient_at_the_step_size_that_goes_as_far():
    """η = r ‖θ‖ / ‖g‖, on a network with BatchNorm, ReLU and dropout in float64."""
    record = small_record()
    found = measured(record, [0.05])
    eta = 0.05 * norm_l2(record.weights) / norm_l2(record.base[1])
    there = along_gradient(replace(record, lr=eta.item()), step_sizes=[1], band_from=1).scalars
    assert found["equal_distance/loss/r_0.05"] == pytest.approx(there["loss_landscape/eta_1"].item(), rel=1e-9)
    for name, other in (("gradient", ""), ("relative", "relative/"), ("cosine", "cosine/")):
        expected = there[f"gradient_predictiveness/{other}eta_1"].item()
        assert found[f"equal_distance/{name}/r_0.05"] == pytest.approx(expected, rel=1e-9)
    assert found["equal_distance/beta/r_0.05"] == pytest.approx(there["smoothness/beta"].item(), rel=1e-9)


def test_it_agrees_with_plain_autograd():
    record = small_record()
    parameters = dict(record.network.named_parameters())

    def plainly():
        torch.set_rng_state(record.random_state)
        loss = nn.functional.cross_entropy(record.network(record.images), record.targets)
        return loss.item(), dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))

    _, gradient = plainly()
    squares = [sum(float((t**2).sum()) for t in vector.values()) for vector in (record.weights, gradient)]
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter -= 0.1 * math.sqrt(squares[0] / squares[1]) * gradient[name]
    loss, there = plainly()
    expected = {
        "equal_distance/loss/r_0.1": loss,
        "equal_distance/gradient/r_0.1": distance_l2(there, gradient).item(),
        "equal_distance/cosine/r_0.1": cosine(there, gradient).item(),
    }
    found = measured(record, [0.1])
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)


class ExactNorm(nn.Module):
    """BatchNorm of ε = 0 without γ and β; PyTorch's own refuses that ε."""

    def forward(self, inputs):
        variance, mean = torch.var_mean(inputs, 0, correction=0)
        return (inputs - mean) / variance.sqrt()


def scaled_record(scale):
    """A step of a network whose every weight stands before a BatchNorm of ε = 0, all weights `scale` times as long."""
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential()
        for inputs, outputs in ((5, 8), (8, 4)):
            network.append(nn.Linear(inputs, outputs, bias=False))
            network.append(ExactNorm())
            network.append(nn.Tanh())
    network.double()
    with torch.no_grad():
        for weight in network.parameters():
            weight *= scale
    images = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    return record_of(network, images, torch.eye(4, dtype=torch.float64)[torch.arange(12) % 4])


def test_the_scale_that_batch_norm_leaves_open_changes_no_curve_at_equal_distance():
    plain, long = measured(scaled_record(1)), measured(scaled_record(3))
    for name, power in (("loss", 0), ("relative", 0), ("cosine", 0), ("gradient", -1), ("beta", -2)):
        for r in ("r_0.01", "r_0.1"):
            series = f"equal_distance/{name}/{r}"
            assert long[series] == pytest.approx(plain[series] * 3.0**power, rel=1e-9)
    equal_steps = [along_gradient(scaled_record(c), step_sizes=[1], band_from=1).scalars for c in (1, 3)]
    relative = [float(found["gradient_predictiveness/relative/eta_1"]) for found in equal_steps]
    assert relative[0] > 5 * relative[1]  # at equal η the longer weights seem smoother, and are the same function


def test_differences_that_may_be_rounding_are_flagged():
    """On a parabola the gradient turns by r, in units of itself, against ten times a floor of 0.002."""
    record = replace(quadratic([1.0], [1.0], lr=0.1), earlier={FLOOR: torch.tensor(0.002)})
    found = measured(record)
    assert found["equal_distance/below_floor/r_0.01"] == 1
    assert found["equal_distance/below_floor/r_0.1"] == 0


@pytest.mark.parametrize("radii", [[], [0.1, 0.0], [-1.0]])
def test_radii_that_make_no_sense_are_refused(radii):
    with pytest.raises(ValueError, match=r"radii \(\[.*\]\) must be one or more numbers > 0.*e\.g\. \[0\.001"):
        equal_distance(quadratic([1.0], [1.0], lr=0.1), radii=radii)


def test_k_radii_cost_k_passes(monkeypatch):
    record = small_record()
    record = replace(record, own=record.base)
    passes = counted(monkeypatch)
    measured(record, (0.001, 0.01, 0.1))
    assert len(passes) == 3
