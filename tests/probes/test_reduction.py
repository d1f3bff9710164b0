import copy
from collections import OrderedDict
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from normscope.layers.batch_norm import batch_norm
from normscope.models.resnet import resnet
from normscope.models.vgg import vgg
from normscope.probes.reduction import BANDS, READS, reduction
from tests.recorded import cross_entropy, record_of, small_network, small_record
from tests.test_record import counted


def measured(record):
    return {name: float(value) for name, value in reduction(record).scalars.items()}


def one_unit(eps=1e-12, **options):
    """A network that is one BatchNorm unit on y = (−3, −3, 3, 3), γ = 2, and L = z₁: σ = 3 and gz = (1, 0, 0, 0)."""
    norm = nn.BatchNorm1d(1, eps=eps, dtype=torch.float64, **options)
    linear = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    network = nn.Sequential(OrderedDict(layer1=nn.Sequential(OrderedDict(linear=linear, norm=norm))))
    with torch.no_grad():
        linear.weight.fill_(1.0)
        if norm.affine:
            norm.weight.fill_(2.0)
    images = torch.tensor([[-3.0], [-3.0], [3.0], [3.0]], dtype=torch.float64)
    return record_of(network, images, images, objective=lambda logits, targets, weights: logits[0, 0])


def test_of_one_unit_every_number_is_known():
    """⟨1,gz⟩ = 1 and ⟨gz,ŷ⟩ = −1, so that a quarter of |gz|² = 1 is lost along each of the two directions."""
    found = measured(one_unit())
    for name in ("reduction", "reduction_p15", "reduction_p85"):
        assert found[f"theorems/{name}"] == found[f"theorems/layer1/{name}"] == pytest.approx(0.5)
    assert found["theorems/layer1/reduction_along_ones"] == pytest.approx(0.25)
    assert found["theorems/layer1/reduction_along_normalised"] == pytest.approx(0.25)
    assert found["theorems/layer1/gamma_gradient_positive"] == 0
    for name in ("gap_4_1", "violation_4_1", "error_c1", "error_beta", "error_gamma"):
        assert found[f"theorems/layer1/{name}"] < 1e-10


def test_the_gap_of_theorem_4_1_is_the_work_of_eps():
    """σ² = 9 + ε = 10 and ⟨gz,ŷ⟩² = 9/10. In units of |gz|² γ²/σ² the right side is 1 − 1/4 − 9/40, and the slack
    ⟨gz,ŷ⟩²/m * ε/σ² = 9/400."""
    found = measured(one_unit(eps=1.0))
    assert found["theorems/layer1/gap_4_1"] == pytest.approx((9 / 400) / (1 - 1 / 4 - 9 / 40))
    assert found["theorems/layer1/violation_4_1"] == 0
    assert found["theorems/layer1/error_c1"] < 1e-12


def test_without_gamma_and_beta_there_is_nothing_to_compare_them_with():
    found = measured(one_unit(affine=False))
    assert found["theorems/layer1/reduction"] == pytest.approx(0.5)
    assert "theorems/layer1/error_beta" not in found


def naive(network, record):
    """The same by retained gradients of plain autograd and numpy, unit by unit."""
    network, held = copy.deepcopy(network), {}
    for name, layer in network.named_children():
        if hasattr(layer, "norm"):
            layer.norm.register_forward_hook(lambda module, y, z, name=name: held.update({name: (y[0], z)}))
    torch.set_rng_state(record.random_state)
    logits = network(record.images)
    for y, z in held.values():
        y.retain_grad()
        z.retain_grad()
    cross_entropy(logits, record.targets, {}).backward()
    for name, (y, z) in held.items():
        norm = getattr(network, name).norm
        lost, gaps, signs = [], [], []
        for j in range(y.shape[1]):
            values, gy, gz = (t.detach()[:, j].numpy().ravel() for t in (y, y.grad, z.grad))
            if not gz.any():  # dead
                continue
            variance, gamma, m = values.var() + norm.eps, norm.weight[j].item(), values.size
            normalised = (values - values.mean()) / np.sqrt(variance)
            lost.append(1 - gy @ gy * variance / (gamma**2 * (gz @ gz)))
            right = gamma**2 / variance * (gz @ gz - gz.sum() ** 2 / m - (gz @ normalised) ** 2 / m)
            gaps.append(abs(gy @ gy - right) / right)
            signs.append(gz @ normalised > 0)
        yield name, lost, max(gaps), np.mean(signs)


