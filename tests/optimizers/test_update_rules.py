"""Every optimizer of configs/optimizer against its update rule, written out by hand and followed step by step."""

import numpy as np
import pytest
import torch
from torch import nn

from normscope.composed import composed
from normscope.parts import build_optimizer
from normscope.training.loop import set_lr

STEPS = 12
START = np.array([-7.0, 2.0])
CONSTANT = [0.1] * STEPS
FALLING = [0.1 / (1 + step) for step in range(STEPS)]
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def slope(w):
    """∇f of the ravine f(x, y) = x²/20 + y²."""
    return np.array([w[0] / 10, 2 * w[1]])


class Point(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(START))


def followed(name, rates, *overrides):
    """The way of the optimizer that the config makes, (STEPS, 2)."""
    point = Point()
    node = composed([f"optimizer={name}", *overrides])[0]["optimizer"]
    optimizer = build_optimizer(node, [*point.parameters()], torch.device("cpu"))
    way = []
    for rate in rates:
        set_lr(optimizer, rate)
        point.w.grad = torch.tensor(slope(point.w.detach().numpy()))
        optimizer.step()
        way.append(point.w.detach().clone().numpy())
    return np.array(way)


def by_hand(rule, rates):
    """The way of a rule (w, g, a, t, memory) -> w, which keeps what it needs in `memory`."""
    w, way, memory = START.copy(), [], {}
    for number, a in enumerate(rates, start=1):
        w = rule(w, slope(w), a, number, memory)
        way.append(w)
    return np.array(way)


def sgd(w, g, a, t, memory):
    return w - a * g


def pytorchs_momentum(w, g, a, t, memory):
    memory["v"] = 0.9 * memory.get("v", 0) + g
    return w - a * memory["v"]


def velocity_with_the_rate_in_it(w, g, a, t, memory):
    memory["v"] = 0.9 * memory.get("v", 0) - a * g
    return w + memory["v"]


def velocity_that_is_subtracted(w, g, a, t, memory):
    memory["v"] = 0.9 * memory.get("v", 0) + a * g
    return w - memory["v"]


def nesterov_of_the_seminar(w, g, a, t, memory):
    """In w~ = w + ρ v: v <- ρ v − a g(w~), w~ <- w~ − ρ v_old + (1 + ρ) v_new."""
    old = memory.get("v", 0)
    memory["v"] = 0.9 * old - a * g
    return w - 0.9 * old + 1.9 * memory["v"]


def adagrad(w, g, a, t, memory):
    memory["G"] = memory.get("G", 0) + g**2
    return w - a * g / (np.sqrt(memory["G"]) + 1e-10)


def rmsprop(w, g, a, t, memory):
    memory["G"] = 0.9 * memory.get("G", 0) + 0.1 * g**2
    return w - a * g / (np.sqrt(memory["G"]) + EPS)


def moments(g, memory):
    memory["m"] = BETA1 * memory.get("m", 0) + (1 - BETA1) * g
    memory["s"] = BETA2 * memory.get("s", 0) + (1 - BETA2) * g**2
    return memory["m"], memory["s"]


def adam(w, g, a, t, memory):
    m, s = moments(g, memory)
    return w - a * (m / (1 - BETA1**t)) / (np.sqrt(s / (1 - BETA2**t)) + EPS)


def adamax(w, g, a, t, memory):
    """ε inside the maximum, as PyTorch has it; Kingma & Ba have none."""
    m, _ = moments(g, memory)
    memory["u"] = np.maximum(BETA2 * memory.get("u", 0), abs(g) + EPS)
    return w - a / (1 - BETA1**t) * m / memory["u"]


def nadam(w, g, a, t, memory):
    """Dozat 2016, algorithm 2, with his schedule μ_t = β1 (1 − 0.96^(t ψ) / 2), ψ = 0.004."""
    m, s = moments(g, memory)
    mu, after = (BETA1 * (1 - 0.5 * 0.96 ** (number * 0.004)) for number in (t, t + 1))
    memory["product"] = memory.get("product", 1) * mu
    look_ahead = after * m / (1 - memory["product"] * after) + (1 - mu) * g / (1 - memory["product"])
    return w - a * look_ahead / (np.sqrt(s / (1 - BETA2**t)) + EPS)


