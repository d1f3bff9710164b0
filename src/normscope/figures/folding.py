"""What folding a network's norms into its weights gains in speed."""

from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import label_ends
from normscope.figures.look import GREY, arm_colour, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run


def folding_figure(sizes: np.ndarray, plain: np.ndarray, folded: np.ndarray, run: "Run", title: str) -> "Figure":
    """Images per second over the batch size: the network as it was trained, and folded.

    Args:
        sizes: (S,) images at once; plain, folded: (S,) seconds an image.
    """
    colour = arm_colour(str(run.choices.get("model/norm")))
    with new_figure(8.4, 5.5) as figure:
        axis = figure.subplots()
        order = np.argsort(sizes)
        for seconds, shade, dashes in ((plain, GREY, "--"), (folded, colour, "-")):
            axis.plot(sizes[order], 1 / seconds[order], color=shade, linestyle=dashes, marker="o")
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:.0f}")
        axis.set_xticks(sizes)
        axis.minorticks_off()
        axis.set_ylim(0)
        axis.set_title(title)
        axis.set_xlabel("images at once")
        axis.set_ylabel("images per second")
        last = order[-1]
        label_ends(axis, [(1 / plain[last], "as trained", GREY), (1 / folded[last], "folded", colour)])
    return figure
