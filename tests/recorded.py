"""Step records made by hand, for tests of what looks at them."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from normscope.record import StepRecord


def cross_entropy(logits: Tensor, targets: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """The mean cross-entropy alone, as an objective."""
    return nn.functional.cross_entropy(logits, targets)


def record_of(
    network: nn.Module,
    images: Tensor,
    targets: Tensor,
    *,
    objective: Callable[[Tensor, Tensor, Mapping[str, Tensor]], Tensor] = cross_entropy,
    lr: float = 0.1,
    **rest: object,
) -> StepRecord:
    """The record of a plain SGD step of a network as it stands; `rest` replaces any of its attributes."""
    weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    made = {
        "step": 0,
        "lr": lr,
        "network": network,
        "objective": objective,
        "images": images,
        "targets": targets,
        "random_state": torch.Generator().manual_seed(2).get_state(),  # the same, whichever test came before
        "weights": weights,
        "buffers": {name: buffer.clone() for name, buffer in network.named_buffers()},
        "updated": {},
        **rest,
    }
    record = StepRecord(**made)
    if "updated" not in rest:
        record.updated.update({name: weights[name] - lr * g for name, g in record.gradient_at(weights)[1].items()})
    return record


def quadratic(curvatures: list[float], start: list[float], lr: float, dtype: torch.dtype = torch.float32) -> StepRecord:
    """L(w) = 1/2 Σ h w² on a network whose only weights are w, so that everything is known in closed form."""
    h = torch.tensor(curvatures, dtype=dtype)

    def objective(logits: Tensor, targets: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        return 0.5 * (h * weights["weight"][0].square()).sum() + 0 * logits.sum()

    network = nn.Linear(len(start), 1, bias=False, dtype=dtype)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([start]))
    return record_of(
        network,
        torch.zeros(1, len(start), dtype=dtype),
        torch.ones(1, 1, dtype=dtype),
        objective=objective,
        lr=lr,
    )


def small_network(dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """Three named layers with BatchNorm, ReLU and dropout on (N, 3, 4, 4), ten classes; the same on every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            OrderedDict(
                layer1=nn.Sequential(
                    OrderedDict(conv=nn.Conv2d(3, 6, 3, padding=1), norm=nn.BatchNorm2d(6), activation=nn.ReLU())
                ),
                pool1=nn.MaxPool2d(2),
                layer2=nn.Sequential(
                    OrderedDict(conv=nn.Conv2d(6, 8, 3, padding=1), norm=nn.BatchNorm2d(8), activation=nn.ReLU())
                ),
                flatten=nn.Flatten(),
                layer3=nn.Sequential(
                    OrderedDict(
                        linear=nn.Linear(32, 12), norm=nn.BatchNorm1d(12), activation=nn.ReLU(), dropout=nn.Dropout(0.5)
                    )
                ),
                head=nn.Linear(12, 10),
            )
        )
    return network.to(dtype)


def small_record(dtype: torch.dtype = torch.float64, **rest: object) -> StepRecord:
    """The record of a step of `small_network` on 16 random images."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(16, 3, 4, 4, generator=generator, dtype=torch.float64).to(dtype)
    targets = torch.eye(10, dtype=dtype)[torch.arange(16) % 10]
    return record_of(small_network(dtype), images, targets, **rest)
