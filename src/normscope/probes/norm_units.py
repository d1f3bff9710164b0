"""The BatchNorm layers of a recorded step, unit by unit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as Norm

from normscope.record import StepRecord, leaves

BLOCK = 2**18  # values that a CPU's cache holds while several sums are taken of them


@dataclass(frozen=True)
class Units:
    """Units of one BatchNorm layer at one forward point, a column of m values each.

    Santurkar et al. 2018, arXiv:1805.11604, section 4: z = γ ŷ + β with ŷ = (y − mean y) / σ and σ² = var y + ε, the
    biased variance; L is any function of z. m is N for features and N * H * W for images. Both gradients belong to
    this forward point: the theorems say nothing of a network that holds other values.

    Attributes:
        y: what the norm gets, (m, U).
        gy: ∂L/∂y through the norm, (m, U).
        gz: ∂L/∂z, (m, U).
        gamma: γ, (U,).
        eps: ε, in units of variance.
    """

    y: Tensor
    gy: Tensor
    gz: Tensor
    gamma: Tensor
    eps: float = 0.0

    @property
    def m(self) -> int:
        """The number of values over which a unit is normalised."""
        return self.y.shape[0]

    @cached_property
    def mean(self) -> Tensor:
        """mean y, (U,)."""
        return self.y.mean(0)

    @cached_property
    def _sums(self) -> Tensor:
        """Σ(y − mean y)², Σ(y − mean y) gz, Σgz and Σgz², Σgy² of each unit: (5, U), float64."""

        def products(y: Tensor, gy: Tensor, gz: Tensor) -> Tensor:
            y = y - self.mean
            return torch.stack([(y * y).sum(0), (y * gz).sum(0), gz.sum(0), (gz * gz).sum(0), (gy * gy).sum(0)])

        return sum_of_blocks(products, self.y, self.gy, self.gz)

    @property
    def variance(self) -> Tensor:
        """σ² = var y + ε, (U,)."""
        return self._sums[0] / self.m + self.eps

    @property
    def along_normalised(self) -> Tensor:
        """⟨gz, ŷ⟩, (U,): the gradient of γ."""
        return self._sums[1] / self.variance.sqrt()

    @property
    def along_ones(self) -> Tensor:
        """⟨1, gz⟩, (U,): the gradient of β."""
        return self._sums[2]

    @property
    def gz_squared(self) -> Tensor:
        """|gz|², (U,)."""
        return self._sums[3]

    @property
    def gy_squared(self) -> Tensor:
        """|gy|², (U,)."""
        return self._sums[4]

    def chosen(self, units: Tensor) -> "Units":
        """Some of the units, by an index (k,)."""
        y, gy, gz = (values.index_select(1, units) for values in (self.y, self.gy, self.gz))
        return Units(y, gy, gz, self.gamma.index_select(0, units), self.eps)


def sum_of_blocks(function: Callable[..., Tensor], *columns: Tensor) -> Tensor:
    """function(columns) for a function that sums over the rows: block by block, added up in float64.

    What it computes on the way stays in the cache of a CPU; a GPU takes all rows at once.
    """
    rows = max(1, BLOCK // columns[0].shape[1]) if columns[0].device.type == "cpu" else columns[0].shape[0]
    parts = [function(*block).double() for block in zip(*(values.split(rows) for values in columns), strict=True)]
    return torch.stack(parts).sum(0)


def largest(values: Tensor) -> Tensor:
    """The largest of the units' values (U,); a unit with nan, 0/0 where its gradient is 0, has none."""
    return torch.where(values.isnan(), 0.0, values).max()


def columns(values: Tensor) -> Tensor:
    """(N, C) or (N, C, H, W) -> (m, C), a unit in each column; a view where the channels come last in memory."""
    return values.movedim(1, -1).flatten(0, -2)


def batch_norms(network: nn.Module) -> dict[str, Norm]:
    """The BatchNorm of each layer, called as in `layer_values`; those that are frozen do not look at their batch, and
    are left out.

    Raises:
        ValueError: if there is none.
    """
    found = {
        name.removesuffix(".norm"): module
        for name, module in network.named_modules()
        if name.endswith(".norm")
        and type(module) in (nn.BatchNorm1d, nn.BatchNorm2d)  # not noisy, not by parts
        and module.training
    }
    if not found:
        raise ValueError(
            "this network has no BatchNorm that looks at its batch, and what is asked is what BatchNorm does to its "
            "gradient; take model/norm=batch (and let blocks learn, where they are frozen), or leave the probe out"
        )
    return found


def gammas(record: StepRecord, layer: str, channels: int) -> Tensor:
    """γ of a layer's norm, (C,); 1 where it has none."""
    ones = torch.ones(channels, dtype=record.images.dtype, device=record.images.device)
    return record.weights.get(f"{layer}.norm.weight", ones)


def gradient_through_logits(record: StepRecord, names: Iterable[str]) -> dict[str, Tensor]:
    """The part of ∇L that comes back through the network: without that of the terms that see the weights directly.

    With weight decay in the objective, L = f(logits) + h(weights), ∇L is the sum of both, and what is proved of the
    loss of a network's outputs holds for the first alone.

    Args:
        names: of the weights that are asked for.
    """
    points = leaves({name: record.weights[name] for name in names})
    if not points:  # norms without γ and β
        return {}
    logits = torch.zeros_like(record.targets).requires_grad_()  # ∇h is the same at all logits
    value = record.objective(logits, record.targets, {**record.weights, **points})
    direct = torch.autograd.grad(value, list(points.values()), materialize_grads=True)
    return {name: record.base[1][name] - part for name, part in zip(points, direct, strict=True)}
