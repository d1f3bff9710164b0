"""One step with everything in it, on two images: what is wrong shows before a run begins."""

from dataclasses import replace

from normscope.errors import UsageError
from normscope.training.capture import eager_step
from normscope.training.probing import recorded
from normscope.training.run import Job


def rehearse(job: Job) -> None:
    """Take one real step and measure every probe once, with two of the run's images (one, where that is the batch), on
    the run's device.

    The job is used up, its weights have moved: put it together anew for the run.

    Raises:
        UsageError: with whatever the parts said: a value out of range, shapes that do not fit.
    """
    count = min(2, job.config["batch_size"])
    batch = job.training.images[:count], job.training.labels[:count]
    part = "schedule"
    try:
        lr = job.plan.lr(0)
        probes = job.probing.probes
        take_step = eager_step(job.trainee.optimizer)
        thawing = job.plan.thawing
        for step in (
            (0, job.plan.steps - 1) if thawing.every else (0,)
        ):  # as it begins, and with all thawed that will be
            thawing.apply(job.trainee, step)
            part = "the training step"
            _, record = recorded(take_step, job.trainee, batch, job.probing, probes, step=0, lr=lr)
            for probe in probes:
                part = f"probe.{probe.name}"
                found = probe.measure(record)
                if found.kept:  # it will look back the next time
                    probe.measure(replace(record, earlier=found.kept))
    except (ValueError, TypeError, RuntimeError) as error:
        said = str(error)
        raise UsageError(said if said.startswith(part) else f"{part}: {said}") from error
