"""Which norms need a batch, as the command asks before a run."""

from functools import partial

import pytest
from torch import nn

from normscope.errors import UsageError
from normscope.fitting import check_batch_norm
from normscope.layers.affine_only import affine_only
from normscope.layers.batch_norm import batch_norm
from normscope.layers.frozen_statistics import frozen_statistics
from normscope.layers.ghost_batch_norm import ghost_batch_norm
from normscope.layers.group_norm import group_norm
from normscope.layers.instance_norm import instance_norm
from normscope.layers.layer_norm import layer_norm
from normscope.layers.lp_norm import l1_norm
from normscope.layers.noisy_batch_norm import noisy_batch_norm
from normscope.probes.norm_units import batch_norms

MOVING = {"eps": 1e-5, "momentum": 0.1, "affine": True}
FIXED = {"eps": 1e-5, "affine": True}
NEED_A_BATCH = {
    "BatchNorm": partial(batch_norm, **MOVING),
    "NoisyBatchNorm": partial(noisy_batch_norm, n_mu=0.5, n_sigma=1.25, r_mu=0.1, r_sigma=0.1, **MOVING),
    "GhostBatchNorm": partial(ghost_batch_norm, virtual_batch=2, **MOVING),
    "LpNorm": partial(l1_norm, **MOVING),
    "FrozenStatistics": partial(frozen_statistics, **MOVING),
}
NEED_NONE = [
    partial(layer_norm, **FIXED),
    partial(instance_norm, **FIXED),
    partial(group_norm, groups=2, **FIXED),
    affine_only,
]


@pytest.mark.parametrize("name", NEED_A_BATCH)
def test_a_batch_of_one_is_refused_to_what_normalises_over_it(name):
    network = nn.Sequential(NEED_A_BATCH[name](4, True))
    with pytest.raises(UsageError, match=rf"batch_size=1: {name} needs a batch.* model/norm=group"):
        check_batch_norm(network, 1)
    check_batch_norm(network, 2)


@pytest.mark.parametrize("make", NEED_NONE)
def test_a_batch_of_one_is_enough_for_what_looks_at_one_image(make):
    check_batch_norm(nn.Sequential(make(4, True)), 1)


def test_virtual_batches_that_do_not_make_up_the_batch_are_refused():
    with pytest.raises(UsageError, match=r"virtual_batch \(2\) must divide batch_size \(5\)"):
        check_batch_norm(nn.Sequential(NEED_A_BATCH["GhostBatchNorm"](4, True)), 5)


@pytest.mark.parametrize("name", ["NoisyBatchNorm", "GhostBatchNorm", "LpNorm", "FrozenStatistics"])
def test_what_is_proved_of_batch_norm_is_not_measured_of_others(name):
    network = nn.ModuleDict({"layer1": nn.ModuleDict({"norm": NEED_A_BATCH[name](4, True)})})
    with pytest.raises(ValueError, match="this network has no BatchNorm"):
        batch_norms(network)
