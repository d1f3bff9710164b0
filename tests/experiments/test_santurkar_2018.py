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
            fabricate(tmp_path, norm, seed, series=series, status=status, experiment="santurkar_2018/vgg")
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


def linear(root, seeds, experiment, **of_arm):
    """Deep linear networks: of_arm is arm -> series and losses."""
    for seed in seeds:
        for norm, how in of_arm.items():
            fabricate(
                root, norm, seed, **how, experiment=experiment, choices={"model": "deep_linear"}, optimizer={"lr": 1e-6}
            )


def test_the_deep_linear_network_at_the_edge_of_stability_reproduces_s4d_and_s5(tmp_path):
    def arm(change, beta, loss):
        series = {"gradient_predictiveness/max": flat(change), "gradient_predictiveness/relative/eta_1": flat(beta)}
        return {"series": series, "loss": flat(loss), "accuracy": flat(0.1)}

    arms = {"none": arm(2e16, 12.0, 2892), "batch": arm(2e6, 2.01, 529), "l1": arm(2e6, 2.0, 97)}
    linear(tmp_path, range(8), "santurkar_2018/deep_linear", **arms)
    found = {
        verdict.claim: verdict
        for verdict in loaded(source_of("santurkar_2018/deep_linear")).claims(find_runs(tmp_path))
    }
    assert found["S4d, gradient"].effect == pytest.approx(1e10)
    assert found["S4d, beta"].effect == pytest.approx(2.01)
    assert found["S5b, batch"].effect == pytest.approx(np.log10(529 / 2892))
    assert found["S5c"].effect == pytest.approx(97 / 529)
    judged = ("S4d, gradient", "S4d, beta", "S5b, batch", "S5b, l1", "S5c")
    assert {found[claim].verdict for claim in judged} == {"reproduced"}


@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_a_curvature_away_from_the_edge_does_not_reproduce_s4d(tmp_path, beta):
    series = {"gradient_predictiveness/relative/eta_1": flat(beta)}
    how = {"series": series, "loss": flat(1.0), "accuracy": flat(0.1)}
    linear(tmp_path, range(8), "santurkar_2018/deep_linear", none=how, batch=how)
    module = loaded(source_of("santurkar_2018/deep_linear"))
    verdict = next(found for found in module.claims(find_runs(tmp_path)) if found.claim == "S4d, beta")
    assert verdict.verdict == "undecided"


def test_s4d_is_of_the_arm_with_batchnorm_alone(tmp_path):
    """It needs no other arm, and a run without the probe is left out instead of being counted as a tie."""
    measured = {"series": {"gradient_predictiveness/relative/eta_1": flat(2.01)}, "accuracy": flat(0.1)}
    linear(tmp_path, range(5), "santurkar_2018/deep_linear", batch=measured)
    linear(tmp_path, [5], "santurkar_2018/deep_linear", batch={"accuracy": flat(0.1)})
    module = loaded(source_of("santurkar_2018/deep_linear"))
    found = next(found for found in module.claims(find_runs(tmp_path)) if found.claim == "S4d, beta")
    assert (found.n, found.verdict) == (5, "reproduced")


def test_s3a_needs_the_shift_and_the_turn(tmp_path):
    def arm(shift, cosine):
        series = {}
        for layer in ("layer9", "layer17"):
            series |= {f"covariate_shift/{layer}/l2": flat(shift), f"covariate_shift/{layer}/cosine": flat(cosine)}
        return {"series": series, "loss": flat(1.0), "accuracy": flat(0.1)}

    name = "santurkar_2018/deep_linear_slow"
    linear(tmp_path / "as the paper", range(8), name, none=arm(2.5, 1.0), batch=arm(4300.0, 0.55))
    linear(tmp_path / "no turn", range(8), name, none=arm(2.5, 1.0), batch=arm(4300.0, 0.99))
    judge = loaded(source_of(name)).claims
    assert [found.verdict for found in judge(find_runs(tmp_path / "as the paper"))] == ["reproduced"]
    assert [found.verdict for found in judge(find_runs(tmp_path / "no turn"))] == ["undecided"]


def vgg(root, seeds, experiment, **of_arm):
    """VGGs at another rate or with other norms: of_arm is arm -> how to fabricate them."""
    for seed in seeds:
        for norm, how in of_arm.items():
            fabricate(root, norm, seed, experiment=experiment, choices={"model": "vgg16"}, **how)


def only(root, experiment):
    (found,) = loaded(source_of(experiment)).claims(find_runs(root))
    return found


