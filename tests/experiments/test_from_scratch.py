"""Deep Learning from Scratch, chapter 6, on runs for which the verdicts are known."""

import math

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import add_histograms, fabricate

CHANCE = math.log(10)
STDS = [float(f"{10 ** (-4 * place / 15):.4g}") for place in range(16)]


def flat(value):
    return lambda step: value + 0 * step


def verdicts(root, name):
    return {found.claim: found for found in loaded(source_of(f"from_scratch/{name}")).claims(find_runs(root))}


def caption_of(root, name):
    figure = loaded(source_of(f"from_scratch/{name}")).plot(find_runs(root))
    return figure, figure._supxlabel.get_text().replace("\n", " ")


def histograms(root, seeds, factor):
    """Runs whose layer 5 has these times the expected std."""
    expected = loaded(source_of("from_scratch/activation_histograms")).EXPECTED
    for activation, stds in expected.items():
        for scale, std in zip((1.0, 0.01, 0.1, math.sqrt(0.02)), stds, strict=True):
            for seed in seeds:
                yield fabricate(
                    root,
                    "none",
                    seed,
                    name=f"{activation}-{scale:.3g}-{seed}",
                    steps=25,
                    experiment="from_scratch/activation_histograms",
                    choices={"model": "mlp", "init": "gaussian", "model/activation": activation},
                    init={"std": scale},
                    series={f"activation_std/layer{layer}": flat(factor * std) for layer in range(1, 6)},
                )


def test_c1_allows_relu_more_than_sigmoid_and_tanh(tmp_path):
    list(histograms(tmp_path, range(5), factor=1.3))
    found = verdicts(tmp_path, "activation_histograms")
    assert len(found) == 12
    for name, one in found.items():
        assert one.effect == pytest.approx(1.3)
        assert one.verdict == ("reproduced" if "relu" in name else "contradicted")


def test_c1_has_a_row_for_each_activation(tmp_path):
    for folder in histograms(tmp_path, range(2), factor=1.0):
        layers = [f"layer{number}" for number in range(1, 6)]
        add_histograms(folder, np.linspace(0, 1, 5), np.array([8, 4, 4, 1]), steps=(0,), layers=layers)
    figure, caption = caption_of(tmp_path, "activation_histograms")
    assert [axis.get_title(loc="left") for axis in figure.axes[::5]] == ["sigmoid, std 1", "tanh, std 1", "ReLU, std 1"]
    assert "Scale laptop: mlp on sample, 25 steps" in caption


def arms(root, name, group, seeds, **losses):
    """Runs of the options of a group, each with a loss of its own."""
    for seed in seeds:
        for option, loss in losses.items():
            choices = {"model": "mlp", group: option}
            folder = f"{option}-{seed}"
            fabricate(root, "none", seed, name=folder, loss=loss, experiment=f"from_scratch/{name}", choices=choices)


def test_c2_is_he_below_xavier_below_a_plateau(tmp_path):
    losses = {"gaussian": flat(2.30), "lecun_normal": flat(0.45), "he_normal": flat(0.30)}
    arms(tmp_path, "init_comparison", "init", range(5), **losses)
    found = verdicts(tmp_path, "init_comparison")
    assert {one.verdict for one in found.values()} == {"reproduced"}
    assert found["C2, He"].effect == pytest.approx(-0.15)
    assert found["C2, std 0.01"].effect == pytest.approx(2.30 / CHANCE)
    _, caption = caption_of(tmp_path, "init_comparison")
    assert "n = 5 one std, n = 5 LeCun, n = 5 He" in caption


def test_c2_is_contradicted_by_weights_of_std_001_that_learn(tmp_path):
    losses = {"gaussian": flat(1.0), "lecun_normal": flat(1.5), "he_normal": flat(1.6)}
    arms(tmp_path, "init_comparison", "init", range(5), **losses)
    assert {one.verdict for one in verdicts(tmp_path, "init_comparison").values()} == {"contradicted"}


def scales(root, seeds, learns):
    """Runs at sixteen scales that reach 0.9 where learns(norm, place), else stay at 0.1."""
    for seed in seeds:
        for place, std in enumerate(STDS):
            for norm in ("none", "batch"):
                accuracy = flat(0.9 if learns(norm, place) else 0.1)
                fabricate(
                    root,
                    norm,
                    seed,
                    name=f"{norm}-{place}-{seed}",
                    experiment="from_scratch/weight_scales",
                    choices={"model": "mlp", "init": "gaussian"},
                    init={"std": std},
                    series={"train/accuracy": accuracy},
                )


