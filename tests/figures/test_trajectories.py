from io import StringIO

import numpy as np
from rich.console import Console

from normscope.experiment_files import needs_runs
from normscope.figures.trajectories import Landscape, trajectories_figure
from normscope.reported import conclude, runs_of

EXPERIMENT = "from_scratch/trajectories"


def test_an_experiment_without_runs_is_drawn(tmp_path):
    assert not needs_runs(EXPERIMENT)
    assert needs_runs("seminar/bn_vs_no_bn")
    said = StringIO()
    runs = runs_of(EXPERIMENT, tmp_path, Console(file=said))
    figure, verdicts = conclude(EXPERIMENT, runs, tmp_path, Console(file=said))
    assert verdicts == []
    assert figure == tmp_path / EXPERIMENT / "trajectories.png"
    assert figure.stat().st_size > 1e4
    assert "Verdicts on" not in said.getvalue()


def test_every_way_has_its_name_and_the_height_that_it_reached():
    ways = {"SGD 0.1": np.array([[1.0, 1.0], [0.5, 0.5]]), "Adam 1": np.array([[1.0, 1.0], [np.nan, np.nan]])}
    bowl = Landscape("Bowl", lambda w: (w**2).sum(0), (-1, 1, -1, 1), [(0, 0)], [], [ways])
    (axis,) = trajectories_figure([bowl], ["first order"]).axes
    assert [text.get_text() for text in axis.texts] == ["SGD 0.1: 0.5", "Adam 1: away"]
    assert axis.get_title(loc="left") == "first order"
    assert axis.get_ylabel() == "Bowl"
