"""The experiments of Ioffe & Szegedy 2015, on runs for which the verdicts are known."""

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.figures.look import save
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate


def wandering(travelled, spanned):
    """Percentiles of the last hidden layer that travel so far in 400 steps, and whose median spans so much."""
    found = {"percentiles/layer3/p50_range": lambda step: spanned + 0 * step}
    for share in ("p15", "p50", "p85"):
        found[f"percentiles/layer3/{share}"] = lambda step: np.sin(step / 50)
        found[f"percentiles/layer3/{share}_variation"] = lambda step: travelled * step / 400
    return found


def write(root, name, seeds, **of_arm):
    for seed in seeds:
        for norm, how in of_arm.items():
            fabricate(root, norm, seed, experiment=name, **how)


def verdicts(root, name):
    return {found.claim: found for found in loaded(source_of(name)).claims(find_runs(root))}


def learning(end, at):
    return {"accuracy": lambda step: np.where(step >= at, end, 0.5)}


@pytest.fixture
def settled_at_once(monkeypatch):
    """Runs of 400 steps have no step 1,000."""
    name = "ioffe_2015/figure_1"
    module = loaded(source_of(name))
    monkeypatch.setattr(module, "SETTLED", 100)
    return module


def test_the_papers_numbers_reproduce_figure_1(tmp_path, settled_at_once):
    plain = learning(0.972, 300) | {"series": wandering(4.0, 1.34)}
    normed = learning(0.981, 75) | {"series": wandering(2.0, 0.33)}
    write(tmp_path, "ioffe_2015/figure_1", range(8), none=plain, batch=normed)
    found = {verdict.claim: verdict for verdict in settled_at_once.claims(find_runs(tmp_path))}
    expected = {"I1": 0.9, "I2": 0.25, "I3": 1.34 / 0.33, "I4": 2.0}
    for claim, effect in expected.items():
        assert found[claim].effect == pytest.approx(effect), claim
        assert found[claim].verdict == "reproduced", claim


def test_a_path_counts_from_the_settled_steps_on(tmp_path, settled_at_once):
    (run,) = (write(tmp_path, "ioffe_2015/figure_1", [0], none={"series": wandering(4.0, 1.0)}), find_runs(tmp_path))[1]
    assert settled_at_once.path_of_percentiles(run) == pytest.approx(3 * 4.0 * 300 / 400)


def test_figure_1_has_a_panel_for_each_network(tmp_path, settled_at_once):
    how = {"series": wandering(4.0, 1.0)}
    write(tmp_path, "ioffe_2015/figure_1", range(2), none=how, batch=how)
    figure = settled_at_once.plot(find_runs(tmp_path))
    assert [axis.get_title(loc="left") for axis in figure.axes[1:]] == [
        "A unit's input without BatchNorm",
        "A unit's input with BatchNorm",
    ]
    save(figure, tmp_path / "figure.png")  # a panel that has no room would raise


@pytest.mark.parametrize(
    ("none", "batch", "verdict"),
    [
        (0.10, 0.60, "reproduced"),
        (0.60, 0.65, "contradicted"),
        (0.10, 0.10, "contradicted"),
        (0.10, 0.30, "undecided"),
    ],
)
def test_i8_needs_one_to_fail_and_one_to_train(tmp_path, none, batch, verdict):
    write(tmp_path, "ioffe_2015/sigmoid", range(5), none=learning(none, 0), batch=learning(batch, 0))
    assert verdicts(tmp_path, "ioffe_2015/sigmoid")["I8"].verdict == verdict


def test_a_sigmoid_network_that_diverges_has_learned_nothing(tmp_path):
    write(tmp_path, "ioffe_2015/sigmoid", range(5), none={"status": "diverged"}, batch=learning(0.6, 0))
    found = verdicts(tmp_path, "ioffe_2015/sigmoid")["I8"]
    assert (found.verdict, found.effect) == ("reproduced", pytest.approx(50))