@pytest.fixture
def uneven():
    """The small record with γ and β that are not 1 and 0."""
    network = small_network()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if ".norm." in name:
                weight += 0.5 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
    record = small_record()
    return record_of(network, record.images, record.targets)


def test_it_agrees_with_plain_autograd(uneven):
    found = measured(uneven)
    together = []
    for layer, lost, gap, positive in naive(uneven.network, uneven):
        expected = dict(zip(("_p15", "", "_p85"), np.quantile(lost, [0.15, 0.5, 0.85]), strict=True))
        for suffix, value in expected.items():
            assert found[f"theorems/{layer}/reduction{suffix}"] == pytest.approx(value, rel=1e-9)
        assert found[f"theorems/{layer}/gap_4_1"] == pytest.approx(gap, rel=1e-6)  # itself a difference, 1e-5
        assert found[f"theorems/{layer}/gamma_gradient_positive"] == pytest.approx(positive)
        together += lost
    assert found["theorems/reduction"] == pytest.approx(np.median(together), rel=1e-9)


def test_on_a_whole_network_the_equations_hold_to_rounding(uneven):
    found = measured(uneven)
    for layer in ("layer1", "layer2", "layer3"):
        for name in ("violation_4_1", "error_c1", "error_beta", "error_gamma"):
            assert found[f"theorems/{layer}/{name}"] < 1e-9


def test_weight_decay_in_the_objective_is_no_part_of_the_gradients_that_are_compared(uneven):
    def decayed(logits, targets, weights):
        return cross_entropy(logits, targets, weights) + sum(w.square().sum() for w in weights.values())

    plain, found = measured(uneven), measured(replace(uneven, objective=decayed))
    assert found["theorems/layer2/error_beta"] < 1e-9
    assert found["theorems/layer2/error_gamma"] < 1e-9
    assert found["theorems/layer2/reduction"] == plain["theorems/layer2/reduction"]


def test_dead_units_count_nowhere(uneven):
    """β = −100 keeps a unit below the ReLU."""
    uneven.weights["layer2.norm.bias"][3:] = -100
    found = measured(uneven)
    alive = next(lost for layer, lost, *_ in naive(loaded(uneven), uneven) if layer == "layer2")
    assert found["theorems/layer2/reduction"] == pytest.approx(np.median(alive), rel=1e-9)
    assert all(np.isfinite(value) for value in found.values())


def deep(model, **shape):
    """The record of a step of a narrow network on 8 images, in float64."""
    norm = partial(batch_norm, eps=1e-5, momentum=0.1, affine=True)
    network = model(
        in_channels=3,
        classes=10,
        image_size=32,
        width=1 / 16,
        bias="auto",
        norm=norm,
        activation=nn.ReLU,
        **shape,
    ).double()
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return record_of(network, images, torch.eye(10, dtype=torch.float64)[:8])


@pytest.mark.parametrize(
    ("model", "shape", "layers"),
    [(vgg, {"depth": 11, "head": "mlp"}, 10), (resnet, {"depth": 18, "stem": "cifar"}, 20)],
)
def test_every_norm_of_a_deep_network_obeys(model, shape, layers):
    """10 layers of VGG-11 with its hidden classifier; 17 convolutions of ResNet-18 and three shortcuts."""
    found = measured(deep(model, **shape))
    errors = [value for name, value in found.items() if name.endswith("/error_c1")]
    assert len(errors) == layers
    assert max(errors) < 1e-9
    assert max(value for name, value in found.items() if name.endswith("/violation_4_1")) < 1e-9
    assert 0 < found["theorems/reduction_p15"] < found["theorems/reduction"] < found["theorems/reduction_p85"] < 1


def loaded(record):
    """The record's network with the record's weights."""
    network = copy.deepcopy(record.network)
    network.load_state_dict(record.weights, strict=False)
    return network


def test_a_network_without_batch_norm_is_refused():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    record = record_of(network, torch.randn(4, 3, 2, 2), torch.eye(2)[[0, 1, 0, 1]])
    with pytest.raises(ValueError, match=r"has no BatchNorm.*model/norm=batch"):
        reduction(record)


@pytest.mark.parametrize("own", [True, False])
def test_it_costs_one_pass(uneven, monkeypatch, own):
    record = replace(uneven, own=uneven.base if own else None, reads=frozenset(READS))
    passes = counted(monkeypatch)
    reduction(record)
    assert len(passes) == 1


def test_the_band_is_made_of_series_that_there_are(uneven):
    assert {name for band in BANDS.values() for name in band} <= measured(uneven).keys()
