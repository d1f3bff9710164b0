"""The follow-ups' claims, on runs for which the verdicts are known."""

import math

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate


def flat(value):
    return lambda step: value + 0 * step


def verdicts(root, name):
    return {found.claim: found for found in loaded(source_of(f"follow_ups/{name}")).claims(find_runs(root))}


def write(root, name, seeds, **of_arm):
    for seed in seeds:
        for norm, how in of_arm.items():
            fabricate(root, norm, seed, experiment=f"follow_ups/{name}", **how)


def gradients(growth, layers=50, bend=0.0):
    """Lengths that grow by a factor from each layer to the one before it."""
    logs = math.log(growth) * (layers - np.arange(1, layers + 1)) + bend * np.arange(layers) ** 2
    lengths = {f"gradient_norm/layer{layer}": flat(math.exp(log)) for layer, log in enumerate(logs, 1)}
    return {"series": lengths | {"gradient_norm/head": flat(1.0)}}


def test_gradients_of_the_mean_field_limit_reproduce_yang(tmp_path):
    growth = math.sqrt(math.pi / (math.pi - 1))
    write(tmp_path, "exploding_gradients", range(8), none=gradients(1.0001), batch=gradients(growth))
    found = verdicts(tmp_path, "exploding_gradients")
    assert found["Yang"].effect == pytest.approx(math.log(growth))
    assert {verdict.verdict for verdict in found.values()} == {"reproduced"}


def test_gradients_that_shrink_towards_the_input_contradict_yang(tmp_path):
    write(tmp_path, "exploding_gradients", range(8), none=gradients(1.0001), batch=gradients(0.8))
    assert verdicts(tmp_path, "exploding_gradients")["Yang"].verdict == "contradicted"


def test_a_bent_line_does_not_reproduce_yang(tmp_path):
    write(tmp_path, "exploding_gradients", range(8), none=gradients(1.0001), batch=gradients(1.5, bend=0.006))
    assert verdicts(tmp_path, "exploding_gradients")["Yang"].verdict == "undecided"


@pytest.mark.parametrize(("sharpness", "verdict"), [(2.1, "reproduced"), (0.7, "undecided"), (4.0, "undecided")])
def test_the_edge_of_stability_is_a_band(tmp_path, sharpness, verdict):
    """In the second half; the rise to it may be as it likes."""
    arm = {"series": {"curvature/lambda_lr": lambda step: np.where(step < 200, 0.3, sharpness)}}
    write(tmp_path, "edge_of_stability", range(8), none=arm, batch=arm)
    found = verdicts(tmp_path, "edge_of_stability")
    assert {each.verdict for each in found.values()} == {verdict}
    assert found["Cohen, batch"].effect == pytest.approx(sharpness)


def test_networks_at_their_own_rates_share_the_figure_of_the_edge(tmp_path):
    arm = {"series": {"curvature/lambda_lr": flat(2.1)}}
    for norm, lr in (("none", 0.01), ("batch", 0.0025)):
        write(tmp_path / norm, "edge_of_stability", range(2), **{norm: arm | {"optimizer": {"lr": lr}}})
    figure = loaded(source_of("follow_ups/edge_of_stability")).plot(find_runs(tmp_path))
    caption = figure._supxlabel.get_text().replace("\n", " ")
    for words in ("lr 0.01,", "n = 2 without BatchNorm", "lr 0.0025,", "n = 2 with BatchNorm"):
        assert words in caption


def test_outliers_are_compared_after_the_start(tmp_path):
    def arm(apart, share):
        return {
            "series": {
                "curvature/eigenvalue_ratio": lambda step: np.where(step < 80, 1, apart),
                "curvature/gradient_in_top_10": flat(share),
            }
        }

    write(tmp_path, "outliers", range(5), none=arm(9.0, 0.6), batch=arm(3.0, 0.2))
    found = verdicts(tmp_path, "outliers")
    assert (found["Ghorbani, outliers"].verdict, found["Ghorbani, outliers"].effect) == ("reproduced", 3)
    assert (found["Ghorbani, span"].verdict, found["Ghorbani, span"].effect) == ("reproduced", pytest.approx(0.4))


def residual(root, seeds, **of_kind):
    for seed in seeds:
        for kind, how in of_kind.items():
            chosen = {"model": "resnet34", "model/residual": kind}
            fabricate(
                root,
                "none",
                seed,
                name=f"{kind}-{seed}",
                experiment="follow_ups/residual_without_norm",
                choices=chosen,
                **how,
            )


