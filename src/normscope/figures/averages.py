"""How accuracy and loss follow from the number of answers that are averaged."""

from typing import TYPE_CHECKING

import numpy as np

from normscope.figures.lines import label_ends
from normscope.figures.look import GREY, INK, arm_colour, entitle, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run

DISTINCT = 12  # answers: of more, the dots are small


def averages_figure(
    table: np.ndarray, reference: tuple[float, float], beside: str, each: str, caption: str, run: "Run", title: str
) -> "Figure":
    """The mean of the first n answers as a line, every answer alone as a dot, the reference as a dashed line.

    Args:
        table: (M, 5) the number n, loss and accuracy of answer n alone, those of the mean of the first n.
        reference: loss and accuracy of what the mean is held against; beside: its name.
        each: what is averaged, in the plural; caption: whose answers to how many images.
        run: gives the colour.
    """
    colour = arm_colour(str(run.choices.get("model/norm")))
    numbers = table[:, 0]
    with new_figure(13, 5.6) as figure:
        left, right = figure.subplots(1, 2)
        for axis, alone, together, held_against, factor in (
            (left, table[:, 2], table[:, 4], reference[1], 100),
            (right, table[:, 1], table[:, 3], reference[0], 1),
        ):
            size = 7 if len(table) <= DISTINCT else 3.5
            axis.axhline(factor * held_against, color=INK, linestyle=(0, (5, 3)), linewidth=1.4)
            axis.plot(numbers, factor * alone, color=GREY, linestyle="none", marker="o", markersize=size)
            axis.plot(numbers, factor * together, color=colour, marker="o", markersize=size)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.set_xlabel(f"number of {each}, n")
            ends = [(factor * together[-1], "mean of the\nfirst n", colour), (factor * held_against, beside, INK)]
            label_ends(axis, [*ends, (factor * alone[-1], "number n\nalone", GREY)])
        left.set_ylabel("accuracy, %")
        right.set_ylabel("loss, nats")
        entitle(figure, title, caption, size=14)
    return figure
