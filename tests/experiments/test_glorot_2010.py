"""Glorot & Bengio 2010 on runs for which the verdicts are known."""

import math

import numpy as np
import pytest

from normscope.errors import UsageError
from normscope.experiment_files import loaded, source_of
from normscope.runs.reader import find_runs
from tests.fabricated import add_histograms, fabricate

BEFORE = "glorot_2010/initialisation"
SIGNAL = {"standard": (0.46, 0.25, 0.14, 0.081, 0.047), "glorot_uniform": (0.63, 0.49, 0.41, 0.36, 0.32)}
GRADIENT = {"standard": 0.082, "glorot_uniform": 0.40}  # of layer 1 in units of that of layer 5
STRETCH = {"standard": 0.48, "glorot_uniform": 0.71}


def flat(value):
    return lambda step: value + 0 * step


def before_training(init):
    """What five layers of 1,000 tanh units have been computed to have."""
    found = {}
    for layer in range(1, 6):
        found[f"activation_std/layer{layer}"] = flat(SIGNAL[init][layer - 1])
        found[f"backpropagated_gradient_std/layer{layer}"] = flat(1e-4 * GRADIENT[init] ** ((5 - layer) / 4))
        found[f"weight_gradient_std/layer{layer}"] = flat(2e-4 * (1 + 0.006 * layer))
        if layer > 1:
            found[f"jacobian/layer{layer}/mean"] = flat(STRETCH[init])
    return found


def write(root, seeds, change=lambda init, series: series, experiment=BEFORE, **how):
    folders = []
    for seed in seeds:
        for init in SIGNAL:
            choices = {"model": "mlp", "init": init, "optimizer": "sgd"}
            series = change(init, before_training(init))
            name = f"{init}-{seed}"
            folders.append(
                fabricate(
                    root,
                    "none",
                    seed,
                    name=name,
                    steps=25,
                    experiment=experiment,
                    choices=choices,
                    series=series,
                    **how,
                )
            )
    return folders


def verdicts(root, experiment=BEFORE):
    return {found.claim: found for found in loaded(source_of(experiment)).claims(find_runs(root))}


def test_the_computed_numbers_reproduce_g1_to_g4(tmp_path):
    write(tmp_path, range(5))
    found = verdicts(tmp_path)
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys(("G1", "G2", "G3", "G4"), "reproduced")
    assert found["G1"].effect == pytest.approx((0.32 / 0.63) / (0.047 / 0.46))
    assert found["G2"].effect == pytest.approx(0.40 / 0.082)
    assert found["G3"].effect == pytest.approx(1.030 / 1.006)
    assert found["G4"].effect == pytest.approx(0.71 - 0.48)
    assert "median 0.1022 standard, 0.5079 normalised" in found["G1"].note


def test_the_opposite_order_contradicts_g1_g2_and_g4(tmp_path):
    other = {"standard": "glorot_uniform", "glorot_uniform": "standard"}
    write(tmp_path, range(5), lambda init, series: before_training(other[init]))
    found = verdicts(tmp_path)
    assert {found[name].verdict for name in ("G1", "G2", "G4")} == {"contradicted"}


def test_a_signal_that_shrinks_less_than_it_should_decides_nothing(tmp_path):
    def weak(init, series):
        return series | ({"activation_std/layer5": flat(0.09)} if init == "standard" else {})

    write(tmp_path, range(5), weak)
    assert verdicts(tmp_path)["G1"].verdict == "undecided"


def test_weight_gradients_that_differ_by_layer_contradict_g3(tmp_path):
    write(tmp_path, range(5), lambda init, series: series | {"weight_gradient_std/layer1": flat(1e-4)})
    assert verdicts(tmp_path)["G3"].verdict == "contradicted"


def test_the_figure_has_all_layers_and_a_caption(tmp_path):
    edges = np.linspace(-1, 1, 5)
    for folder in write(tmp_path, range(2)):
        layers = [f"layer{number}" for number in range(1, 6)]
        add_histograms(folder, edges, np.array([1, 4, 4, 1]), steps=(0,), layers=layers)
    figure = loaded(source_of(BEFORE)).plot(find_runs(tmp_path))
    caption = figure._supxlabel.get_text().replace("\n", " ")
    assert "Scale laptop: mlp on sample, 25 steps" in caption
    assert "n = 2 standard, n = 2 Glorot" in caption
    assert "init" not in caption.split("standard:")[0].replace("initial", "")
    signal = figure.axes[0].lines[0]
    assert signal.get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert signal.get_ydata().tolist() == list(SIGNAL["standard"])
    assert [tick.get_text() for tick in figure.axes[4].get_yticklabels()] == ["1", "2", "3", "4", "5"]


