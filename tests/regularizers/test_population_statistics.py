"""The statistics of norms over all training images."""

import torch
from torch import nn

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.layers.ghost_batch_norm import ghost_batch_norm
from normscope.layers.lp_norm import l1_norm
from normscope.regularizers.population_statistics import PopulationStatistics, recompute_statistics
from normscope.training.evaluation import evaluate
from normscope.training.run import carry_out
from tests.commands import TINY
from tests.regularizers.courses import course

IMAGES = torch.randn(3, 8, 2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)  # three batches


def show(network):
    for batch in IMAGES:
        network(batch)


def test_statistics_are_the_plain_mean_over_the_batches_of_the_new_network():
    torch.manual_seed(0)
    batches = torch.randn(3, 8, 4) * 5 + 2
    network = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(4))

    def pass_through(network):
        for batch in batches:
            network(batch)

    before = torch.get_rng_state()
    recompute_statistics(network, pass_through)
    assert torch.equal(torch.get_rng_state(), before)  # no dropout
    torch.testing.assert_close(network[1].running_mean, batches.mean((0, 1)))
    torch.testing.assert_close(network[1].running_var, batches.var(1).mean(0))
    assert not any(module.training for module in network.modules())


def test_both_layers_take_algorithm_2_worked_out_by_hand():
    """E = E[μ_B] and Var = m/(m − 1) E[σ²_B] with m = 8 · 3 · 3 values; the second layer of what the first, normalised
    by each batch, hands it."""
    network = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), nn.BatchNorm2d(2)).double()
    nn.init.constant_(network[0].bias, 0.3)
    recompute_statistics(network, show)
    mean, biased = IMAGES.mean((1, 3, 4), keepdim=True), IMAGES.var((1, 3, 4), correction=0, keepdim=True)
    hidden = ((IMAGES - mean) / (biased + 1e-5).sqrt() + 0.3).relu()
    for norm, values in ((network[0], IMAGES), (network[2], hidden)):
        torch.testing.assert_close(norm.running_mean, values.mean((1, 3, 4)).mean(0))
        torch.testing.assert_close(norm.running_var, 72 / 71 * values.var((1, 3, 4), correction=0).mean(0))


def test_norms_of_other_kinds_take_the_mean_of_their_own_statistics():
    moving = {"eps": 1e-12, "momentum": 0.1, "affine": True}
    ghost = ghost_batch_norm(2, True, virtual_batch=4, **moving).double()
    l1 = l1_norm(2, True, **moving).double()
    for norm in (ghost, l1):
        recompute_statistics(norm, show)
    virtual = IMAGES.unflatten(1, (2, 4)).flatten(0, 1)  # (6, 4, C, H, W)
    torch.testing.assert_close(ghost.running_var, virtual.var((1, 3, 4)).mean(0))
    torch.testing.assert_close(l1.running_size, IMAGES.abs().mean((1, 3, 4)).mean(0))


def test_the_network_that_trains_keeps_its_running_averages_until_the_end():
    rule, network = PopulationStatistics(), nn.BatchNorm2d(2).double()
    rule.begin(course(pass_through=show))
    scored = rule.network(network)
    torch.testing.assert_close(scored.running_mean, IMAGES.mean((0, 1, 3, 4)))
    assert network.running_mean.tolist() == [0, 0]
    assert (network.training, network.momentum) == (True, 0.1)
    rule.finish(network)
    assert torch.equal(network.running_mean, scored.running_mean)


def test_without_running_averages_there_is_nothing_to_do():
    rule, network = PopulationStatistics(), nn.Sequential(nn.GroupNorm(1, 2), nn.InstanceNorm2d(2), nn.Linear(3, 3))
    rule.begin(course(pass_through=lambda network: 1 / 0))
    assert rule.network(network).state_dict().keys() == network.state_dict().keys()


def job_of(*overrides):
    return assemble(*composed([*TINY, "probe=[]", "steps=6", "evaluate_every=3", *overrides]))


def series(folder, kind):
    return [row for row in (folder / "series.csv").read_text().splitlines() if f",{kind}" in row]


def test_a_run_is_scored_with_them_and_trains_as_without(tmp_path):
    job, plain = job_of("regularizer=[population_statistics]"), job_of()
    metrics = carry_out(job, tmp_path / "population", lambda step, metrics: None)["metrics"]
    carry_out(plain, tmp_path / "running", lambda step, metrics: None)
    assert series(tmp_path / "population", "train/") == series(tmp_path / "running", "train/")
    assert not {*series(tmp_path / "population", "test/loss")} & {*series(tmp_path / "running", "test/loss")}

    trainee, test = job.trainee, job.held_out["test"]
    again = evaluate(trainee.network, *vars(test).values(), trainee.preprocess, loss=trainee.loss, precision="fp32")
    assert (again.loss, again.accuracy) == (metrics["test/loss"], metrics["test/accuracy"])  # it keeps what was scored
    trained = {name: weight.detach() for name, weight in plain.trainee.network.named_parameters()}
    assert all(torch.equal(weight, trained[name]) for name, weight in trainee.network.named_parameters())


def test_after_early_stopping_they_are_those_of_the_best_weights(tmp_path):
    """Whichever comes first in the list: the weights of the first scoring, with their own statistics."""
    extra = ["dataset.validation=16", "optimizer.lr=3", "evaluate_every=1", "diverged_above=1e6"]
    ends = []
    for rules in ("population_statistics,early_stopping", "early_stopping,population_statistics"):
        job = job_of(f"regularizer=[{rules}]", "regularizer.early_stopping.training.patience=2", *extra)
        carry_out(job, tmp_path / rules, lambda step, metrics: None)
        ends.append(job.trainee.network.state_dict())
    assert all(torch.equal(tensor, ends[1][name]) for name, tensor in ends[0].items())
