"""The VGG figures of Santurkar et al. 2018, on runs for which the verdicts are known."""

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

ARMS = ("none", "batch", "noisy_batch")
LAYERS = ("layer2", "layer9", "layer13")


def flat(value):
    return lambda step: value + 0 * step


def paper_like(norm):
    """The series of an arm, with the sizes that the paper's curves have."""
    landscape = {"none": (1.0, np.exp(0.64)), "batch": (1.0, np.exp(0.147)), "noisy_batch": (1.0, 1.3)}[norm]
    change = {"none": (11.0, 48.9), "batch": (11.7, 22.4), "noisy_batch": (11.0, 30.0)}[norm]
    found = {
        "loss_landscape/min": flat(landscape[0]),
        "loss_landscape/max": flat(landscape[1]),
        "gradient_predictiveness/eta_0.5": flat(change[0]),
        "gradient_predictiveness/eta_4": flat(change[1]),
        "gradient_predictiveness/min": flat(change[0]),
        "gradient_predictiveness/max": flat(change[1]),
        "gradient_predictiveness/relative/eta_0.01": flat(0.1),
        "gradient_predictiveness/relative/eta_1": flat(1.0),
        "gradient_predictiveness/cosine/eta_1": flat(0.1),
        "gradient_norm": flat(12.0),
        "smoothness/beta": flat({"none": 37.5, "batch": 20.0, "noisy_batch": 20.0}[norm]),
        "smoothness/saturated": flat(1.0),
        "train/accuracy": flat({"none": 0.88, "batch": 0.942, "noisy_batch": 0.924}[norm]),
    }
    for layer, shift in (("layer5", {"none": 0.71, "batch": 0.98}), ("layer10", {"none": 0.59, "batch": 1.01})):
        found[f"covariate_shift/{layer}/l2"] = flat(shift.get(norm, 1.0))
        found[f"covariate_shift/{layer}/cosine"] = flat(0.5)
    drift = {"none": (0.032, 0.065, 0.013), "batch": (0.0018, 0.0005, 1e-5), "noisy_batch": (0.27, 0.27, 0.35)}[norm]
    for layer, moved in zip(LAYERS, drift, strict=True):
        for what in ("mean_drift", "variance_drift", "mean_from_start", "variance_from_start"):
            found[f"moments/{layer}/{what}"] = flat(moved)
    return found


def write(root, seeds, change=lambda norm, series: series):
    """Runs of all three arms that look like the paper's, after a change."""
    ends = {"none": 0.800, "batch": 0.829, "noisy_batch": 0.82}
    losses = {"none": 0.5, "batch": 0.3, "noisy_batch": 0.4}
    for seed in seeds:
        for norm in ARMS:
            fabricate(
                root,
                norm,
                seed,
                loss=flat(losses[norm]),
                accuracy=flat(ends[norm]),
                series=change(norm, paper_like(norm)),
                experiment="santurkar_2018/vgg",
                choices={"model": "vgg16", "init": "glorot_uniform", "optimizer": "sgd"},
                optimizer={"lr": 0.1},
            )


def verdicts(root, figure):
    return {found.claim: found for found in loaded(source_of(f"santurkar_2018/{figure}")).claims(find_runs(root))}


EXPECTED = {
    "figure_1": {"S1b": 6.2, "S1d": 2.9},
    "figure_2": {"S2a": 4.4, "S2b": 1.8, "S2c": 0.27 / 0.032},
    "figure_3": {"S3b": 0.98 / 0.71, "S3d": 0.6},
    "figure_4": {"S4a": 0.64 / 0.147, "S4b": 48.9 / 22.4, "S4c": 37.5 / 20, "S4f": (48.9 / 11.0) / (22.4 / 11.7)},
    "figure_8": {"S6, BatchNorm": 0.0018 / 0.032, "S6, noise": 0.27 / 0.032},
}


