"""A run from its first update to its last."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from normscope.precision import float32_products, training_products
from normscope.training.capture import TakeStep, step_taker
from normscope.training.clock import Clock
from normscope.training.interruption import interruption
from normscope.training.probing import Probing, recorded
from normscope.training.recording import Images, Writer, score, write_measurement, write_update
from normscope.training.state import Observer, StatefulBatches
from normscope.training.step import Trainee, Update
from normscope.training.thawing import Thawing


@dataclass(frozen=True)
class Plan:
    """How long, at which rates, and how often what is written; all in updates.

    Attributes:
        schedule: (step, steps) -> by what the base learning rate is multiplied.
        observers: those parts of the schedule that follow a score.
        diverged_above: a loss above this, a multiple of that of guessing, ends the run; as one does that is not
            finite, with what regularizers add to it or without.
        thawing: which blocks of the network learn when.
    """

    steps: int
    base_lr: float
    schedule: Callable[[int, int], float]
    log_every: int
    evaluate_every: int
    checkpoint_every: int
    diverged_above: float
    observers: Sequence[Observer] = ()
    thawing: Thawing = field(default_factory=Thawing)

    def lr(self, step: int) -> float:
        """The learning rate of update number `step`."""
        return self.base_lr * self.schedule(step, self.steps)


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        status: finished, diverged or interrupted; `reason` says why in words.
        start: updates that earlier processes had made; step: all that are made.
        metrics: the latest value of each series.
        seconds: by activity, of this process.
    """

    status: str = "finished"
    reason: str = ""
    start: int = 0
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def train(
    trainee: Trainee,
    batches: StatefulBatches,
    training: Images,
    held_out: Mapping[str, Images],
    plan: Plan,
    probing: Probing,
    writer: Writer,
    *,
    start: int,
    save: Callable[[int], None],
    progress: Callable[[int, Mapping[str, float]], None],
) -> Outcome:
    """Make the updates from `start` to the plan's last one, measuring and recording on the way.

    Args:
        trainee, batches: as they are before update number `start`; changed in place.
        training: the images that are trained on.
        held_out: name (test, validation) -> images that are scored every `evaluate_every` steps and at the end.
        probing: measured on its occasions; it changes nothing but what it remembers.
        writer: takes the series.
        save: keeps the state before the update of that number.
        progress: told the number of updates made and the latest metrics.
    """
    device = training.images.device
    torch.backends.cudnn.benchmark = True  # shapes are fixed: let a GPU try its kernels once and keep the fastest
    take_step = step_taker(device, trainee.optimizer)
    clock = Clock(device)
    outcome = Outcome(start=start, step=start)
    with interruption() as interrupted, float32_products(training_products(trainee.precision)):
        for step in range(start, plan.steps):
            if interrupted() or (step > start and step % plan.checkpoint_every == 0):
                with clock.spent_on("records"):
                    save(step)
            if interrupted():
                outcome.status, outcome.reason = "interrupted", f"stopped by {interrupted()} before step {step}"
                break
            if step % plan.evaluate_every == 0:
                with clock.spent_on("evaluation"):
                    outcome.reason = score(trainee, held_out, writer, step, outcome.metrics)
                if outcome.reason:
                    break
                for observer in plan.observers:
                    observer.observe(outcome.metrics)

            if plan.thawing.is_due(step):
                plan.thawing.apply(trainee, step)
                take_step = step_taker(device, trainee.optimizer)  # a captured step moves the old weights only
                writer.scalars(step, plan.thawing.series(step))
            set_lr(trainee.optimizer, plan.lr(step))
            batch = training.batch(batches.next())
            update = observed_step(take_step, trainee, batch, probing, writer, clock, step=step, lr=plan.lr(step))
            for rule in trainee.regularizers.followers:
                rule.after_step(trainee.network, step)
            outcome.step = step + 1

            if step % plan.log_every == 0 or step == plan.steps - 1:
                with clock.spent_on("records"):
                    outcome.metrics |= write_update(writer, step, update, plan.lr(step))
                outcome.reason = divergence(outcome.metrics, plan.diverged_above)
                if outcome.reason:
                    outcome.status = "diverged"
                    break
            progress(outcome.step, outcome.metrics)
        else:  # neither interrupted, stopped nor diverged
            with clock.spent_on("evaluation"):
                score(trainee, held_out, writer, outcome.step, outcome.metrics)
        if outcome.status == "finished":
            with clock.spent_on("records"):
                for rule in trainee.regularizers.followers:
                    outcome.metrics |= rule.finish(trainee.network)
                writer.scalars(outcome.step, final_scores(outcome.metrics))
    clock.settle()
    outcome.seconds = clock.seconds
    return outcome


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate, times the factor of each group that has one; in place where it is a tensor that a captured
    graph reads."""
    for group in optimizer.param_groups:
        own = lr * group.get("lr_factor", 1.0)
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(own)
        else:
            group["lr"] = own


def observed_step(
    take_step: TakeStep,
    trainee: Trainee,
    batch: tuple[Tensor, Tensor],
    probing: Probing,
    writer: Writer,
    clock: Clock,
    *,
    step: int,
    lr: float,
) -> Update:
    """Take one step, and write what the probes that are due find in it."""
    due = probing.due(step)
    if not due:
        return take_step(trainee, *batch)
    update, record = recorded(take_step, trainee, batch, probing, due, step=step, lr=lr)
    with clock.spent_on("probes"):
        for probe in due:
            found = probe.measure(record)
            write_measurement(writer, step, found)
            probing.kept.update(found.kept)
    return update


def final_scores(metrics: Mapping[str, float]) -> dict[str, float]:
    """The last scores under `final/`, where TensorBoard's HPARAMS tab shows them first."""
    return {
        f"final/{name.replace('/', '_')}": value for name, value in metrics.items() if not name.startswith("train/")
    }


def divergence(metrics: Mapping[str, float], bound: float) -> str:
    """Why a run counts as diverged, or "". A penalty on large weights is no bad loss, so the bound is not on the
    objective."""
    for name in ("train/loss", "train/objective"):
        if not math.isfinite(metrics[name]):
            return f"{name} is {metrics[name]}"
    if metrics["train/loss"] > bound:
        return f"train/loss ({metrics['train/loss']:.4g}) is above diverged_above x the loss of guessing ({bound:.4g})"
    return ""
