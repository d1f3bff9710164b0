"""The fixed point of SELU on runs for which the verdicts are known."""

import pytest

from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "lecun_selu/fixed_point"


def layers(factor, mean=0.01):
    """Series of 32 layers whose variance changes by a factor from each to the next."""
    found = {}
    for layer in range(1, 33):
        found[f"activation_mean/layer{layer}"] = lambda step: mean + 0 * step
        found[f"activation_std/layer{layer}"] = lambda step, layer=layer: factor ** (layer / 2) + 0 * step
    return found


def write(root, activation, init, **how):
    for seed in range(5):
        choices = {"model": "mlp", "init": init, "model/activation": activation}
        fabricate(
            root, "none", seed, name=f"{activation}-{init}-{seed}", steps=25, choices=choices, experiment=NAME, **how
        )


def verdicts(root):
    return {found.claim: found for found in loaded(source_of(NAME)).claims(find_runs(root))}


def test_the_fixed_point_and_its_absence_are_reproduced(tmp_path):
    write(tmp_path, "selu", "lecun_normal", series=layers(1.001))
    write(tmp_path, "selu", "standard", series=layers(0.65))
    write(tmp_path, "selu", "default", series=layers(0.65))
    write(tmp_path, "relu", "lecun_normal", series=layers(0.5))
    found = verdicts(tmp_path)
    assert {one.verdict for one in found.values()} == {"reproduced"}
    assert found["L1"].effect == pytest.approx(0.01)
    assert found["L2, ReLU"].effect == pytest.approx(0.5**32)


@pytest.mark.parametrize("series", [layers(1.01), layers(0.99), layers(1.0, mean=-0.2)])
def test_a_layer_off_the_fixed_point_contradicts_l1(tmp_path, series):
    """A hundredth a layer is 1.37 or 0.72 after 32."""
    write(tmp_path, "selu", "lecun_normal", series=series)
    assert verdicts(tmp_path)["L1"].verdict == "contradicted"


def test_a_signal_that_stays_contradicts_l2(tmp_path):
    write(tmp_path, "selu", "default", series=layers(0.9))
    assert verdicts(tmp_path)["L2, PyTorch"].verdict == "contradicted"


def test_the_figure_is_drawn_with_what_there_is(tmp_path):
    write(tmp_path, "selu", "lecun_normal", series=layers(1.0))
    figure = loaded(source_of(NAME)).plot(find_runs(tmp_path))
    assert "n = 5 LeCun" in figure._supxlabel.get_text()
    assert len(figure.axes) == 2
