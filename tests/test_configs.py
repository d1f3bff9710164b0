"""Every choice under configs/ composes, is put together and takes a step with every probe."""

from pathlib import Path

import pytest
import yaml

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.places import CONFIGS, EXPERIMENTS
from normscope.preflight import check_config
from normscope.rehearsal import rehearse
from tests.commands import TINY

CHOICES = sorted(path.relative_to(CONFIGS) for path in CONFIGS.rglob("*/*.yaml"))
LISTS = ("regularizer", "probe")
ONLY_WITH = {  # a choice -> what else must be chosen for it to have a meaning
    "jacobian": ["model/norm=none"],
    "slopes": ["model/activation=prelu"],
    "lsuv": ["init.images=16"],
    "gaussian_regression": ["loss=squared_error", "model=mlp"],
    "principal_components": ["dataset.preprocess.components=10"],
    "group": ["model.norm.groups=2"],
    "weight_standardisation": ["model.norm.norm.groups=2"],
    "ghost_batch": ["model.norm.virtual_batch=8"],
    "add": ["model=resnet18"],
    "plain": ["model=resnet18"],
    "skip_init": ["model=resnet18", "model/norm=none"],
    "fixup": ["model=resnet18", "model/norm=none"],
    "newton": ["model=small_conv", "model.width=0.01"],
    "stochastic_depth": ["model=resnet18"],
    "early_stopping": ["dataset.validation=8", "batch_size=8"],
    "snapshot_ensemble": ["schedule=restarts", "schedule.growth=1"],
    "plateau": ["dataset.validation=8", "batch_size=8"],
    "reconstruction": ["loss=squared_error", "model=mlp"],
    "autoencoder": ["task=reconstruction", "loss=squared_error"],
}
NEEDS_FILES = {  # tested with archives and folders of their own in tests/data, with runs in tests/test_transfer.py
    "dataset": ("cifar10", "cifar100", "fashion_mnist", "folder", "mnist", "mnist_28", "svhn"),
    "start": ("run",),
}


def override(choice: Path) -> str:
    group, name = choice.parent.as_posix(), choice.stem
    return f"{group}=[{name}]" if group in LISTS else f"{group}={name}"


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_choice_takes_a_step(choice):
    if choice.stem in NEEDS_FILES.get(choice.parent.as_posix(), ()):
        pytest.skip("reads files of its own")
    if choice.parent.as_posix() == "job":
        pytest.skip("reads finished runs; see tests/jobs")
    extra = ["batch_size=4", "scale=smoke"] if choice.parent.name == "scale" else [override(choice)]
    extra += ONLY_WITH.get(choice.stem, [])
    config, choices = composed([*TINY, *extra, "dataset.train_size=16"])
    check_config(config)
    rehearse(assemble(config, choices))


@pytest.mark.parametrize("model", ["vgg11", "resnet18", "resnet50", "mlp"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_models_take_all_regularizers_at_once(model, norm):
    rules = "regularizer=[crop_flip,weight_decay,l2,dropout]"
    config, choices = composed([*TINY, f"model={model}", f"model/norm={norm}", rules, "precision=bf16"])
    rehearse(assemble(config, choices))


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_choice_is_short_and_names_its_source(choice):
    lines = (CONFIGS / choice).read_text().splitlines()
    assert len(lines) <= 13
    assert lines[0].startswith("# ")
    if lines[0].startswith("# @package"):  # Hydra wants it first
        assert lines[1].startswith("# ")


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_an_experiment_composes_at_every_scale(path):
    name = path.relative_to(EXPERIMENTS).with_suffix("").as_posix()
    for scale in ("paper", "short", "laptop", "smoke"):
        words = [f"experiment={name}", f"scale={scale}"]
        numbers = composed(words)[1]["dataset"] == "gaussian_regression"  # needs no files, and has keys of its own
        config, choices = composed([*words, *([] if numbers else ["dataset=sample"])])
        check_config(config)
        assert (choices["experiment"], choices["scale"]) == (name, scale)


def test_an_experiment_may_say_what_a_scale_means_for_it():
    """The product of matrices stays 10 units wide at a laptop's scale; other experiments keep the scale's own size."""
    own, choices = composed(["experiment=santurkar_2018/deep_linear", "scale=laptop"])
    assert (own["model"]["width"], own["steps"]) == (1.0, 3000)
    assert "at_scale" not in own
    assert "at_scale" not in choices
    usual, _ = composed(["experiment=seminar/bn_vs_no_bn", "scale=laptop"])
    assert (usual["model"]["width"], usual["steps"]) == (0.25, 400)
    paper, _ = composed(["experiment=santurkar_2018/deep_linear"])
    assert paper["steps"] == 10_000


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_an_experiment_can_be_run_without_its_probes_and_regularizers(path):
    """What it sets of them goes with them."""
    name = path.relative_to(EXPERIMENTS).with_suffix("").as_posix()
    config, _ = composed([f"experiment={name}", "scale=laptop", "probe=[]", "regularizer=[]"])
    assert (config["probe"], config["regularizer"]) == ({}, {})


def test_the_regularizers_act_in_the_order_of_the_list():
    def order(names):
        return list(composed([f"regularizer=[{names}]"])[0]["regularizer"])

    assert order("crop_flip,dropout") == ["crop_flip", "dropout"]
    assert order("dropout,crop_flip") == ["dropout", "crop_flip"]


def test_the_settings_file_agrees_with_its_types():
    """The defaults in train.yaml are those of the dataclass, so that a script and the command start equal."""
    from normscope.settings import Settings

    stated = yaml.safe_load((CONFIGS / "train.yaml").read_text())
    for key, value in stated.items():
        if key not in ("defaults", "hydra"):
            assert getattr(Settings(), key) == value, key
