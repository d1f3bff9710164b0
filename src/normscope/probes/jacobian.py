"""The singular values of each layer's Jacobian."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from normscope.layer_values import kept
from normscope.measurement import Measurement
from normscope.record import StepRecord

AT_ONCE = 2**20  # entries of the largest tensor in the backward passes that make a Jacobian's rows


def jacobian(record: StepRecord, *, images: int, max_entries: int) -> Measurement:
    """By which factors a layer stretches small changes of what it receives.

    Glorot & Bengio 2010, section 4.2.1: the singular values of ∂z^{i+1}/∂z^i, z being the activations of two layers
    that follow one another. Where their mean is below 1, small differences shrink on the way up, and gradients on the
    way down; in tanh networks the paper finds about 0.5 with the usual initialisation, and about 0.8 with its own.
    Whatever stands between the two activations belongs to the layer, pools and dropout too. Below a residual block
    stands the block before it, so that the shortcut counts.

    A Jacobian is computed whole, for one image at a time: a backward pass through the one layer for each of its units,
    and a singular value decomposition. The first layer, below which there are no activations, has none, and layers
    whose Jacobian is larger than `max_entries` are left out: of a VGG at full width, all but the last ones.

    Args:
        record: one training step; it is looked at with the weights before the update.
        images: how many of the batch, at least 1; the results are means over them.
        max_entries: a layer's units times those of the layer below, at least 1.
    Returns:
        scalars `jacobian/<layer>/{mean,min,max}` over the singular values, as many as the smaller layer has units.
    Raises:
        ValueError: if images or max_entries is too small, or if the images of a batch are coupled, as by BatchNorm:
            then no image has a Jacobian of its own.
    """
    if images < 1 or max_entries < 1:
        raise ValueError(f"probe.jacobian: images ({images}) and max_entries ({max_entries}) must be at least 1")
    with record.as_in_the_step():
        _refuse_coupled(record, record.images[: max(images, 2)])
        found = [_of_one(record, image[None], max_entries) for image in record.images[:images]]
    scalars: dict[str, Tensor | float] = {}
    for layer in found[0]:
        mean, smallest, largest = torch.stack([factors[layer] for factors in found]).mean(0)
        scalars[f"jacobian/{layer}/mean"] = mean
        scalars[f"jacobian/{layer}/min"] = smallest
        scalars[f"jacobian/{layer}/max"] = largest
    return Measurement(scalars)


def consecutive(layers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(layer below, layer): below stands the last one that ends before this one, which may hold others, begins.

    Args:
        layers: in the order in which a forward pass leaves them.
    """
    for index, layer in enumerate(layers):
        outside = [other for other in layers[:index] if not other.startswith(f"{layer}.")]
        if outside:
            yield outside[-1], layer


def matrix(above: Tensor, below: Tensor) -> Tensor:
    """∂above/∂below as a matrix (M, D); M and D are their numbers of entries, and `above` depends on `below`."""
    at_once = max(1, AT_ONCE // max(above.numel(), below.numel()))
    rows = []
    for units in torch.arange(above.numel(), device=above.device).split(at_once):
        ends = F.one_hot(units, above.numel()).to(above.dtype).view(-1, *above.shape)
        (row,) = torch.autograd.grad(above, below, ends, retain_graph=True, is_grads_batched=True)
        rows.append(row.flatten(1))
    return torch.cat(rows)


def singular_values(matrix: Tensor) -> Tensor:
    """All min(M, D) of them, the largest first; nan where the matrix is not finite.

    Units that are silent and pixels that a pool drops leave rows and columns of zeros: without these, and reduced to
    its triangular factor where it is far from square, a matrix has the same singular values up to zeros, in a fraction
    of the time. All of this waits for the device, as any decomposition does.
    """
    if not matrix.isfinite().all():  # LAPACK would raise, and end a run that is about to be called diverged
        return matrix.new_full((1,), torch.nan)
    full = matrix[matrix.any(1)][:, matrix.any(0)]
    tall = full if full.shape[0] >= full.shape[1] else full.T
    values = torch.linalg.svdvals(torch.linalg.qr(tall, mode="r").R)
    return F.pad(values, (0, min(matrix.shape) - len(values)))


def _of_one(record: StepRecord, image: Tensor, max_entries: int) -> dict[str, Tensor]:
    """Layer -> (3,) mean, smallest and largest singular value for one image (1, C, H, W)."""
    activations = _activations(record, image.detach().clone().requires_grad_())
    sizes, found = [], {}
    for below, layer in consecutive(list(activations)):
        sizes.append(activations[layer].numel() * activations[below].numel())
        if sizes[-1] <= max_entries:
            factors = singular_values(matrix(activations[layer], activations[below]))
            found[layer] = torch.stack([factors.mean(), factors.min(), factors.max()])
    if not sizes:
        raise ValueError("probe.jacobian: this network has no two layers with activations; leave the probe out")
    if not found:
        raise ValueError(
            f"probe.jacobian.max_entries ({max_entries}): the smallest Jacobian of a layer has {min(sizes)} entries; "
            "raise it, or make the network narrower with model.width"
        )
    return found


def _refuse_coupled(record: StepRecord, images: Tensor) -> None:
    """Raise ValueError if the activations of the first image depend on the others; a host read that decides it."""
    images = images.detach().clone().requires_grad_()
    of_the_first = torch.stack([values[0].sum() for values in _activations(record, images).values()]).sum()
    (gradient,) = torch.autograd.grad(of_the_first, images)
    if (gradient[1:].abs() > 0).any():
        raise ValueError(
            "probe.jacobian: the network normalises over the batch, so that an image's activations depend on the other "
            "images and no image has a Jacobian of its own; measure it with model/norm=none"
        )


def _activations(record: StepRecord, images: Tensor) -> dict[str, Tensor]:
    """Layer -> activations of these images at θ_t, with their graph."""
    with kept(record.network, ("activations",)) as values:
        replace(record, images=images, targets=record.targets[: len(images)]).evaluate(record.weights)
    return values["activations"]
