"""The one look of all figures."""

import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

INK = "#333333"
BOLD_LETTERS_AN_INCH = 115  # of one point in size
LETTERS_AN_INCH = 12.1  # of a caption
GREY = "#767676"
ARM_COLOURS = {  # told apart by every kind of colour vision: Okabe & Ito 2008, from `layer` on Paul Tol's "muted"
    "none": "#D55E00",
    "batch": "#0072B2",
    "noisy_batch": "#E69F00",
    "noise": "#661100",
    "l1": "#009E73",
    "l2": "#56B4E9",
    "l_infinity": "#CC79A7",
    "layer": "#117733",
    "group": "#882255",
    "instance": "#AA4499",
    "ghost_batch": "#332288",
    "weight_standardisation": "#44AA99",
    "frozen_statistics": "#999933",
    "affine_only": "#DDCC77",
}
OTHER_COLOURS = {  # of arms that are no norms: within a group they are told apart in the same way
    "standard": "#D55E00",
    "default": "#332288",
    "gaussian": "#E69F00",
    "glorot_uniform": "#0072B2",
    "glorot_normal": "#56B4E9",
    "lecun_normal": "#CC79A7",
    "he_normal": "#009E73",
    "sigmoid": "#E69F00",
    "tanh": "#0072B2",
    "softsign": "#CC79A7",
    "relu": "#D55E00",
    "prelu": "#882255",
    "selu": "#009E73",
    "sgd": "#D55E00",
    "momentum": "#E69F00",
    "adagrad": "#009E73",
    "adam": "#0072B2",
    "add": "#D55E00",
    "fixup": "#0072B2",
    "skip_init": "#009E73",
    "with BatchNorm alone": "#0072B2",
    "without clipping": "#D55E00",
    "adaptive clipping": "#0072B2",
    "with random weights alone": "#D55E00",
    "without": "#D55E00",
    "weight decay": "#0072B2",
    "dropout": "#009E73",
    "both": "#CC79A7",
}
ARM_NAMES = {
    "none": "without BatchNorm",
    "batch": "with BatchNorm",
    "noisy_batch": "with noisy BatchNorm",
    "noise": "with noise alone",
    "layer": "with layer norm",
    "group": "with group norm",
    "l1": "with l1 norm",
    "l2": "with l2 norm",
    "l_infinity": "with l∞ norm",
    "default": "PyTorch's",
    "gaussian": "one std",
    "glorot_uniform": "Glorot",
    "glorot_normal": "Glorot",
    "lecun_normal": "LeCun",
    "he_normal": "He",
    "relu": "ReLU",
    "prelu": "PReLU",
    "selu": "SELU",
    "sgd": "SGD",
    "momentum": "Momentum",
    "adagrad": "AdaGrad",
    "adam": "Adam",
    "add": "with plain sums",
    "fixup": "with Fixup",
    "skip_init": "with SkipInit",
}
LOOK = {
    "font.family": "DejaVu Sans",
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.2,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}


def arm_colour(norm: str) -> str:
    """The colour of an arm, the same in every figure; black for one that has none yet."""
    return {**OTHER_COLOURS, **ARM_COLOURS}.get(norm, "#000000")


def arm_name(norm: str) -> str:
    """What an arm is called beside its line."""
    return ARM_NAMES.get(norm, norm)


@contextmanager
def new_figure(width: float, height: float) -> Iterator["Figure"]:
    """A white figure in inches; what is drawn inside the `with` has the look. It needs no display."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(LOOK):  # type: ignore[arg-type]
        yield Figure(figsize=(width, height))


def entitle(figure: "Figure | SubFigure", title: str, caption: str = "", size: float = 20) -> None:
    """Write the title above a figure or a part of one, and below it a caption, in lines no wider than that.

    Args:
        size: of the title, in points.
    """
    width = figure.bbox.width / figure.dpi  # inches
    lines = textwrap.fill(title, int(BOLD_LETTERS_AN_INCH / size * width))
    figure.suptitle(lines, x=0.01, ha="left", fontsize=size, fontweight="bold", color=INK)
    text = textwrap.fill(caption, int(LETTERS_AN_INCH * width))
    figure.supxlabel(text, x=0.01, ha="left", fontsize=11, color=INK)


def save(figure: "Figure", path: Path) -> None:
    """Write the figure as a PNG that reads well at half its size; at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        figure.savefig(unfinished, format="png", dpi=150, metadata={"Software": None})
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
