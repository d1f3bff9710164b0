"""Composing a config, and what it says of itself: plain values, choices, the run's place under outputs/."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from normscope.places import CONFIGS, EXPERIMENTS
from normscope.preflight import targets
from normscope.runs import folder
from normscope.searches.scores import LARGER_IS_BETTER
from normscope.settings import Settings
from normscope.surveys import names

LISTS = ("probe", "regularizer")  # groups of which a run has any list of choices


@cache
def register() -> None:
    """Tell Hydra, once a process, what lies outside configs/: the types of the settings, one choice for each
    experiment, and the names of folders that `${run_name:}` and its kin stand for.

    An experiment may say under `at_scale` what a scale means for it, where the scale's own file does not fit: it comes
    last, after the file of the scale.
    """
    store = ConfigStore.instance()
    store.store(name="settings", node=Settings)
    for path in sorted(EXPERIMENTS.rglob("*.yaml")):
        name = path.relative_to(EXPERIMENTS).with_suffix("")
        node = OmegaConf.load(path)
        assert isinstance(node, DictConfig)
        sizes = node.pop("at_scale", {})
        folder_of = "/".join(name.parts[:-1])
        store.store(group=f"experiment/{folder_of}", name=name.name, node=node, package="_global_")
        for scale, size in sizes.items():
            store.store(group=f"at_scale/{folder_of}", name=f"{name.name}_{scale}", node=size, package="_global_")
    for resolver in (run_name, experiment_folder, run_folder, direction):
        OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)


def composed(overrides: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The config and the choices that `normscope OVERRIDES` would run, for scripts and tests."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        root = compose("train", overrides, return_hydra_config=True)
    return config_of(root), choices_of(root)


def config_of(root: DictConfig) -> dict[str, Any]:
    """The run's config as plain dicts and lists, interpolations resolved, without Hydra's own part and without `job` or
    `search`, which are no part of how a network is trained.

    What an experiment sets of a probe or regularizer that the command leaves out is left out too: `probe=[]` is enough.
    """
    config: dict[str, Any] = {
        str(key): OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in root.items()
        if key not in ("hydra", "job", "search")
    }
    for group in LISTS:
        config[group] = {name: node for name, node in (config.get(group) or {}).items() if any(targets(node))}
    return config


def job_of(root: DictConfig) -> dict[str, Any]:
    """The chosen job as a plain dict; empty where a network is to be trained."""
    job = OmegaConf.to_container(root.job, resolve=True)
    assert isinstance(job, dict)
    return {str(key): value for key, value in job.items()}


def search_of(root: DictConfig) -> dict[str, Any]:
    """The settings of the search that is chosen, if one is."""
    search = OmegaConf.to_container(root.search, resolve=True)
    assert isinstance(search, dict)
    return {str(key): value for key, value in search.items()}


def choices_of(root: DictConfig) -> dict[str, Any]:
    """Group -> chosen name, Hydra's own groups left out."""
    return own_choices(root.hydra.runtime.choices)


def own_choices(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The choices of normscope's groups among all, those that a run is named by: not `job`,
    nor `at_scale`, which follows from experiment and scale."""
    own = {str(group): name for group, name in choices.items() if not str(group).startswith("hydra/")}
    for group in ("job", "at_scale"):
        own.pop(group, None)
    return own


def missing_keys(root: DictConfig) -> list[str]:
    """Keys that the user has to give and did not."""
    return sorted(key for key in OmegaConf.missing_keys(root) if not key.startswith("hydra."))


def run_name(*, _root_: DictConfig) -> str:
    """The own folder of a run or a job: readable, and different for each different config."""
    job, config = job_of(_root_), config_of(_root_)
    if names.reads_runs(job):
        return names.folder_name(job)
    return folder.run_name(config | ({"job": job} if job else {}), choices_of(_root_))


def experiment_folder(*, _root_: DictConfig) -> str:
    """The name of the job or, where a network is trained, of the experiment, or "single"; a search has a folder of its
    own in that of the experiment, or in "search"."""
    choices = _root_.hydra.runtime.choices
    if choices["search"]:
        return f"{choices['experiment'] or 'search'}/{_root_.search.name}"
    return str(choices["job"] or choices["experiment"] or "single")


def run_folder(*, _root_: DictConfig) -> str:
    """The folder of a run or a job under outputs/."""
    return f"{experiment_folder(_root_=_root_)}/{run_name(_root_=_root_)}"


def direction(*, _root_: DictConfig) -> str:
    """Whether Optuna is to look for a large or a small score."""
    return "maximize" if LARGER_IS_BETTER.get(_root_.search.score) else "minimize"
