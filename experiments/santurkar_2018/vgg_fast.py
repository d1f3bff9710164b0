"""Santurkar et al. 2018, figure 1: at lr 0.5 only the VGG with BatchNorm trains."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normscope.claims import Claim, Verdict, at_paper_scale
from normscope.criteria import of_reference, of_treated
from normscope.figures import panels
from normscope.figures.arms import shown
from normscope.figures.look import entitle, new_figure
from normscope.quantities import final, in_points, mean_of
from normscope.runs.reader import Run
from normscope.verdicts import verdicts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("none", "batch")
LAST = 0.9  # the last tenth of the run
CHANCE, TRAINED, TESTED = 15.0, 90.0, 75.0  # percent
TOO_SHORT = f"{TRAINED:g} and {TESTED:g} % are of 15,000 steps in full width: no shorter run can tell what gets there"

S1C = Claim(
    "S1c",
    f"VGG, lr 0.5: without BatchNorm the training accuracy of the last tenth of the run is at most {CHANCE:g} %, with "
    f"it at least {TRAINED:g} %, and the final test accuracy at least {TESTED:g} %",
    "9.1 % without, 96.3 % with; test 80.2 % (read off figure 1)",
    "% without BatchNorm",
)


def claims(runs: Sequence[Run]) -> list[Verdict]:
    """S1c, decided at the paper's length; a run that diverged has learned nothing."""
    trained, tested = in_points(mean_of("train/accuracy", LAST, 1)), in_points(final("test/accuracy"))
    stays = of_reference(trained, worst=0.0, tie=50, at_most=CHANCE)
    learns = of_treated(trained, worst=0.0, tie=50, at_least=TRAINED)
    generalises = of_treated(tested, worst=0.0, tie=10, at_least=TESTED)
    return [at_paper_scale(found, TOO_SHORT) for found in verdicts(S1C, runs, [stays, learns, generalises])]


def plot(runs: Sequence[Run]) -> "Figure":
    """Training loss and test accuracy."""
    found = shown(runs, ARMS)
    with new_figure(12.4, 5.6) as figure:
        axes = figure.subplots(1, 2)
        panels.loss(axes[0], found.arms)
        panels.accuracy(axes[1], found.arms, {})
        entitle(figure, f"{str(found.run.choices['model']).upper()} at learning rate 0.5", found.caption())
    return figure
