"""The command line: `normscope [overrides]`, with `-m` a sweep."""

import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from normscope import composed
from normscope.errors import UsageError
from normscope.places import CONFIGS
from normscope.training.allocator import keep_freed_memory
from normscope.usage import usage

EXIT_CODES = {"finished": 0, "failed": 1, "diverged": 3, "look here": 4, "interrupted": 130}

_statuses: list[str] = []  # of the runs of this process, for the exit code


composed.register()  # on import, so that a launcher's worker process knows them too
keep_freed_memory()


@hydra.main(config_path=str(CONFIGS), config_name="train", version_base="1.3")
def run(root: DictConfig) -> float | None:
    """Carry out one run, or one job, in the folder that Hydra made for it; skip it if it has been.

    Returns:
        The score of a trial of a search, for its sweeper; else None.
    """
    hydra_config = HydraConfig.get()
    folder = Path(os.path.relpath(hydra_config.runtime.output_dir))
    config, choices = composed.config_of(root), hydra_config.runtime.choices
    if choices["search"]:
        return _try(composed.search_of(root), config, composed.own_choices(choices), folder)
    if job := composed.job_of(root):
        begin = partial(_measure, job, str(choices["job"]), config, composed.own_choices(choices), folder)
    else:
        begin = partial(_train, config, composed.own_choices(choices), folder)
    _statuses.append(_guarded(begin, folder))
    return None


def _try(search: dict[str, Any], config: dict[str, Any], choices: dict[str, Any], folder: Path) -> float:
    """Carry out a trial, a run for each of its folds; one that diverges or fails has the worst score that there is."""
    from normscope.runs.summary import read_summary
    from normscope.searches.record import read_search
    from normscope.searches.scores import in_words, score_of, worst

    folds = {folder: config}
    if search["folds"] > 1:
        parts = range(search["folds"])
        folds = {folder / f"fold{part}": config | {"dataset": config["dataset"] | {"fold": part}} for part in parts}
    score = worst(search["score"])
    for place, own in folds.items():
        status = _guarded(partial(_train, own, choices, place, brief=True), place)
        _statuses.append("finished" if status == "diverged" else status)  # a bad trial is no bad search
        if status != "finished":
            break  # the other folds cannot mend it
    else:
        score = score_of([read_summary(place) for place in folds], search["score"])
    if _statuses[-1] == "interrupted":  # nothing to say of it, nor of all that come after it
        return score
    record, job = read_search(folder.parent), HydraConfig.get()
    searched = [setting.key for setting in record.space]
    settings = " ".join(word for word in job.overrides.task if word.partition("=")[0] in searched)
    print(f"trial {job.job.num + 1} of {record.trials}, {settings}: {in_words(search['score'], score)}", flush=True)
    return score


def _train(config: dict[str, Any], choices: dict[str, Any], folder: Path, *, brief: bool = False) -> str:
    """Train in a folder, unless that is done, and return the status; `brief`: say nothing but how far it is."""
    from normscope.cells import ended_as

    if ended := ended_as(folder, config):
        if not brief:
            print(f"{folder}: already {ended}, skipped")
        return ended

    from normscope.assemble import assemble
    from normscope.cost import current
    from normscope.progress import numbers, shown, way_out
    from normscope.training.run import carry_out

    job = assemble(config, choices)
    with shown(folder, job, current(), brief=brief) as progress:
        summary = carry_out(job, folder, progress)
    if not brief:
        print(f"  {summary['status']}: {numbers(summary['metrics'])}, {summary['seconds']:,.0f} s {summary['reason']}")
        if summary["status"] == "diverged":
            print(f"  {way_out(config, summary['step'])}")
    return str(summary["status"])


def _measure(job: dict[str, Any], name: str, config: dict[str, Any], choices: dict[str, Any], folder: Path) -> str:
    from normscope.surveys.bar import say_where, shown, tell
    from normscope.surveys.folder import carry_out, is_done, origin_of
    from normscope.surveys.names import reads_runs
    from normscope.surveys.sources import sources

    runs = sources(job, Path(config["outputs"]))
    origin = origin_of(name, job, runs, config)
    if is_done(folder, origin):
        print(f"{folder}: already finished, skipped")
        return tell(folder)

    from normscope.assemble import chosen_device

    if reads_runs(job):
        from normscope.reopened import survey_of

        survey = survey_of(job, runs, config["device"])
    else:
        from normscope.beginnings import survey_before

        survey = survey_before(job, config, choices)
    with shown(folder, survey, chosen_device(config["device"]).type) as progress:
        summary = carry_out(survey, origin, folder, progress)
    if summary["status"] != "finished":
        print(f"  {summary['status']}: {summary['reason']}; repeat the command to go on")
        return str(summary["status"])
    status = tell(folder)
    if HydraConfig.get().mode == RunMode.RUN:  # a sweep says it once, at its end
        say_where([folder.parent])
    return status


def _guarded(begin: Callable[[], str], folder: Path) -> str:
    """Begin, and turn what goes wrong into a message; returns the status."""
    try:
        if "interrupted" in _statuses:  # the user stopped the sweep, not one run of it
            return "interrupted"
        return begin()
    except UsageError as error:
        print(f"normscope: {error}", file=sys.stderr)
    except Exception as error:
        print(
            f"normscope: {folder} failed: {type(error).__name__}: {error}\n"
            f"  where: {_left_traceback(folder)}; repeat the command to go on from the last checkpoint",
            file=sys.stderr,
        )
    return "failed"


def _left_traceback(folder: Path) -> str:
    """Leave the traceback of what is being handled in a folder; returns where it lies, or itself if it cannot."""
    path, text = folder / "traceback.txt", traceback.format_exc()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError:
        return text
    return str(path)


def _let_sweep() -> None:
    """Say `-m` for a search or an experiment, whose config says so too: Hydra would not see that where another word is
    mistaken, and complain of the lists and ranges."""
    words = sys.argv[1:]
    sweeps = any(word.startswith(("search=", "experiment=")) and not word.endswith("=null") for word in words)
    if sweeps and not any(word.startswith("-") for word in words):
        sys.argv.insert(1, "-m")


def main() -> None:
    """Entry point of the command `normscope`."""
    try:
        if sys.argv[1:] in (["--help"], ["-h"]):
            print(usage(), flush=True)
            return
        _let_sweep()
        run()
    except BrokenPipeError:  # `normscope --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:  # while nothing was being trained
        print("normscope: interrupted; repeat the command to go on", file=sys.stderr)
        sys.exit(EXIT_CODES["interrupted"])
    worst = max((EXIT_CODES[status] for status in _statuses if status != "failed"), default=0)
    sys.exit(1 if "failed" in _statuses else worst)
