"""How a run shows itself in the terminal."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from normscope.cost import Cost, clock
from normscope.overview import in_words
from normscope.training import run as training_run


@contextmanager
def shown(
    folder: Path, job: training_run.Job, sweep: Cost | None = None, *, brief: bool = False
) -> Iterator[training_run.Progress]:
    """A header, then a progress bar with the latest numbers, or a line every tenth of the run where the output is no
    terminal.

    Args:
        sweep: that the run is one of; the bar says how long all its runs will take.
        brief: the bar alone; one of many runs.
    Yields:
        The function that a run tells its progress.
    """
    console = Console(stderr=False)
    batch, steps = job.config["batch_size"], job.plan.steps
    if not brief:
        announce(console, folder, job)
    last = time.perf_counter()
    paces: deque[float] = deque(maxlen=50)  # seconds a step; their median leaves out scoring and probing
    bar = Progress(
        TextColumn("  {task.completed:,.0f}/{task.total:,.0f}"), BarColumn(10), TextColumn("{task.fields[numbers]}"),
        TimeRemainingColumn(compact=True, table_column=Column(min_width=5)), TextColumn("left{task.fields[sweep]}"),
        console=console, disable=not console.is_terminal, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=steps, numbers="", sweep="")

        def tell(step: int, metrics: Mapping[str, float]) -> None:
            nonlocal last
            now = time.perf_counter()
            paces.append(now - last)
            last = now
            rate = batch / median(paces)
            if console.is_terminal:
                bar.update(
                    task, completed=step, numbers=f"{numbers(metrics)}, {rate:,.0f} images/s",
                    sweep=_of_all(sweep, folder, step),
                )  # fmt: skip
            elif not brief and step % max(1, steps // 10) == 0:
                console.print(
                    f"  step {step:,} of {steps:,}: {numbers(metrics)}, {rate:,.0f} images/s", highlight=False
                )

        yield tell


def _of_all(sweep: Cost | None, folder: Path, step: int) -> str:
    seconds = sweep.seconds_left(folder, step) if sweep and len(sweep.steps) > 1 else None
    return "" if seconds is None else f", {clock(seconds)} for all"


def announce(console: Console, folder: Path, job: training_run.Job) -> None:
    """Say what is trained, for how long, and how its weights begin."""
    weights = sum(weight.numel() for weight in job.trainee.network.parameters())
    learning = sum(weight.numel() for weight in job.trainee.weights.values())
    console.print(
        f"[bold]{folder}[/]\n  {weights:,} weights"
        + (f" ({learning:,} learn at first)" if learning < weights else "")
        + f", {len(job.training.labels):,} images, {job.plan.steps:,} steps of {job.config['batch_size']}, "
        f"{job.device.type} {job.trainee.precision}",
        highlight=False,
    )
    if job.start:
        console.print(f"  {job.start['sentence']}", markup=False, highlight=False, soft_wrap=True)


def way_out(config: Mapping[str, Any], step: int) -> str:
    """What a run most likely diverged of, and what to do.

    Args:
        config: of the run; step: the updates that it made.
    """
    check = "the same choices with job=babysit say in minutes which rates are fine"
    if step == 1:
        return f"The first loss already is too large: smaller initial weights than these, or a norm; {check}"
    lr = config["optimizer"]["lr"]
    return f"Most likely the learning rate is too high: try optimizer.lr={lr / 10:g} or clip_by_norm; {check}"


def numbers(metrics: Mapping[str, float]) -> str:
    """The latest loss and test accuracy in words; the test loss in regression, which has no accuracy; those of the
    validation images where the test images are not scored."""
    parts = []
    if "train/loss" in metrics:
        parts.append(f"loss {in_words(metrics['train/loss'])}")
    split = "test" if "test/loss" in metrics else "validation"
    if f"{split}/accuracy" in metrics:
        parts.append(f"{split} {100 * metrics[f'{split}/accuracy']:.1f} %")
    elif f"{split}/loss" in metrics:
        parts.append(f"{split} loss {in_words(metrics[f'{split}/loss'])}")
    return ", ".join(parts)
