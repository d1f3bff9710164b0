"""From the folders of finished runs to a job that can begin."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from normscope.assemble import assemble
from normscope.errors import UsageError
from normscope.instantiation import built, made
from normscope.runs.checkpoint import load_checkpoint
from normscope.runs.folder import config_hash
from normscope.runs.reader import Run
from normscope.surveys.finished import FinishedRun
from normscope.surveys.names import options_of
from normscope.surveys.sources import CHECKPOINT
from normscope.surveys.survey import Survey
from normscope.training.recording import scored_network
from normscope.training.state import refuse_other_start, restore_rules


def survey_of(job: Mapping[str, Any], runs: Sequence[Run], device: str) -> Survey:
    """Put a job together: its runs opened, its options checked.

    Args:
        job: its config, checked by `preflight.check_config`; runs: those that it names, see `sources.sources`.
        device: auto, cpu or cuda.
    Raises:
        UsageError: if a run cannot be put together again, or the job refuses an option or the runs; nothing has been
            written then.
    """
    opened = [reopen(run, device) for run in runs]
    subjects: dict[str, Any] = {"run": opened[0]} if "run" in job else {"runs": opened} if "runs" in job else {}
    survey: Survey = built("job", partial(made("job", options_of(job)), **subjects))
    return survey


def reopen(run: Run, device: str) -> FinishedRun:
    """Put a run together as it was trained, and load the weights that it ended in. Its folder is only read.

    Raises:
        UsageError: if its data cannot be found any more, its checkpoint is damaged or another config's, or its weights
            are not finite.
    """
    try:
        job = assemble(run.config | {"device": device, "probe": {}, "score_test": True}, run.choices)
    except UsageError as error:
        raise UsageError(
            f"{run.folder} cannot be put together again: {error} (asked as in its config.yaml; a relative path counts "
            "from the folder where the command is called)"
        ) from error
    network = job.trainee.network
    initial = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    path = run.folder / CHECKPOINT
    kept = load_checkpoint(path, config_hash(run.config))
    refuse_other_start(job.start, kept.get("start"), path)
    network.load_state_dict(kept["training"]["network"])
    restore_rules(job.trainee, kept["training"])
    last = max(0, run.summary["step"] - 1)
    job.plan.thawing.apply(job.trainee, last)
    weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    broken = [name for name, weight in weights.items() if not torch.isfinite(weight).all()]
    if broken:
        raise UsageError(
            f"{path}: {broken[0]} is not finite ({run.status}: {run.summary.get('reason', '')}), so that there is "
            "nothing around it to be seen; name another run"
        )
    return FinishedRun(
        run=run,
        network=network,
        preprocess=job.trainee.preprocess,
        loss=job.trainee.loss,
        task=job.trainee.task,
        training=job.training,
        test=job.held_out["test"],
        weights=weights,
        buffers={name: buffer.detach().clone() for name, buffer in network.named_buffers()},
        initial=initial,
        scored=partial(scored_network, job.trainee),
        validation=job.held_out.get("validation"),
        frozen=frozenset(name for block in job.plan.thawing.frozen(last) for name in block),
    )