def test_s1c_at_lr_05_needs_one_to_fail_and_one_to_train(tmp_path):
    name = "santurkar_2018/vgg_fast"
    fails = {"series": {"train/accuracy": flat(0.091)}, "accuracy": flat(0.1)}
    trains = {"series": {"train/accuracy": flat(0.963)}, "accuracy": flat(0.802)}
    vgg(tmp_path / "as the paper", range(5), name, none=fails, batch=trains)
    vgg(tmp_path / "diverged", range(5), name, none={"status": "diverged"}, batch=trains)
    vgg(tmp_path / "both train", range(5), name, none=trains, batch=trains)
    assert (only(tmp_path / "as the paper", name).verdict, only(tmp_path / "as the paper", name).effect) == (
        "reproduced",
        pytest.approx(9.1),
    )
    assert only(tmp_path / "diverged", name).verdict == "reproduced"
    assert only(tmp_path / "both train", name).verdict == "contradicted"


def test_s1c_does_not_count_a_network_that_trained_and_then_diverged(tmp_path):
    name = "santurkar_2018/vgg_fast"
    fails = {"series": {"train/accuracy": flat(0.091)}, "accuracy": flat(0.1)}
    trains = {"series": {"train/accuracy": flat(0.963)}, "accuracy": flat(0.802)}
    vgg(tmp_path, range(5), name, none=fails, batch=trains | {"status": "diverged"})
    assert (only(tmp_path, name).verdict, only(tmp_path, name).holds) == ("contradicted", 0)


def shifting(values, **how):
    """The covariate shift of both layers: how to fabricate it."""
    return {"series": {f"covariate_shift/{layer}/l2": values for layer in ("layer5", "layer10")}} | how


def by_claim(root, experiment):
    return {verdict.claim: verdict for verdict in loaded(source_of(experiment)).claims(find_runs(root))}


def test_s3c_is_of_the_first_fifth(tmp_path):
    def shift(early):
        return shifting(lambda step: np.where(step <= 80, early, 0.01))

    vgg(tmp_path, range(5), "santurkar_2018/vgg_slow", none=shift(0.66), batch=shift(2.86))
    found = by_claim(tmp_path, "santurkar_2018/vgg_slow")
    assert (found["S3c"].verdict, found["S3c"].effect) == ("reproduced", pytest.approx(2.86 / 0.66))
    assert found["S3d, lr 0.01"].verdict == "reproduced"


@pytest.mark.parametrize(("experiment", "claim"), [("figure_3", "S3b"), ("vgg_slow", "S3c")])
def test_what_comes_after_convergence_is_no_shift(tmp_path, experiment, claim):
    """With BatchNorm the loss is 0.01 from step 20 on, and the mean of ten of them at step 65: of the seven probes in
    the first fifth, 160 steps, three are no later."""
    none = shifting(flat(0.66), loss=flat(1.0))
    batch = shifting(
        lambda step: np.where(step <= 25, 2.86, 0.01), loss=lambda step: np.where(step < 20, 2.0, 0.01), steps=800
    )
    vgg(tmp_path, range(5), "santurkar_2018/vgg", none=none | {"steps": 800}, batch=batch)
    found = by_claim(tmp_path, f"santurkar_2018/{experiment}")[claim]
    assert (found.verdict, found.effect) == ("reproduced", pytest.approx(2.86 / 0.66))


def test_s3d_looks_where_the_shift_is_measured(tmp_path):
    """At the end of the paper's own runs the network without BatchNorm is ahead in training, 99.3 to 98.7 %."""
    none = shifting(flat(1.0), loss=lambda step: np.where(step <= 200, 2.0, 0.02))
    batch = shifting(flat(1.0), loss=lambda step: np.where(step <= 200, 1.0, 0.04))
    vgg(tmp_path, range(5), "santurkar_2018/vgg", none=none, batch=batch)
    found = by_claim(tmp_path, "santurkar_2018/figure_3")["S3d"]
    assert (found.verdict, found.effect) == ("reproduced", 0.5)