def test_c3_counts_the_scales_that_learn(tmp_path):
    scales(tmp_path, range(5), lambda norm, place: norm == "batch" or 2 <= place < 6)
    found = verdicts(tmp_path, "weight_scales")["C3"]
    assert (found.effect, found.n, found.verdict) == (12, 5, "reproduced")
    figure, caption = caption_of(tmp_path, "weight_scales")
    assert len(figure.axes) == 16
    assert "n = 5 without BatchNorm, n = 5 with BatchNorm" in caption


def test_c3_needs_most_scales_to_be_as_good(tmp_path):
    """Seven more scales learn with BatchNorm, but at four others it is worse."""
    scales(tmp_path, range(5), lambda norm, place: place >= 5 if norm == "batch" else place < 4)
    found = verdicts(tmp_path, "weight_scales")["C3"]
    assert (found.effect, found.verdict) == (7, "undecided")


def test_a_seed_without_all_scales_is_left_out_and_told_of(tmp_path):
    scales(tmp_path, range(5), lambda norm, place: norm == "batch")
    (tmp_path / "from_scratch/weight_scales/none-3-2/summary.json").unlink()
    (judged,) = loaded(source_of("from_scratch/weight_scales")).claims(find_runs(tmp_path))
    assert (judged.n, judged.verdict) == (4, "undecided")
    assert f"seed 2, none: no run with init.std={STDS[3]:g}, not used" in judged.note


def over_fitting(root, seeds, training, test):
    """Runs with these accuracies, of (decay, dropout)."""
    for seed in seeds:
        for (decay, dropout), accuracy in training.items():
            rules = {
                "l2": {"loss": {"strength": decay}},
                "dropout": {"architecture": {"dropout": {"p": dropout}}},
            }
            fabricate(
                root,
                "none",
                seed,
                name=f"{decay}-{dropout}-{seed}",
                experiment="from_scratch/over_fitting",
                choices={"model": "mlp", "regularizer": "[l2,dropout]"},
                regularizer=rules,
                accuracy=flat(test),
                series={"evaluation_mode/accuracy": flat(accuracy)},
            )


def test_c4_is_a_smaller_gap_of_a_baseline_that_knows_its_images_by_heart(tmp_path):
    training = {(0, 0): 1.0, (0.1, 0): 0.85, (0, 0.2): 0.95, (0.1, 0.2): 0.8}
    over_fitting(tmp_path / "whole", range(5), training, 0.75)
    found = verdicts(tmp_path / "whole", "over_fitting")
    assert {one.verdict for one in found.values()} == {"reproduced"}
    assert found["C4, weight decay"].effect == pytest.approx(-15)
    assert found["C4, dropout"].effect == pytest.approx(-5)
    _, caption = caption_of(tmp_path / "whole", "over_fitting")
    assert "n = 5 without, n = 5 weight decay, n = 5 dropout, n = 5 both" in caption
    over_fitting(tmp_path / "missed one", range(5), training | {(0, 0): 0.997}, 0.75)
    assert {one.verdict for one in verdicts(tmp_path / "missed one", "over_fitting").values()} == {"undecided"}


def test_c4_is_contradicted_by_a_larger_gap(tmp_path):
    over_fitting(tmp_path, range(5), {(0, 0): 0.9, (0.1, 0): 1.0, (0, 0.2): 1.0, (0.1, 0.2): 1.0}, 0.75)
    assert {one.verdict for one in verdicts(tmp_path, "over_fitting").values()} == {"contradicted"}


def test_c5_holds_each_optimizer_against_sgd(tmp_path):
    losses = {"sgd": flat(0.5), "momentum": flat(0.2), "adagrad": flat(0.6), "adam": flat(0.1)}
    arms(tmp_path, "optimizers", "optimizer", range(5), **losses)
    found = verdicts(tmp_path, "optimizers")
    assert {name: one.verdict for name, one in found.items()} == {
        "C5, Momentum": "reproduced",
        "C5, AdaGrad": "contradicted",
        "C5, Adam": "reproduced",
    }
    assert found["C5, Momentum"].effect == pytest.approx(-0.3)
    _, caption = caption_of(tmp_path, "optimizers")
    assert "Learning rates: SGD 0.01" in caption
