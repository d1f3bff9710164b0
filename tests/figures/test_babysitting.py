"""The picture of a babysitting job, whatever became of its rates."""

import numpy as np
import pytest

from normscope.figures.babysitting import COLOURS, Babysat, babysitting_figure, smooth
from normscope.figures.look import save
from normscope.surveys.learning_rates import FATES


def found(curves, fates, ratios, subset):
    return Babysat(
        lr=0.1,
        rates=np.array([0.01, 0.1, 1]),
        fates=fates,
        curves=np.array(curves, dtype=float),
        still=np.full(4, 2.3),
        guess=2.3,
        ratios=np.array(ratios, dtype=float),
        band=(1e-4, 1e-2),
        subset_updates=np.arange(len(subset)),
        subset=np.array(subset, dtype=float),
        learnt_below=0.01,
        images=20,
        size=32,
    )


def test_every_fate_has_a_colour():
    assert tuple(COLOURS) == FATES


def test_a_mean_of_five_updates_by_hand():
    assert smooth(np.array([1, 2, 3, 4, 5, 6.0])) == pytest.approx([1, 1.5, 2, 2.5, 3, 4])
    assert np.isnan(smooth(np.array([1, np.nan, 3]))).tolist() == [False, True, True]


@pytest.mark.parametrize(
    "what",
    [
        found([[2.3, 2.2, 2.1, 2.0]] * 3, ["fine"] * 3, [[1e-3, 1e-4, 1e-2]] * 3, [2.3, 0.1, 0.005]),
        found([[2.3, np.inf, np.nan, np.nan]] * 3, ["diverged"] * 3, [[np.inf] * 3] * 3, [2.3, np.nan]),
        found([[2.3] * 4] * 3, ["too low"] * 3, [[0, 0, 0]] * 3, [2.3]),
        found([[2.3, np.nan, np.nan, np.nan]] * 3, ["diverged"] * 3, [[np.nan] * 3] * 3, [np.nan]),
    ],
    ids=["healthy", "exploded", "dead", "nothing"],
)
@pytest.mark.filterwarnings("error")
def test_it_is_drawn(tmp_path, what):
    figure = babysitting_figure(what, "mlp", "healthy")
    save(figure, tmp_path / "it.png")
    assert [axis.get_title(loc="left").split(",")[0] for axis in figure.axes] == [
        "Loss by learning rate",
        "Size of the updates",
        "Loss of 20 images",
    ]