def radam(w, g, a, t, memory):
    """Liu et al. 2020, algorithm 2; the rate is adapted only from the sixth step on."""
    m, s = moments(g, memory)
    longest = 2 / (1 - BETA2) - 1
    rho = longest - 2 * t * BETA2**t / (1 - BETA2**t)
    step = m / (1 - BETA1**t)
    if rho <= 5:
        return w - a * step
    r = np.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
    return w - a * r * step * np.sqrt(1 - BETA2**t) / (np.sqrt(s) + EPS)


def adadelta(w, g, a, t, memory):
    memory["G"] = 0.95 * memory.get("G", 0) + 0.05 * g**2
    change = np.sqrt(memory.get("D", 0) + 1e-6) / np.sqrt(memory["G"] + 1e-6) * g
    memory["D"] = 0.95 * memory.get("D", 0) + 0.05 * change**2
    return w - a * change


def adafactor(w, g, a, t, memory):
    """Shazeer & Stern 2018, algorithm 5 (a vector is not factored), with the rate as the bound of ρ_t."""
    keep = 1 - t**-0.8
    memory["V"] = keep * memory.get("V", 0) + (1 - keep) * np.maximum(g**2, np.finfo(float).eps ** 2)
    update = g / np.sqrt(memory["V"])
    update /= max(1, np.sqrt((update**2).mean()))
    return w - max(1e-3, np.sqrt((w**2).mean())) * min(a, t**-0.5) * update


RULES = {
    "sgd": sgd,
    "momentum": pytorchs_momentum,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamax": adamax,
    "nadam": nadam,
    "radam": radam,
    "adadelta": adadelta,
    "adafactor": adafactor,
}


@pytest.mark.parametrize("rates", [CONSTANT, FALLING], ids=["constant", "falling"])
@pytest.mark.parametrize("name", RULES)
def test_an_optimizer_follows_its_rule(name, rates):
    np.testing.assert_allclose(followed(name, rates), by_hand(RULES[name], rates), rtol=1e-7, atol=1e-7)


def test_nesterov_is_the_seminars_at_a_constant_rate():
    expected = by_hand(nesterov_of_the_seminar, CONSTANT)
    np.testing.assert_allclose(followed("nesterov", CONSTANT), expected, rtol=1e-12)


def test_the_three_spellings_of_momentum_agree_until_the_rate_changes():
    spellings = (pytorchs_momentum, velocity_with_the_rate_in_it, velocity_that_is_subtracted)
    first, *others = (by_hand(rule, CONSTANT) for rule in spellings)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-12)
    torchs, inside, subtracted = (by_hand(rule, FALLING) for rule in spellings)
    np.testing.assert_allclose(inside, subtracted, rtol=1e-12)  # the rate is part of the velocity in both
    np.testing.assert_allclose(torchs[0], inside[0], rtol=1e-12)
    assert abs(torchs[-1] - inside[-1]).max() > 0.1  # they remember steps taken at the earlier, larger rate


def test_momentum_is_ten_times_as_fast_on_a_constant_slope():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
    before = 0.0
    for _ in range(200):
        before = weight.item()
        weight.grad = torch.ones(1)
        optimizer.step()
    assert before - weight.item() == pytest.approx(1 / (1 - 0.9), rel=1e-5)


def test_adamw_is_pytorchs_with_its_decay_among_the_regularizers():
    from normscope.parts import regularizers

    config = composed(["optimizer=adamw"])[0]
    (decay,) = regularizers(config["regularizer"]).decay
    point, other = Point(), Point()
    optimizer = build_optimizer(config["optimizer"], [*point.parameters()], torch.device("cpu"))
    theirs = torch.optim.AdamW(other.parameters(), lr=0.001, weight_decay=0.01)
    for _ in range(STEPS):
        for student in (point, other):
            student.w.grad = torch.tensor(slope(student.w.detach().numpy()))
        decay(dict(point.named_parameters()), 0.001)
        optimizer.step()
        theirs.step()
    torch.testing.assert_close(point.w, other.w, rtol=1e-12, atol=0)


def test_adamw_goes_with_other_regularizers_and_decays_once():
    chosen = composed(["optimizer=adamw", "regularizer=[crop_flip,weight_decay]"])[0]["regularizer"]
    assert sorted(chosen) == ["crop_flip", "weight_decay"]
    assert chosen["weight_decay"]["decay"]["strength"] == 5e-4  # the one that was asked for
