"""S1e of Santurkar et al. 2018, on runs for which the verdict is known."""

import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "santurkar_2018/vgg_rates"
RATES = (0.1, 0.2, 0.4, 0.8)


def sweep(root, up_to):
    """Five seeds at all rates; up_to: arm -> the largest rate at which it trains, those below it included."""
    for seed in range(5):
        for norm, largest in up_to.items():
            for lr in RATES:
                accuracy = 0.9 if lr <= largest else 0.1
                how = {
                    "series": {"train/accuracy": lambda step, accuracy=accuracy: accuracy + 0 * step},
                    "status": "finished" if lr <= largest else "diverged",
                    "optimizer": {"lr": lr},
                }
                fabricate(root, norm, seed, name=f"{norm}-{lr}-{seed}", experiment=NAME, **how)


def judged(root, claim="S1e"):
    (found,) = (verdict for verdict in loaded(source_of(NAME)).claims(find_runs(root)) if verdict.claim == claim)
    return found.verdict, found.n and found.effect


@pytest.mark.parametrize(
    ("none", "batch", "expected"),
    [
        (0.1, 0.4, ("reproduced", pytest.approx(4))),
        (0.1, 0.2, ("undecided", pytest.approx(2))),
        (0.2, 0.1, ("contradicted", pytest.approx(0.5))),
        (0.1, 0, ("contradicted", 0)),
    ],
)
def test_the_largest_rate_that_trains_is_to_be_four_times_as_large(tmp_path, none, batch, expected):
    sweep(tmp_path, {"none": none, "batch": batch})
    assert judged(tmp_path) == expected


def test_where_no_rate_trains_the_standard_network_nothing_is_decided(tmp_path):
    sweep(tmp_path, {"none": 0, "batch": 0.8})
    assert judged(tmp_path)[0] == "undecided"


def test_each_network_has_its_own_best_rate(tmp_path):
    """Accuracies of 0.5 and 0.6 at the best rates, which are not the same: ten points."""
    curves = {"none": {0.1: 0.5, 0.2: 0.4}, "batch": {0.1: 0.3, 0.2: 0.6}}
    for seed in range(5):
        for norm, levels in curves.items():
            for lr, level in levels.items():
                series = {"train/accuracy": lambda step, level=level: level + 0 * step}
                fabricate(
                    tmp_path,
                    norm,
                    seed,
                    name=f"{norm}-{lr}-{seed}",
                    experiment=NAME,
                    series=series,
                    optimizer={"lr": lr},
                )
    assert judged(tmp_path, "S1b, best rates") == ("reproduced", pytest.approx(10))


def test_the_figure_is_drawn(tmp_path):
    sweep(tmp_path, {"none": 0.1, "batch": 0.8})
    figure = loaded(source_of(NAME)).plot(find_runs(tmp_path))
    figure.savefig(tmp_path / "rates.png")
    assert len(figure.axes[0].get_lines()) >= 12