@pytest.mark.parametrize("figure", EXPECTED)
def test_the_papers_own_numbers_reproduce_its_claims(tmp_path, figure):
    write(tmp_path, range(5))
    found = verdicts(tmp_path, figure)
    for claim, effect in EXPECTED[figure].items():
        assert found[claim].effect == pytest.approx(effect)
        assert found[claim].verdict == "reproduced", claim


@pytest.mark.parametrize("figure", EXPECTED)
def test_three_seeds_decide_nothing(tmp_path, figure):
    write(tmp_path, range(3))
    assert {found.verdict for found in verdicts(tmp_path, figure).values()} == {"undecided"}


def test_a_landscape_that_is_wider_with_batchnorm_contradicts_s4a(tmp_path):
    def swapped(norm, series):
        width = {"none": 0.1, "batch": 0.6, "noisy_batch": 0.3}[norm]
        return series | {"loss_landscape/max": flat(np.exp(width))}

    write(tmp_path, range(5), swapped)
    assert verdicts(tmp_path, "figure_4")["S4a"].verdict == "contradicted"


@pytest.mark.parametrize(("lost", "verdict"), [("none", "reproduced"), ("batch", "contradicted")])
def test_a_run_that_diverged_before_the_probes_has_the_widest_landscape(tmp_path, lost, verdict):
    """It counts as the worst there is, also where none of its probes lies within the part that is compared."""
    for seed in range(5):
        for norm in ("none", "batch"):
            series = {} if norm == lost else paper_like(norm)
            status = "diverged" if norm == lost else "finished"
            how = {"status": status, "loss": lambda step: 1 + 0 * step}
            fabricate(tmp_path, norm, seed, series=series, experiment="santurkar_2018/vgg", **how)
    found = verdicts(tmp_path, "figure_4")["S4a"]
    assert (found.n, found.verdict) == (5, verdict)


def test_s1a_is_the_ratio_of_the_steps_to_90_percent(tmp_path):
    """A running mean of ten values: 0.9 is reached nine values after the first that is above it."""

    def learning(norm, series):
        begins = {"none": 150, "batch": 25, "noisy_batch": 75}[norm]
        return series | {"train/accuracy": lambda step: np.where(step >= begins, 0.9, 0.0)}

    write(tmp_path, range(5), learning)
    found = verdicts(tmp_path, "figure_1")["S1a"]
    assert found.effect == pytest.approx((25 + 9 * 25) / (150 + 9 * 25))
    assert found.verdict == "reproduced"


def test_s2c_needs_all_three_layers(tmp_path):
    def calm_in_layer_9(norm, series):
        return series | {"moments/layer9/mean_drift": flat(0.065)}

    write(tmp_path, range(5), calm_in_layer_9)
    assert verdicts(tmp_path, "figure_2")["S2c"].verdict == "undecided"


@pytest.mark.parametrize("figure", EXPECTED)
def test_every_figure_is_drawn_with_a_caption(tmp_path, figure):
    write(tmp_path, range(2))
    drawn = loaded(source_of(f"santurkar_2018/{figure}")).plot(find_runs(tmp_path))
    caption = drawn._supxlabel.get_text().replace("\n", " ")
    assert "Scale laptop: vgg16 on sample, 400 steps" in caption
    assert "n = 2 with BatchNorm" in caption
    assert ".." not in caption


@pytest.mark.parametrize(
    ("accuracy", "status", "verdict"),
    [(0.11, "finished", "reproduced"), (0.11, "diverged", "reproduced"), (0.6, "finished", "contradicted")],
)
def test_noise_without_batch_norm_is_to_prevent_training(tmp_path, accuracy, status, verdict):
    write(tmp_path, range(5))
    for seed in range(5):
        fabricate(
            tmp_path,
            "noise",
            seed,
            loss=flat(2.3),
            accuracy=flat(0.1),
            status=status,
            series={"train/accuracy": flat(accuracy)},
            experiment="santurkar_2018/vgg",
            choices={"model": "vgg16", "init": "glorot_uniform", "optimizer": "sgd"},
            optimizer={"lr": 0.1},
        )
    assert verdicts(tmp_path, "figure_2")["S2d"].verdict == verdict
