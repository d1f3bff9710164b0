"""The deep linear network and the theorems of Santurkar et al. 2018, on runs for which the verdicts are known."""

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate


def flat(value):
    return lambda step: value + 0 * step


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


def batch_norms(root, seeds, experiment, series):
    """VGGs with BatchNorm: series is what was measured of them."""
    for seed in seeds:
        fabricate(root, "batch", seed, experiment=experiment, choices={"model": "vgg16"}, series=series)


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
    batch_norms(tmp_path / "exact", range(5), name, gaps({}))
    batch_norms(tmp_path / "broken", range(5), name, gaps(at_one_step))
    module = loaded(source_of(name))
    assert {found.verdict for found in module.claims(find_runs(tmp_path / "exact"))} == {"reproduced"}
    missed = {found.claim: found.verdict for found in module.claims(find_runs(tmp_path / "broken"))}
    assert {each for each, verdict in missed.items() if verdict != "reproduced"} == {claim}


def test_a_share_below_zero_in_one_layer_contradicts_t4(tmp_path):
    """BatchNorm would then have made the worst gradient of the weights longer."""
    name = "santurkar_2018/theorems"
    at_one_step = {"theorems/layer2/reduction_p15": lambda step: np.where(step == 200, -0.1, 0.01)}
    batch_norms(tmp_path / "proved", range(5), name, gaps({}))
    batch_norms(tmp_path / "longer", range(5), name, gaps(at_one_step))
    judge = loaded(source_of(name)).claims
    proved, longer = (
        next(found for found in judge(find_runs(tmp_path / case)) if found.claim == "T4")
        for case in ("proved", "longer")
    )
    assert (proved.verdict, proved.effect) == ("reproduced", 0.02)
    assert (longer.verdict, longer.effect) == ("contradicted", 0.02)


def test_the_theorems_figure_has_a_point_for_each_layer(tmp_path):
    name = "santurkar_2018/theorems"
    batch_norms(tmp_path, [0], name, gaps({}))
    figure = loaded(source_of(name)).plot(find_runs(tmp_path))
    assert [len(container[0].get_xdata()) for container in figure.axes[0].containers] == [2, 2, 2]
