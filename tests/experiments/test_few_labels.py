import importlib.util

import pytest

from normscope.errors import UsageError
from normscope.figures.look import save
from normscope.places import EXPERIMENTS
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

NAME = "pretraining/few_labels"


@pytest.fixture(scope="module")
def few_labels():
    spec = importlib.util.spec_from_file_location("few_labels", EXPERIMENTS / f"{NAME}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(root, source, labels, seed, accuracy, **rest):
    start = {"experiment": source, "run": None} if source else {}
    fabricate(
        root, "batch", seed, experiment=NAME, name=f"{source.rpartition('/')[2]}-{labels}-{seed}", start=start,
        dataset={"train_size": 10 * labels}, accuracy=lambda step: accuracy + 0 * step, **rest,
    )  # fmt: skip


def all_arms(root):
    for seed in range(3):
        for labels, base in ((20, 0.25), (100, 0.4), (1000, 0.6)):
            run(root, "", labels, seed, base + 0.01 * seed)
            run(root, "pretraining/rotation", labels, seed, base + 0.05 + 0.02 * seed)
            run(root, "pretraining/autoencoder", labels, seed, base + 0.02)
            run(root, "pretraining/layers_8", labels, seed, base + 0.03)


def test_gains_are_those_of_pairs_by_hand(tmp_path, few_labels):
    all_arms(tmp_path)
    runs = find_runs(tmp_path)
    none, rotation = few_labels.scores_of(runs, "none"), few_labels.scores_of(runs, "pretraining/rotation")
    assert list(none) == [20, 100, 1000]
    assert none[20] == pytest.approx({0: 25, 1: 26, 2: 27})
    assert few_labels.gains_of(rotation, none)[100] == pytest.approx({0: 5, 1: 6, 2: 7})
    assert few_labels.gains_of(rotation, {20: {1: 20.0}}) == {20: {1: pytest.approx(12)}}


def test_a_run_that_diverged_has_guessed(tmp_path, few_labels):
    run(tmp_path, "", 20, 0, 0.5, status="diverged")
    assert few_labels.scores_of(find_runs(tmp_path), "none") == {20: {0: 10}}


def test_runs_of_another_length_are_left_out(tmp_path, few_labels):
    all_arms(tmp_path)
    run(tmp_path, "longer", 20, 0, 0.9, steps=4000)
    found = few_labels.of_one_length(find_runs(tmp_path))
    assert len(found) == 36
    assert {run.config["steps"] for run in found} == {400}


def test_the_figure_names_every_arm(tmp_path, few_labels):
    all_arms(tmp_path)
    figure = few_labels.plot(find_runs(tmp_path))
    save(figure, tmp_path / "few_labels.png")
    left, right = ({text.get_text() for text in axis.texts} for axis in figure.axes)
    assert left == {"rotation", "autoencoder, whole", "autoencoder by layer", "no pretraining"}
    assert right == left - {"no pretraining"}
    assert "n = 3 seeds" in figure._supxlabel.get_text().replace("\n", " ")
    assert few_labels.claims(find_runs(tmp_path)) == []


def test_a_figure_of_one_arm_says_that_there_are_no_pairs(tmp_path, few_labels):
    run(tmp_path, "", 20, 0, 0.5)
    figure = few_labels.plot(find_runs(tmp_path))
    assert [text.get_text() for text in figure.axes[1].texts] == ["no pairs yet"]


def test_without_scores_there_is_nothing_to_draw(tmp_path, few_labels):
    run(tmp_path, "", 20, 0, 0.5, status="interrupted")
    with pytest.raises(UsageError, match="no run of pretraining/few_labels has ended"):
        few_labels.plot(find_runs(tmp_path))
