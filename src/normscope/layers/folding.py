"""Norms that are constants at evaluation, taken into the weights before them."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from normscope.layers.weight_standardisation import StandardisedConv2d


def folded(network: nn.Module) -> nn.Module:
    """The same function at evaluation without its BatchNorms: each is folded into the layer before it.

    Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1, algorithm 2, step 11: with fixed statistics E and Var a norm is
    a line, z = a y + b with a = γ / √(Var + ε) and b = β − a E, and behind a layer y = W x + c it gives
        z = (a W) x + (a c + b)
    so that it costs nothing at inference. This goes for every norm that evaluates by averages: BatchNorm, with noise or
    by virtual batches, l1, l2, l_infinity, frozen statistics, and the affine map alone.

    Args:
        network: its children `norm` stand right behind a `conv` or `linear`, as `weight_layer` builds them.
    Returns:
        A copy in evaluation mode, without norms; the network stays as it is.
    Raises:
        ValueError: if there is no norm, or one that is no line at evaluation (layer, group, instance) or does not
            stand behind a layer with weights; the message holds which.
    """
    copy = deepcopy(network).eval()
    norms = [name for name, _ in copy.named_modules() if name.rpartition(".")[2] == "norm"]
    if not norms:
        raise ValueError("folding: this network has no norm to be folded; take a run with model/norm=batch")
    for name in norms:
        parent = copy.get_submodule(name.rpartition(".")[0])
        names = [child for child, _ in parent.named_children()]
        before = getattr(parent, names[names.index("norm") - 1])
        if not isinstance(before, nn.Conv2d | nn.Linear) or isinstance(before, StandardisedConv2d):
            raise ValueError(
                f"folding: {name} follows a {type(before).__name__}, whose weights cannot take it in; it has to stand "
                "right behind a convolution or a fully connected layer: model.norm_position=before"
            )
        _fold(before, *line_of(parent.norm, name))  # type: ignore[arg-type]
        del parent.norm
    return copy


def line_of(norm: nn.Module, name: str) -> tuple[Tensor, Tensor]:
    """a and b, (C,), of z = a y + b, as which a norm acts at evaluation.

    Raises:
        ValueError: if it is no such line; the message holds its name.
    """
    if isinstance(norm, _BatchNorm) and norm.running_mean is not None and norm.running_var is not None:
        slope = (norm.running_var.double() + norm.eps).rsqrt()
        slope = slope if norm.weight is None else slope * norm.weight
        shift = -slope * norm.running_mean
        return slope, shift if norm.bias is None else shift + norm.bias
    in_evaluation = getattr(norm, "in_evaluation", None)
    if in_evaluation is None:
        raise ValueError(
            f"folding: {name} is a {type(norm).__name__}, which looks at each image at evaluation too or is no norm at "
            "all; only norms with averages over batches are folded, such as model/norm=batch"
        )
    line: tuple[Tensor, Tensor] = in_evaluation()
    return line


@torch.no_grad()
def _fold(layer: nn.Conv2d | nn.Linear, slope: Tensor, shift: Tensor) -> None:
    """W <- a W, c <- a c + b, computed in float64."""
    slope, shift, weight = slope.double(), shift.double(), layer.weight
    if layer.bias is not None:
        shift = shift + slope * layer.bias
    scaled = weight.double() * slope.view(-1, *[1] * (weight.dim() - 1))
    weight.copy_(scaled)
    layer.bias = nn.Parameter(shift.to(weight))