def test_lp_norms_are_judged_one_by_one(tmp_path):
    """Steps to a running mean of ten that is 0.9: the tenth value from where it begins."""

    def arm(begins, width, change):
        return {
            "series": {
                "train/accuracy": lambda step: np.where(step >= begins, 0.9, 0.0),
                "loss_landscape/min": flat(1.0),
                "loss_landscape/max": flat(np.exp(width)),
                "gradient_predictiveness/max": flat(change),
            },
            "loss": flat(0.1),
            "accuracy": flat(0.8),
        }

    name = "santurkar_2018/vgg_norms"
    vgg(tmp_path, range(5), name, none=arm(150, 0.6, 50), l1=arm(25, 0.2, 20), l2=arm(125, 0.5, 20))
    found = {verdict.claim: verdict for verdict in loaded(source_of(name)).claims(find_runs(tmp_path))}
    assert (found["S5a, l1"].verdict, found["S5a, l1"].effect) == ("reproduced", pytest.approx(250 / 375))
    assert found["S5a, l2"].verdict == "undecided"  # 350 / 375
    assert (found["S5d, l1"].verdict, found["S5d, l1"].effect) == ("reproduced", pytest.approx(3))
    assert found["S5d, l2"].verdict == "undecided"
    assert found["S5a, l_infinity"].n == 0
    figure = loaded(source_of(name)).plot(find_runs(tmp_path))
    assert "n = 5 l1" in figure._supxlabel.get_text()


def test_s5d_needs_a_wider_landscape_at_most_probes(tmp_path):
    """Three times as wide in the median over its own probes, and yet the larger one at 60 % of them only."""

    def arm(width, change):
        series = {
            "train/accuracy": flat(0.9),
            "loss_landscape/min": flat(1.0),
            "loss_landscape/max": lambda step: np.exp(width(step)),
            "gradient_predictiveness/max": flat(change),
        }
        return {"series": series, "loss": flat(0.1), "accuracy": flat(0.8)}

    name = "santurkar_2018/vgg_norms"
    none = arm(lambda step: np.where(step <= 150, 0.6, 0.1), 50)
    vgg(tmp_path, range(5), name, none=none, l1=arm(flat(0.2), 20))
    found = {verdict.claim: verdict for verdict in loaded(source_of(name)).claims(find_runs(tmp_path))}["S5d, l1"]
    assert (found.effect, found.verdict) == (pytest.approx(3), "undecided")


def gaps(largest):
    """Two layers whose gaps are small, but for one value."""
    names = ["gap_4_1", "error_c1", "gap_4_2", "gradient_at_scaled", "weight_gradient_cosine"]
    names += ["reduction", "reduction_p15", "reduction_along_ones", "reduction_along_normalised"]
    found = {f"theorems/layer{layer}/{name}": flat(1e-13) for layer in (1, 2) for name in names}
    return found | {"theorems/loss_at_scaled": flat(1e-13), "theorems/reduction": flat(0.02)} | largest


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        ("theorems/layer2/gap_4_1", "T1"),
        ("theorems/layer1/error_c1", "T1"),
        ("theorems/layer2/gap_4_2", "T2"),
        ("theorems/layer1/gradient_at_scaled", "T3"),
        ("theorems/loss_at_scaled", "T3"),
    ],
)
def test_one_gap_at_one_step_is_enough_to_miss_a_theorem(tmp_path, broken, claim):
    name = "santurkar_2018/theorems"
    at_one_step = {broken: lambda step: np.where(step == 200, 1e-2, 1e-13)}
    vgg(tmp_path / "exact", range(5), name, batch={"series": gaps({})})
    vgg(tmp_path / "broken", range(5), name, batch={"series": gaps(at_one_step)})
    module = loaded(source_of(name))
    assert {found.verdict for found in module.claims(find_runs(tmp_path / "exact"))} == {"reproduced"}
    missed = {found.claim: found.verdict for found in module.claims(find_runs(tmp_path / "broken"))}
    assert {each for each, verdict in missed.items() if verdict != "reproduced"} == {claim}


def test_a_share_below_zero_in_one_layer_contradicts_t4(tmp_path):
    """BatchNorm would then have made the worst gradient of the weights longer."""
    name = "santurkar_2018/theorems"
    at_one_step = {"theorems/layer2/reduction_p15": lambda step: np.where(step == 200, -0.1, 0.01)}
    vgg(tmp_path / "proved", range(5), name, batch={"series": gaps({})})
    vgg(tmp_path / "longer", range(5), name, batch={"series": gaps(at_one_step)})
    judge = loaded(source_of(name)).claims
    proved, longer = (
        next(found for found in judge(find_runs(tmp_path / case)) if found.claim == "T4")
        for case in ("proved", "longer")
    )
    assert (proved.verdict, proved.effect) == ("reproduced", 0.02)
    assert (longer.verdict, longer.effect) == ("contradicted", 0.02)


def test_the_theorems_figure_has_a_point_for_each_layer(tmp_path):
    name = "santurkar_2018/theorems"
    vgg(tmp_path, [0], name, batch={"series": gaps({})})
    figure = loaded(source_of(name)).plot(find_runs(tmp_path))
    assert [len(container[0].get_xdata()) for container in figure.axes[0].containers] == [2, 2, 2]