def test_fixup_must_train_where_plain_sums_do_not(tmp_path):
    trains, diverges, learns_too = {"loss": flat(0.5)}, {"status": "diverged"}, {"loss": flat(0.6)}
    residual(tmp_path / "as the papers", range(5), add=diverges, fixup=trains, skip_init=trains)
    residual(tmp_path / "both train", range(5), add=learns_too, fixup=trains, skip_init=trains)
    found = verdicts(tmp_path / "as the papers", "residual_without_norm")
    assert {verdict.verdict for verdict in found.values()} == {"reproduced"}
    assert found["Fixup"].effect == pytest.approx(math.log(10) - 0.5)
    assert verdicts(tmp_path / "both train", "residual_without_norm")["Fixup"].verdict == "undecided"


def rates(root, seeds, **of_arm):
    """Final accuracies at three rates, on the test and the validation split alike; None: diverged."""
    for seed in seeds:
        for norm, ends in of_arm.items():
            for lr, end in zip((0.001, 0.01, 0.1), ends, strict=True):
                how = {"status": "diverged"} if end is None else {"accuracy": flat(end)}
                series = {} if end is None else {"validation/accuracy": flat(end)}
                fabricate(
                    root,
                    norm,
                    seed,
                    name=f"{norm}-{lr}-{seed}",
                    experiment="follow_ups/matched_rates",
                    optimizer={"lr": lr},
                    series=series,
                    **how,
                )


def test_the_gap_at_a_matched_rate_is_a_share_of_the_gap_at_the_best(tmp_path):
    rates(tmp_path, range(5), none=(0.50, 0.60, None), batch=(0.55, 0.62, 0.80))
    found = verdicts(tmp_path, "matched_rates")["Bjorck"]
    assert (found.verdict, found.effect) == ("reproduced", pytest.approx(0.02 / 0.20))


def test_a_gain_that_is_there_at_any_rate_does_not_reproduce_bjorck(tmp_path):
    rates(tmp_path, range(5), none=(0.50, 0.60, None), batch=(0.70, 0.78, 0.80))
    assert verdicts(tmp_path, "matched_rates")["Bjorck"].verdict == "undecided"


def test_without_validation_images_no_rate_is_the_best(tmp_path):
    """It would be the smallest, in silence."""
    for seed in range(5):
        for norm in ("none", "batch"):
            for lr in (0.01, 0.1):
                fabricate(
                    tmp_path, norm, seed, name=f"{norm}-{lr}-{seed}", experiment="follow_ups/matched_rates",
                    optimizer={"lr": lr}, accuracy=flat(0.5 + lr * (norm == "batch")),
                )  # fmt: skip
    found = verdicts(tmp_path, "matched_rates")["Bjorck"]
    assert (found.n, found.verdict) == (0, "undecided")
    assert "what is measured is not there" in found.note


def parts(root, seeds, norms, others, off, scale="paper"):
    """Test accuracies of networks of which a part learns, and the share of scales that the norms switch off."""
    for seed in seeds:
        for part, accuracy in (("norms_only", norms), ("random_weights_only", others)):
            fabricate(
                root,
                "batch",
                seed,
                name=f"{part}-{seed}",
                experiment="follow_ups/batch_norm_only",
                accuracy=flat(accuracy),
                choices={"model": "resnet18", "scale": scale},
                regularizer={"crop_flip": {"data": {}}, part: {"gradient": {"seed": seed}}},
                series={"norm_scales/switched_off": flat(off if part == "norms_only" else 0.0)},
            )


def test_scales_and_shifts_alone_must_beat_as_many_random_weights(tmp_path):
    parts(tmp_path / "as the paper", range(5), norms=0.82, others=0.45, off=0.33)
    parts(tmp_path / "the opposite", range(5), norms=0.30, others=0.45, off=0.01)
    parts(tmp_path / "in between", range(5), norms=0.50, others=0.45, off=0.10)
    found = verdicts(tmp_path / "as the paper", "batch_norm_only")
    assert {verdict.verdict for verdict in found.values()} == {"reproduced"}
    assert found["Frankle, norms"].effect == pytest.approx(37)
    assert found["Frankle, switched off"].effect == pytest.approx(0.33)
    for root, verdict in (("the opposite", "contradicted"), ("in between", "undecided")):
        assert {each.verdict for each in verdicts(tmp_path / root, "batch_norm_only").values()} == {verdict}


def test_a_short_run_cannot_switch_channels_off_and_decides_nothing_of_it(tmp_path):
    parts(tmp_path, range(5), norms=0.30, others=0.15, off=0.0, scale="laptop")
    found = verdicts(tmp_path, "batch_norm_only")
    assert found["Frankle, norms"].verdict == "reproduced"
    assert found["Frankle, switched off"].verdict == "undecided"
    assert "only the paper's length" in found["Frankle, switched off"].note


