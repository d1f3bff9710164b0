"""The comparisons of experiments/choices: what they draw and claim, from runs whose outcome is known."""

import math

import pytest
import yaml

from normscope.claims import FEWEST
from normscope.errors import UsageError
from normscope.experiment_files import loaded, source_of
from normscope.figures.comparisons import select
from normscope.figures.look import save
from normscope.places import EXPERIMENTS
from normscope.runs.reader import find_runs
from tests.fabricated import fabricate

FOLDER = EXPERIMENTS / "choices"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
FIVE = range(FEWEST)


def module_of(name):
    return loaded(source_of(f"choices/{name}"))


def swept(name):
    """What a sweep varies: key -> options."""
    params = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["hydra"]["sweeper"]["params"]
    return {key: [part.strip("[]") or "none" for part in value.split(",")] for key, value in params.items()}


def run_of(root, arm, option, seed, column="", value="", norm="batch", **how):
    """A run whose arm is a group's choice, a list or a dotted key, as a sweep leaves it."""
    choices = {
        key: what for key, what in ((arm, option), (column, value)) if "/" in key or key in ("init", "optimizer")
    }
    norm = choices.pop("model/norm", norm)
    how = {"loss": lambda step: 2 - step / 400, "accuracy": lambda step: 0.1 + step / 1000} | how
    if arm == "regularizer":
        how["regularizer"] = {} if option == "none" else {option: {"loss": {"strength": 1.0}}}
    if arm == "model.norm_position":
        how["model"] = {"width": 0.25, "norm": None, "norm_position": option}
    name = f"{option}-{value}-{seed}-{how.get('optimizer', '')}".replace("/", "")
    return fabricate(root, norm, seed, name=name, choices={"model/norm": norm, **choices}, experiment="choices", **how)


def all_runs(root, module, seeds=(0, 1)):
    comparison = module.COMPARISON
    for column in comparison.columns:
        for arm in comparison.arms:
            for seed in seeds:
                run_of(root, comparison.arm, arm, seed, comparison.column, column)
    return find_runs(root)


@pytest.mark.parametrize("name", NAMES)
def test_every_arm_of_the_sweep_is_drawn_once(tmp_path, name):
    """The options of the YAML are those of the figure, so that no run is trained and then left out."""
    comparison, params = module_of(name).COMPARISON, swept(name)
    assert set(params[comparison.arm]) <= set(comparison.arms)
    if comparison.column:
        assert params[comparison.column] == list(comparison.columns)
    assert params["seed"] == ["0", "1", "2"]
    assert len(set(comparison.colours().values())) == len(comparison.arms)


def test_images_as_they_are_are_not_taken_for_a_network_without_norm(tmp_path):
    """Both choices call it none."""
    module = module_of("preprocessing")
    run_of(tmp_path, "dataset/preprocess", "none", 0, "model/norm", "batch")
    figure = module.plot(find_runs(tmp_path))
    assert figure.axes[0].get_title(loc="left") == "with BatchNorm"
    assert [label.get_text() for label in figure.axes[2].get_yticklabels()] == ["as they are"]


@pytest.mark.parametrize("name", NAMES)
def test_a_comparison_draws_each_arm_in_its_order(tmp_path, name):
    module = module_of(name)
    runs = all_runs(tmp_path, module)
    figure = module.plot(runs)
    save(figure, tmp_path / "figure.png")
    written = [[label.get_text() for label in axis.get_yticklabels()] for axis in figure.axes]
    names = [module.COMPARISON.name(arm) for arm in module.COMPARISON.arms]
    drawn = [labels for labels in written if any(name in " ".join(labels) for name in names)]
    assert len(drawn) == len(module.COMPARISON.columns)
    for labels in drawn:
        assert [label.startswith(name) for label, name in zip(labels, names, strict=True)] == [True] * len(names)
    caption = figure._supxlabel.get_text().replace("\n", " ")
    assert caption.startswith("Scale laptop: vgg11 on sample, 400 steps")
    assert "n = 2 seeds an arm" in caption


@pytest.mark.parametrize("name", NAMES)
def test_without_a_run_that_ended_there_is_nothing_to_draw(tmp_path, name):
    module = module_of(name)
    comparison = module.COMPARISON
    column = next(iter(comparison.columns))
    run_of(tmp_path, comparison.arm, comparison.arms[0], 0, comparison.column, column, status="failed")
    with pytest.raises(UsageError, match="has ended: nothing to draw"):
        module.plot(find_runs(tmp_path))


