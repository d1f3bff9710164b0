"""Max-pooling over random regions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FractionalMaxPool(nn.Module):
    """Max-pooling that shrinks an image by any factor, over regions whose places are random.

        H -> ⌊ρ H⌋;   region i begins at ⌊α (i + u)⌋ − ⌊α u⌋,   α = (H − k) / (⌊ρ H⌋ − 1),   u ~ U(0, 1)

    Graham 2014, arXiv:1412.6071, section 2: pseudo-random, overlapping regions of k pixels, u drawn for each image and
    channel, for rows and for columns. In evaluation u = 1/2, so that the network answers alike every time; the paper
    averages the answers of several draws.

    Args:
        kernel_size: k, pixels.
        ratio: ρ, within (0, 1); at 1/2 the regions of 2 pixels have one place only, and nothing is random.
    Raises:
        ValueError: if ratio is outside (0, 1), or an image too small for it; the message holds the values.
    """

    def __init__(self, kernel_size: int, *, ratio: float) -> None:
        super().__init__()
        if not 0 < ratio < 1:
            raise ValueError(f"regularizer.fractional_max_pool: ratio ({ratio}) must lie within (0, 1)")
        self.kernel_size, self.ratio = kernel_size, ratio

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ⌊ρ H⌋, ⌊ρ W⌋)."""
        size = [int(self.ratio * extent) for extent in inputs.shape[2:]]
        if any(
            out < 1 or self.kernel_size + out - 1 > extent for out, extent in zip(size, inputs.shape[2:], strict=True)
        ):
            raise ValueError(
                f"regularizer.fractional_max_pool: ratio ({self.ratio}) and regions of {self.kernel_size} pixels do "
                f"not fit images of {inputs.shape[2]}x{inputs.shape[3]}; take larger images or another ratio"
            )
        # a probe in float32 or float64 must see the regions of a step in bfloat16, whose 8 bits would move them
        type_ = torch.promote_types(inputs.dtype, torch.float32)
        draws = (*inputs.shape[:2], 2)
        places = torch.rand(draws, device=inputs.device) if self.training else inputs.new_full(draws, 0.5)
        with torch.no_grad():
            _, index = F.fractional_max_pool2d_with_indices(
                inputs.to(type_), (self.kernel_size, self.kernel_size), size, _random_samples=places.to(type_)
            )  # (N, C, ⌊ρ H⌋, ⌊ρ W⌋), of pixels
        # picked by hand, because PyTorch's own has no second derivative
        return inputs.flatten(2).gather(2, index.flatten(2)).view(index.shape)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, ratio={self.ratio}"
