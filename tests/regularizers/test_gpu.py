"""Regularizers inside a captured step; what only a GPU can show, skipped elsewhere."""

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.precision import float32_products
from normscope.training.capture import CapturedStep
from normscope.training.step import training_step
from tests.commands import TINY

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

SETS = {
    "images": "regularizer=[colour_jitter,input_noise,cutout,mixup,cutmix]",
    "loss": "regularizer=[elastic,label_smoothing,confidence_penalty,clip_by_norm]",
    "modules": "regularizer=[drop_connect,fractional_max_pool,adaptive_clipping,max_norm]",
    "state": "regularizer=[clip_by_value,gradient_noise,pruning,ema]",
}


def job_of(name):
    return assemble(*composed([*TINY, SETS[name], "dataset.train_size=640", "optimizer=momentum"]))


def losses_of(take_step, name, steps=12):
    job, losses = job_of(name), []
    with float32_products("ieee"):
        for step in range(steps):
            losses.append(take_step(job.trainee, *job.training.batch(job.batches.next())).loss.clone())
            for rule in job.trainee.regularizers.followers:
                rule.after_step(job.trainee.network, step)
    return torch.stack(losses)


@pytest.mark.parametrize("name", SETS)
def test_a_captured_step_draws_and_remembers_what_an_eager_one_does(name):
    torch.testing.assert_close(
        losses_of(CapturedStep(), name), losses_of(training_step, name), rtol=1e-3, atol=1e-4
    )  # atomic additions of the pooling's gradient come in any order


@pytest.mark.parametrize("name", SETS)
def test_no_regularizer_waits_for_the_device(name):
    job, take_step = job_of(name), CapturedStep()
    for _ in range(5):  # allocations, kernel choices and the capture itself may wait
        take_step(job.trainee, *job.training.batch(job.batches.next()))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(5, 10):
            take_step(job.trainee, *job.training.batch(job.batches.next()))
            for rule in job.trainee.regularizers.followers:
                rule.after_step(job.trainee.network, step)
    finally:
        torch.cuda.set_sync_debug_mode("default")
