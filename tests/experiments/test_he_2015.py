"""He et al. 2015 on runs for which the verdicts are known."""

import math

import numpy as np
import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

CHANCE = math.log(10)
INITS = ("he_normal", "lecun_normal")


def flat(value):
    return lambda step: value + 0 * step


def write(root, experiment, seed, init, *, layers=30, activation="relu", **how):
    choices = {"model": "mlp", "init": init, "model/activation": activation}
    model = {"width": 1.0, "norm": None, "hidden_layers": layers}
    name = f"{init}-{layers}-{activation}-{seed}"
    fabricate(root, "none", seed, name=name, experiment=experiment, choices=choices, model=model, **how)


def verdicts(root, experiment):
    return {found.claim: found for found in loaded(source_of(experiment)).claims(find_runs(root))}


def halving(seed, rate):
    return {
        f"{what}_std/layer{layer}": flat((1 + 0.1 * seed) * 2.0 ** (-rate * layer))
        for layer in range(1, 31)
        for what in ("activation", "backpropagated_gradient")
    }


@pytest.mark.parametrize(("rate", "verdict", "off"), [(0.5, "reproduced", 1.0), (0.4, "contradicted", 8.0)])
def test_h1_is_a_signal_that_halves_every_two_layers(tmp_path, rate, verdict, off):
    """At 0.4 halvings a layer 2^-12 is left after thirty layers: 2^3 times 2^-15."""
    for seed in range(5):
        write(tmp_path, "he_2015/signal", seed, "he_normal", series=halving(seed, 0.0))
        write(tmp_path, "he_2015/signal", seed, "lecun_normal", series=halving(seed, rate))
    found = verdicts(tmp_path, "he_2015/signal")["H1"]
    assert found.verdict == verdict
    assert found.effect == pytest.approx(off)


def test_a_silent_network_is_infinitely_off(tmp_path):
    for seed in range(5):
        write(tmp_path, "he_2015/signal", seed, "he_normal", series=halving(seed, 0.0))
        write(tmp_path, "he_2015/signal", seed, "lecun_normal", series={"activation_std/layer30": flat(0.0)})
    found = verdicts(tmp_path, "he_2015/signal")["H1"]
    assert (found.effect, found.verdict) == (math.inf, "contradicted")


def falls_at(step_of_fall):
    return lambda step: np.where(step >= step_of_fall, 0.5, CHANCE)


def depths(root, seeds, of_30, of_22):
    """Networks whose loss falls at these steps, of (He, Xavier)."""
    for seed in seeds:
        for layers, falls in ((29, of_30), (21, of_22)):
            for init, fall in zip(INITS, falls, strict=True):
                series = {"weight_gradient_std/layer1": flat(1e-3)}
                write(root, "he_2015/depth", seed, init, layers=layers, loss=falls_at(fall), series=series)


def test_a_stalled_deep_and_a_late_shallow_network_reproduce_h2_and_h3(tmp_path):
    depths(tmp_path, range(5), of_30=(50, math.inf), of_22=(50, 200))
    found = verdicts(tmp_path, "he_2015/depth")
    assert (found["H2"].verdict, found["H3"].verdict) == ("reproduced", "reproduced")
    assert found["H2"].effect == pytest.approx(CHANCE - 0.5)
    # of ten logged losses, five steps apart, four at 0.5 make the mean 1.58 < 0.7 ln 10
    assert found["H3"].effect == pytest.approx((200 + 3 * 5) / (50 + 3 * 5))
    assert "22" in found["H3"].statement


def test_h2_wants_the_stall_to_be_complete(tmp_path):
    depths(tmp_path, range(5), of_30=(50, 390), of_22=(50, 200))
    assert verdicts(tmp_path, "he_2015/depth")["H2"].verdict == "undecided"


def test_a_shallow_network_that_never_learns_is_no_later_start(tmp_path):
    """Figure 2 says that both converge."""
    depths(tmp_path, range(5), of_30=(50, math.inf), of_22=(50, math.inf))
    assert verdicts(tmp_path, "he_2015/depth")["H3"].verdict == "undecided"


def test_xavier_ahead_of_he_contradicts_h3(tmp_path):
    depths(tmp_path, range(5), of_30=(50, math.inf), of_22=(200, 50))
    assert verdicts(tmp_path, "he_2015/depth")["H3"].verdict == "contradicted"


@pytest.mark.parametrize(("slope", "verdict"), [(0.681, "reproduced"), (-0.1, "contradicted"), (0.0, "undecided")])
def test_h4_is_the_sign_of_the_first_slope(tmp_path, slope, verdict):
    for seed in range(5):
        series = {"slope/layer1": lambda step: 0.25 + (slope - 0.25) * step / 400}
        write(tmp_path, "he_2015/prelu", seed, "he_normal", activation="prelu", series=series)
    assert verdicts(tmp_path, "he_2015/prelu")["H4"].verdict == verdict


def test_every_figure_is_drawn_with_a_caption(tmp_path):
    depths(tmp_path, range(2), of_30=(50, math.inf), of_22=(50, 200))
    for seed in range(2):
        for init in INITS:
            write(tmp_path, "he_2015/signal", seed, init, series=halving(seed, 0.5))
        write(tmp_path, "he_2015/prelu", seed, "he_normal", activation="prelu", series={"slope/layer1": flat(0.3)})
    for figure, n in (
        ("signal", "n = 2 He, n = 2 LeCun"),
        ("depth", "n = 2 He, n = 2 LeCun"),
        ("prelu", "n = 2 PReLU"),
    ):
        drawn = loaded(source_of(f"he_2015/{figure}")).plot(find_runs(tmp_path, f"he_2015/{figure}"))
        caption = drawn._supxlabel.get_text().replace("\n", " ")
        assert "Scale laptop: mlp on sample, 400 steps" in caption
        assert n in caption
        assert ".." not in caption
