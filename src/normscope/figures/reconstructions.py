"""Images above what an autoencoder makes of them."""

from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.look import entitle, new_figure
from normscope.figures.titles import amount

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run

INCHES = 1.15  # of an image


def reconstructions_figure(
    originals: np.ndarray, made: np.ndarray, errors: np.ndarray, run: "Run", title: str
) -> "Figure":
    """Two rows of images, and below each pair its squared error.

    Args:
        originals, made: (N, H, W, C) in [0, 1], C being 3 or 1.
        errors: (N,).
    """
    count = len(originals)
    with new_figure(max(5.0, INCHES * count + 1.4), 2 * INCHES + 1.4) as figure:
        axes = figure.subplots(2, count, squeeze=False)
        for row, images in zip(axes, (originals, made), strict=True):
            for axis, image in zip(row, images, strict=True):
                axis.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=1)
                axis.set(xticks=[], yticks=[])
                axis.grid(False)
                axis.spines[:].set_visible(False)
        for axis, error in zip(axes[1], errors, strict=True):
            axis.set_xlabel(amount(error), fontsize=11)
        for axis, name in zip(axes[:, 0], ("image", "given\nback"), strict=True):
            axis.set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
        config = run.config["model"]
        layers = f", {config['layers']} layers" if config.get("layers") else ""
        caption = (
            f"Below: squared error ‖f(x) − x‖², x as the network sees it. {run.choices.get('model')}{layers}, "
            f"width {config.get('width')}, after {run.summary['step']:,} updates; scale {run.scale}, seed {run.seed}."
        )
        entitle(figure, title, caption, size=14)
    return figure
