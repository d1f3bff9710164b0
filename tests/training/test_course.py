"""What the rules that follow a training are told of it."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.regularizers.population_statistics import recompute_statistics
from normscope.training.course import pass_through
from normscope.training.recording import Images
from tests.commands import TINY


def test_images_that_come_class_after_class_are_mixed():
    """Black images, then white ones: every batch in their order is constant, and the variance would be 0, not 1/4."""
    job = assemble(*composed([*TINY, "model=mlp"]))
    images = torch.zeros(64, 1, 2, 2, dtype=torch.uint8)
    images[32:] = 255
    network = nn.Sequential(nn.BatchNorm2d(1))
    trainee = replace(job.trainee, preprocess=lambda inputs: inputs)
    recompute_statistics(
        network, partial(pass_through, trainee, Images(images, torch.zeros(64, dtype=torch.int64)), 16)
    )
    assert network[0].running_mean.item() == pytest.approx(0.5)
    assert 0.2 < network[0].running_var.item() < 0.27