def batches(root, seeds, **of_norm):
    """Test accuracies in batches of 32, 8 and 2; None: diverged."""
    for seed in seeds:
        for norm, ends in of_norm.items():
            for size, end in zip((32, 8, 2), ends, strict=True):
                fabricate(
                    root,
                    norm,
                    seed,
                    name=f"{norm}-{size}-{seed}",
                    experiment="follow_ups/small_batches",
                    status="finished" if end else "diverged",
                    loss=flat(1.0),
                    accuracy=flat(end or 0.5),
                    batch_size=size,
                    model={"width": 0.25, "norm": {"groups": 4} if norm == "group" else {"momentum": 0.1}},
                )


def test_batch_norm_must_lose_more_in_small_batches_than_group_norm(tmp_path):
    batches(tmp_path / "as the paper", range(5), batch=(0.76, 0.75, 0.65), group=(0.76, 0.76, 0.755))
    batches(tmp_path / "the opposite", range(5), batch=(0.7, 0.7, 0.7), group=(0.7, 0.6, None))
    found = verdicts(tmp_path / "as the paper", "small_batches")["Wu"]
    assert (found.verdict, found.effect) == ("reproduced", pytest.approx(10.5))
    found = verdicts(tmp_path / "the opposite", "small_batches")["Wu"]
    assert (found.verdict, found.effect) == ("contradicted", pytest.approx(-60))


def clipping(root, seeds, **trained):
    """The loss ends at 1 at rates that train, at 2.3 at others; where nothing is said of a rate it diverges."""
    for seed in seeds:
        for arm, losses in trained.items():
            for lr in (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3):
                fabricate(
                    root,
                    "none",
                    seed,
                    name=f"{arm}-{lr}-{seed}",
                    experiment="follow_ups/adaptive_clipping",
                    status="finished" if lr in losses else "diverged",
                    loss=flat(losses.get(lr, math.inf)),
                    optimizer={"lr": lr},
                    regularizer={} if arm == "none" else {arm: {"gradient": {"clipping": 0.01}}},
                )


def test_adaptive_clipping_must_enlarge_the_range_of_rates(tmp_path):
    none = dict.fromkeys((0.01, 0.03, 0.1), 1.0)
    clipped = dict.fromkeys((0.01, 0.03, 0.1, 0.3, 1), 1.0)
    clipping(tmp_path / "as the paper", range(5), none=none | {0.003: 2.3}, adaptive_clipping=clipped)
    found = verdicts(tmp_path / "as the paper", "adaptive_clipping")
    assert {verdict.verdict for verdict in found.values()} == {"reproduced"}
    assert found["Brock, range"].effect == 2
    assert found["Brock, largest"].effect == pytest.approx(10)
    clipping(tmp_path / "the opposite", range(5), none=clipped, adaptive_clipping=none)
    assert {verdict.verdict for verdict in verdicts(tmp_path / "the opposite", "adaptive_clipping").values()} == {
        "contradicted"
    }


@pytest.mark.parametrize("name", ["edge_of_stability", "outliers", "exploding_gradients"])
def test_figures_of_pairs_are_drawn(tmp_path, name):
    series = {
        "curvature/lambda_lr": flat(2.0),
        "curvature/eigenvalue_1": flat(9.0),
        "curvature/eigenvalue_ratio": flat(3.0),
        "curvature/gradient_in_top_10": flat(0.3),
        **gradients(1.2)["series"],
    }
    write(tmp_path, name, range(2), none={"series": series}, batch={"series": series})
    figure = loaded(source_of(f"follow_ups/{name}")).plot(find_runs(tmp_path))
    assert "n = 2 with BatchNorm" in figure._supxlabel.get_text().replace("\n", " ")


def test_the_other_figures_are_drawn(tmp_path):
    rates(tmp_path / "rates", range(2), none=(0.5, 0.6, None), batch=(0.6, 0.7, 0.8))
    residual(tmp_path / "residual", range(2), add={}, fixup={}, skip_init={})
    parts(tmp_path / "parts", range(2), norms=0.8, others=0.4, off=0.3)
    batches(tmp_path / "batches", range(2), batch=(0.7, 0.7, 0.6), group=(0.7, 0.7, 0.7))
    clipping(tmp_path / "clipping", range(2), none={0.01: 1.0}, adaptive_clipping={0.01: 1.0, 0.1: 1.5})
    for name, root in (
        ("matched_rates", "rates"),
        ("residual_without_norm", "residual"),
        ("batch_norm_only", "parts"),
        ("small_batches", "batches"),
        ("adaptive_clipping", "clipping"),
    ):
        figure = loaded(source_of(f"follow_ups/{name}")).plot(find_runs(tmp_path / root))
        assert "n = 2" in figure._supxlabel.get_text()
