"""The picture of each probe, from the series that runs have of it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.figures.grids import COLUMNS, by_depth, by_layer, over_steps, ridge_grid
from normscope.figures.look import entitle, new_figure
from normscope.figures.observations import OBSERVATIONS, Observation
from normscope.figures.spectra import spectra
from normscope.figures.subjects import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normscope.runs.reader import Run

WIDTH, HEIGHT = 5.2, 3.5  # inches of a panel
HEAD = 0.7  # inches of the title


def available(runs: "Sequence[Run]") -> list[Observation]:
    """The observations that one of the runs, at least, has made."""
    return [one for one in OBSERVATIONS if any(_has(run, one.needs) for run in runs)]


def picture(observation: Observation, subjects: Sequence[Subject]) -> "Figure":
    """Draw one observation for runs side by side; a run that has not made it is left out."""
    seen = [subject for subject in subjects if _has(subject.run, observation.needs)]
    layers = list(dict.fromkeys(layer for subject in seen for layer in subject.run.layers(observation.needs)))
    runs = [subject.run for subject in seen]
    panels = [
        one for one in observation.panels if any(_has(run, name) for run in runs for name in one.names("{layer}"))
    ]
    columns, rows = _grid(observation.layout, len(panels), len(layers), len(seen))
    with new_figure(WIDTH * columns + 0.8, HEIGHT * rows + HEAD) as figure:
        if observation.layout == "whole":
            over_steps(figure, seen, panels, columns)
        elif observation.layout == "layers":
            by_layer(figure, seen, panels, layers)
        elif observation.layout == "depth":
            by_depth(figure, seen, panels, layers)
        elif observation.layout == "ridges":
            ridge_grid(figure, seen, observation.needs.removesuffix("/{layer}"), layers, panels[0].title)
        else:
            spectra(figure, seen, observation.needs)
        entitle(figure, observation.shows, size=17)
    return figure


def _grid(layout: str, panels: int, layers: int, runs: int) -> tuple[int, int]:
    """(columns, rows) of panels."""
    shown = min(layers, COLUMNS)
    return {
        "whole": (min(panels, 2), math.ceil(panels / 2)),
        "layers": (shown, panels),
        "depth": (runs, panels),
        "ridges": (shown, 2),
        "spectra": (runs, 2),
    }[layout]


def _has(run: "Run", name: str) -> bool:
    return bool(run.layers(name) if "{layer}" in name else len(run.series(name)[0]) or run.histograms(name))
