"""Convolutions whose weights are normalised in place of, or beside, what they give."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from normscope.layers.weight_layer import Norm


def standardised(weight: Tensor, eps: float) -> Tensor:
    """Every filter with mean 0 and variance 1.

    Qiao et al. 2019, arXiv:1903.10520, section "Weight standardization", over the C * k * k weights of each filter i:
        Ŵ_i = (W_i − mean W_i) / √(var W_i + ε)
    The variance is the biased one; the gradient goes through mean and variance.

    Args:
        weight: W, (out, in, k, k).
        eps: ε, in units of variance.
    """
    variance, mean = torch.var_mean(weight, (1, 2, 3), correction=0, keepdim=True)
    return (weight - mean) * torch.rsqrt(variance + eps)


class StandardisedConv2d(nn.Conv2d):
    """A convolution with the standardised weights; `weight` holds W, which is what is initialised and learned."""

    eps = 1e-5  # of standardised, in units of variance

    def forward(self, input: Tensor) -> Tensor:
        """(N, in, H, W) -> (N, out, H', W')."""
        weight = standardised(self.weight, self.eps)
        return F.conv2d(input, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class WeightStandardisation:
    """A choice of norm that acts on the weights of the convolutions, and passes their outputs on to another norm.

    `conv` is what `weight_layer.conv_layer` builds its convolution with.

    Args:
        eps: ε, in units of the weights' variance.
        norm: of the outputs; None leaves it out. Without one, the outputs are as large as √(fan-in) times the inputs.
    Raises:
        ValueError: if eps is not positive; and, for layers without a convolution, that there is nothing to act on.
    """

    def __init__(self, *, eps: float, norm: Norm | None) -> None:
        if eps <= 0:
            raise ValueError(f"weight_standardisation: eps ({eps}) must be positive; try 1e-5")
        self.eps, self.norm = eps, norm

    def __call__(self, channels: int, spatial: bool) -> nn.Module | None:
        """The norm of the outputs."""
        if not spatial:
            raise ValueError(
                "weight_standardisation: it acts on the filters of convolutions, and this model has fully connected "
                "hidden layers; take model=vgg11, model=small_conv or a ResNet, or model/norm=layer"
            )
        return None if self.norm is None else self.norm(channels, spatial=spatial)

    def conv(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int, bias: bool
    ) -> nn.Conv2d:
        """A convolution with standardised weights."""
        layer = StandardisedConv2d(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        layer.eps = self.eps
        return layer