def test_diverged_runs_are_told_of_and_have_no_dot(tmp_path):
    module = module_of("norms")
    for seed in (0, 1):
        run_of(tmp_path, "model/norm", "batch", seed)
        run_of(tmp_path, "model/norm", "none", seed, status="diverged" if seed else "finished")
    texts = [text.get_text() for text in module.plot(find_runs(tmp_path)).axes[2].texts]
    assert texts == ["50.0 %, 1 of 2 diverged", "50.0 %"]


def test_the_gap_is_between_the_medians(tmp_path):
    """Test accuracy ends at 0.5; on training images at 0.9 and 1.0."""
    module = module_of("regularizers")
    for seed in (0, 1):
        folder = run_of(tmp_path, "regularizer", "dropout", seed)
        with (folder / "series.csv").open("a") as series:
            series.write(f"400,training_set/accuracy,{0.9 + seed / 10}\n")
    axis = module.plot(find_runs(tmp_path)).axes[2]
    assert [text.get_text() for text in axis.texts] == ["50.0 %, gap 45"]


def test_the_learning_rate_is_chosen_on_validation_images(tmp_path):
    """The test images would have said 0.1, the validation images say 0.01; what diverged is never chosen."""
    module = module_of("optimizers")
    for lr, test, validation, status in ((0.01, 0.5, 0.6, ""), (0.1, 0.9, 0.4, ""), (1.0, 0.9, 0.9, "diverged")):
        folder = run_of(
            tmp_path, "optimizer", "adam", 0, optimizer={"lr": lr}, accuracy=lambda step, end=test: end + 0 * step,
            status=status or "finished",
        )  # fmt: skip
        with (folder / "series.csv").open("a") as series:
            series.write(f"400,validation/accuracy,{validation}\n")
    figure = module.plot(find_runs(tmp_path))
    assert [label.get_text() for label in figure.axes[2].get_yticklabels()] == ["Adam 0.01"]
    assert figure.axes[2].texts[0].get_text() == "50.0 %"


def test_settings_are_not_mixed(tmp_path):
    module = module_of("norms")
    run_of(tmp_path / "a", "model/norm", "batch", 0)
    for arm in ("batch", "layer"):
        run_of(tmp_path / "b", "model/norm", arm, 0, batch_size=64)
    chosen = select(find_runs(tmp_path), module.COMPARISON)
    assert chosen.others == 1
    assert [run.config["batch_size"] for run in chosen.runs] == [64, 64]


def test_equal_runs_of_a_seed_count_once(tmp_path):
    for root in ("a", "b"):
        run_of(tmp_path / root, "model/norm", "batch", 0)
    assert len(select(find_runs(tmp_path), module_of("norms").COMPARISON).runs) == 1


def test_relu_against_sigmoid_is_judged_by_the_points_between_them(tmp_path):
    module = module_of("activations")
    for seed in FIVE:
        run_of(tmp_path, "model/activation", "relu", seed, "model/norm", "none")
        run_of(
            tmp_path, "model/activation", "sigmoid", seed, "model/norm", "none", accuracy=lambda step: 0.1 + 0 * step
        )
    (found,) = module.claims(find_runs(tmp_path))
    assert (found.verdict, found.n) == ("reproduced", 5)
    assert found.effect == pytest.approx(40)


def test_three_seeds_decide_nothing(tmp_path):
    module = module_of("activations")
    for seed in range(3):
        run_of(tmp_path, "model/activation", "relu", seed, "model/norm", "none")
        run_of(
            tmp_path, "model/activation", "sigmoid", seed, "model/norm", "none", accuracy=lambda step: 0.1 + 0 * step
        )
    assert module.claims(find_runs(tmp_path))[0].verdict == "undecided"


def test_a_claim_without_runs_is_not_run(tmp_path):
    run_of(tmp_path, "init", "zeros", 0, "model/norm", "none")
    for name in ("inits", "activations"):
        assert {verdict.verdict for verdict in module_of(name).claims(find_runs(tmp_path))} == {"not run"}


def test_the_thresholds_are_those_fixed_beforehand():
    assert module_of("activations").MARGIN == 5
    inits = module_of("inits")
    assert inits.LEARNED / math.log(10) == 0.8
    assert (inits.WINDOW, inits.SOONER, inits.SHARE) == (10, 0.9, 0.5)
