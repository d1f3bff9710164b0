"""What can be found out about a config in minutes, before anybody waits for hours."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from normscope.errors import UsageError
from normscope.fitting import check_batch_norm
from normscope.jobs.babysit_checks import Checks
from normscope.jobs.babysit_findings import INITIAL, MEASURED, PENALTY, RATE, SUBSET, judged
from normscope.jobs.babysit_verdicts import Setting
from normscope.surveys.learning_rates import rates
from normscope.surveys.survey import Conclusion, Point, Survey
from normscope.surveys.trials import Beginning, few_of


def babysit(
    prepare: Callable[[bool], Beginning],
    *,
    subset: int,
    subset_steps: int,
    steps: int,
    batch_size: int,
    lowest: float,
    decades: int,
    per_decade: int,
    turned_up: float,
) -> Survey:
    """Five checks of a config before it is trained: is its start, its regularisation, its learning rate sound?

        initial loss     loss(θ₀), nothing regularised, is that of guessing: ln K for K classes
        penalties        objective(θ₀) − loss(θ₀) = Σ of the loss terms, to 1e-5 of the larger of it and 1, and rounding
        tiny subset      the loss of a few images falls below 0.01 nats, and every answer is right
        learning rate    what becomes of the loss in the first updates at rates over seven decades
        update ratio     the median over the weight tensors of ‖θ_{t+1} − θ_t‖ / ‖θ_t‖ is within 1e-4 and 1e-2

    CS231n, notes on neural networks 3: "Before learning: sanity checks", "Loss function", "Ratio of weights:updates".
    Each check trains from the run's own initial weights by the step and the loop of every run; what became of a
    learning rate is told by `learning_rates.fate`.

    The tiny subset is learnt by the config's optimizer at its rate, without regularisation or augmentation; only what
    acts on the gradient (clipping) stays, being part of how steps are taken. Rates are tried with all regularizers, and
    each is constant: the schedule is left out. BatchNorm normalises by the batch throughout, as in training.

    Where the loss is no mean cross-entropy, nats become shares of the loss of guessing. What is off, but harmless while
    the rest is fine (the spread outputs of He's init, updates up to ten times beyond their range), is a note; all else
    says `look here`.

    Args:
        prepare: whether regularised -> the run, put together.
        subset, subset_steps: images, the same number of each class, and updates at most.
        steps, batch_size: at each learning rate. The batch is at most the run's, and the run's own where the optimizer
            needs an objective that stays the same.
        lowest, decades, per_decade: the rates, see `learning_rates.rates`.
        turned_up: by what the loss terms are multiplied to see the objective rise.
    Raises:
        ValueError: if a value is out of range, the config's rate is not positive, or the network cannot normalise
            batches of these sizes.
    """
    for name, value, least in (
        ("subset", subset, 2), ("subset_steps", subset_steps, 1), ("steps", steps, 10), ("batch_size", batch_size, 1),
        ("decades", decades, 1), ("per_decade", per_decade, 1),
    ):  # fmt: skip
        if value < least:
            raise ValueError(f"{name} ({value}) must be at least {least}")
    if not lowest > 0 or not turned_up > 1:
        raise ValueError(f"lowest ({lowest:g}) must be above 0, and turned_up ({turned_up:g}) above 1")
    whole, plain = prepare(True), prepare(False)
    lr = float(whole.job.config["optimizer"]["lr"])
    if not 0 < lr < math.inf:
        raise ValueError(
            f"optimizer.lr ({lr:g}) must be positive and finite to be judged; give the rate that the run is to have"
        )
    config, is_full_batch = whole.job.config, getattr(whole.trainee.optimizer, "full_batch", False)
    size = config["batch_size"] if is_full_batch else min(batch_size, config["batch_size"])
    images = few_of(plain.job.training, min(subset, len(plain.job.training.labels)))
    for key, count in (("subset", len(images.labels)), ("batch_size", size)):
        try:
            check_batch_norm(whole.trainee.network, count)
        except UsageError as error:
            raise ValueError(f"{key}={count}: {error}") from error

    tried = rates(lr, lowest, decades, per_decade)
    penalties = [1.0, float(turned_up)] if whole.trainee.regularizers.loss else []
    points = [(INITIAL, 0.0), *((PENALTY, times) for times in penalties), (SUBSET, lr)]
    points += [(RATE, rate) for rate in (0.0, *tried)]
    checks = Checks(whole, plain, images, size, steps, subset_steps)
    ask = {
        INITIAL: checks.initial_loss,
        PENALTY: checks.penalty,
        SUBSET: checks.tiny_subset,
        RATE: checks.learning_rate,
    }

    def measure(point: Point) -> list[float]:
        check, at = point
        return ask[check](at)

    choices = whole.job.choices
    setting = Setting(
        lr=lr,
        subset=len(images.labels),
        subset_steps=subset_steps,
        steps=steps,
        size=size,
        learnt_below=checks.learnt_below,
        nat=checks.nat,
        init=str(choices.get("init")),
        subject=f"{choices.get('model')}, norm {choices.get('model/norm')}, init {choices.get('init')}, rate {lr:g}",
    )
    about = f"{len(tried)} learning rates with {steps} updates of {size} images, {len(images.labels)} images to learn"
    columns = ("check", "at", *MEASURED, *(f"loss_{place}" for place in range(steps)))
    return Survey(about, columns, points, measure, partial(conclude, setting))


def conclude(setting: Setting, table: np.ndarray) -> Conclusion:
    """The verdicts, and the picture."""
    from normscope.figures.babysitting import babysitting_figure

    result = judged(setting, table)
    figure = babysitting_figure(result.picture, setting.subject, result.sentence)
    return Conclusion(result.sentence, result.numbers, figure, result.findings)
