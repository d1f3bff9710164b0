"""The files of experiments: which there are, and what the Python file of one says."""

import importlib.util
from pathlib import Path
from types import ModuleType

from normscope.places import EXPERIMENTS


def source_of(experiment: str) -> Path:
    """Where an experiment's Python file lies, if it has one."""
    return EXPERIMENTS / f"{experiment}.py"


def runs_behind(experiment: str) -> str:
    """The experiment whose runs a figure is drawn from: its own, or that which its file names by RUNS = "..."."""
    source = source_of(experiment)
    return str(getattr(loaded(source), "RUNS", experiment)) if source.exists() else experiment


def arms_of(experiment: str) -> list[str]:
    """The experiments to run for a figure of `experiment`: those in the folder of its name, a/b/c of a/b, or itself."""
    arms = sorted(path.stem for path in (EXPERIMENTS / experiment).glob("*.yaml"))
    return [f"{experiment}/{arm}" for arm in arms] or [experiment]


def drawn_as(experiment: str) -> str:
    """The experiment whose figure shows these runs: itself, or a/b of its arm a/b/c, which has no file of its own."""
    above = experiment.rpartition("/")[0]
    return above if not source_of(experiment).exists() and source_of(above).exists() else experiment


def needs_runs(experiment: str) -> bool:
    """Whether an experiment is drawn from runs; one that computes all by itself says NEEDS_RUNS = False."""
    source = source_of(experiment)
    return not source.exists() or getattr(loaded(source), "NEEDS_RUNS", True)


def known() -> list[str]:
    """The names of all experiments that come with normscope."""
    files = [path for suffix in ("yaml", "py") for path in EXPERIMENTS.rglob(f"*.{suffix}")]
    return sorted({path.relative_to(EXPERIMENTS).with_suffix("").as_posix() for path in files})


def loaded(path: Path) -> ModuleType:
    """An experiment's file as a module: experiments/ is no package."""
    spec = importlib.util.spec_from_file_location(f"normscope_experiment_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