def tuned(root, seeds, scores):
    """Runs from both initialisations at two rates: scores is (init, lr) -> (validation, test) accuracy."""
    for seed in seeds:
        for (init, lr), (validation, test) in scores.items():
            fabricate(
                root,
                "none",
                seed,
                name=f"{init}-{lr}-{seed}",
                experiment="glorot_2010/table_1",
                choices={"model": "mlp", "init": init},
                optimizer={"lr": lr},
                accuracy=flat(test),
                series={"validation/accuracy": flat(validation)},
            )


SCORES = {
    ("standard", 0.001): (0.30, 0.60),  # the best on the test set, which nobody may look at
    ("standard", 0.01): (0.45, 0.441),
    ("glorot_uniform", 0.001): (0.48, 0.4708),
    ("glorot_uniform", 0.01): (0.40, 0.39),
}


def test_g5_takes_the_rate_that_is_best_on_the_validation_images(tmp_path):
    tuned(tmp_path, range(5), SCORES)
    found = verdicts(tmp_path, "glorot_2010/table_1")["G5"]
    assert found.effect == pytest.approx(52.92 - 55.9)
    assert found.verdict == "reproduced"
    figure = loaded(source_of("glorot_2010/table_1")).plot(find_runs(tmp_path))
    caption = figure._supxlabel.get_text().replace("\n", " ")
    assert "standard 0.01, 0.01, 0.01, 0.01, 0.01; Glorot 0.001" in caption
    assert "n = 5 standard, n = 5 Glorot" in caption


def test_g5_is_contradicted_by_a_higher_error(tmp_path):
    tuned(tmp_path, range(5), SCORES | {("glorot_uniform", 0.001): (0.48, 0.40)})
    assert verdicts(tmp_path, "glorot_2010/table_1")["G5"].verdict == "contradicted"


def test_g5_needs_validation_images(tmp_path):
    """Without them no rate can be chosen; that is no divergence."""
    tuned(tmp_path, range(5), {key: (math.nan, test) for key, (_, test) in SCORES.items()})
    found = verdicts(tmp_path, "glorot_2010/table_1")["G5"]
    assert (found.n, found.verdict) == (0, "undecided")
    assert "what is measured is not there" in found.note
    with pytest.raises(UsageError, match="no run has a validation accuracy"):
        loaded(source_of("glorot_2010/table_1")).plot(find_runs(tmp_path))


def sigmoids(root, seeds, middle):
    """Runs of four layers whose last one has its activations about `middle` at step 100."""
    for seed in seeds:
        folder = fabricate(
            root,
            "none",
            seed,
            experiment="glorot_2010/saturation",
            choices={"model": "mlp", "init": "standard", "model/activation": "sigmoid"},
            model={"width": 1.0, "norm": None, "hidden_layers": 4},
            batch_size=10,
            series={f"activation_mean/layer{layer}": flat(0.5 if layer < 4 else middle) for layer in range(1, 5)},
        )
        edges = np.linspace(middle - 0.01, middle + 0.01, 5)
        add_histograms(folder, edges, np.array([1, 2, 2, 1]), steps=(100,), layers=("layer4",))


@pytest.mark.parametrize(("middle", "verdict"), [(0.02, "reproduced"), (0.4, "contradicted")])
def test_g6_is_the_lowest_median_of_the_last_layer(tmp_path, middle, verdict):
    sigmoids(tmp_path, range(5), middle)
    found = verdicts(tmp_path, "glorot_2010/saturation")["G6"]
    assert found.effect == pytest.approx(middle)
    assert found.verdict == verdict
    figure = loaded(source_of("glorot_2010/saturation")).plot(find_runs(tmp_path))
    assert figure.axes[0].get_title(loc="left") == "4 hidden layers"
    assert len(figure.axes[0].lines) == 4 + 1


def test_g6_looks_at_the_first_five_epochs(tmp_path):
    """Of 200 images in batches of 10 these end at step 100."""
    sigmoids(tmp_path, range(5), 0.02)
    module = loaded(source_of("glorot_2010/saturation"))
    run = find_runs(tmp_path)[0]
    run.config["dataset"]["train_size"] = 200
    assert module.lowest(run) == pytest.approx(0.02)
    run.config["dataset"]["train_size"] = 190
    assert np.isnan(module.lowest(run))
