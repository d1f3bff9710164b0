"""Rules that score other weights than those that are trained."""

import math

import pytest
import torch
from torch import nn

from normscope.regularizers.early_stopping import EarlyStopping
from normscope.regularizers.ema import Ema
from normscope.regularizers.rules import TrainingRule
from normscope.regularizers.snapshot_ensemble import Ensemble, SnapshotEnsemble
from normscope.regularizers.swa import Swa
from tests.regularizers.courses import course


def set_to(network, value):
    with torch.no_grad():
        network.weight.fill_(value)


def followed(rule, values):
    """A linear layer whose weights take these values one after the other, and the rule that was told."""
    network = nn.Linear(2, 2, bias=False)
    for step, value in enumerate(values):
        set_to(network, value)
        rule.after_step(network, step)
    return network


def test_ema_by_hand_over_three_updates():
    """a₁ = 1; a₂ = 0.9 + 0.1 · 2 = 1.1; a₃ = 0.99 + 0.1 · 4 = 1.39."""
    rule = Ema(decay=0.9)
    network = followed(rule, [1.0, 2.0, 4.0])
    average = rule.network(network)
    torch.testing.assert_close(average.weight, torch.full((2, 2), 1.39))
    assert network.weight.eq(4).all()
    assert network.weight.requires_grad


def test_before_the_first_update_the_network_itself_is_scored():
    network = nn.Linear(2, 2)
    for rule in (Ema(decay=0.9), Swa(start=0.5, every=1), SnapshotEnsemble()):
        assert rule.network(network) is network


def test_ema_averages_running_statistics_and_copies_counters():
    torch.manual_seed(0)
    rule, network = Ema(decay=0.5), nn.BatchNorm1d(3)
    means = []
    for step in range(2):
        network(torch.randn(8, 3))
        means.append(network.running_mean.clone())
        rule.after_step(network, step)
    average = rule.network(network)
    torch.testing.assert_close(average.running_mean, (means[0] + means[1]) / 2)
    assert average.num_batches_tracked == 2


def test_swa_is_the_mean_of_the_weights_at_the_epochs_ends():
    """12 updates, 4 to an epoch, from half the run on: after 8 and 12."""
    rule = Swa(start=0.5, every=1.0)
    rule.begin(course(steps=12, steps_per_epoch=4))
    network = followed(rule, [float(step) for step in range(12)])
    torch.testing.assert_close(rule.network(network).weight, torch.full((2, 2), (7 + 11) / 2))


def test_swa_over_every_update_is_their_mean():
    rule, values = Swa(start=0.0, every=0.25), torch.randn(12, generator=torch.Generator().manual_seed(0))
    rule.begin(course(steps=12, steps_per_epoch=4))
    network = followed(rule, values.tolist())
    torch.testing.assert_close(rule.network(network).weight, values.mean().expand(2, 2))
    assert rule.state()["taken"] == 12


def test_swa_takes_the_last_weights_of_a_run_shorter_than_an_epoch():
    rule = Swa(start=0.75, every=1.0)
    rule.begin(course(steps=3, steps_per_epoch=400))
    assert rule.network(followed(rule, [1.0, 2.0, 3.0])).weight.eq(3).all()


def test_an_ensembles_answer_is_the_mean_of_its_members_answers():
    torch.manual_seed(0)
    members = [nn.Linear(3, 4) for _ in range(3)]
    inputs = torch.randn(5, 3)
    expected = torch.stack([member(inputs).softmax(1) for member in members]).mean(0)
    logits = Ensemble(members)(inputs)
    torch.testing.assert_close(logits.softmax(1), expected)
    torch.testing.assert_close(logits.logsumexp(1), torch.zeros(5))


def in_cycles(step):
    """Three cycles of four updates."""
    return 1 + math.cos(math.pi * (step % 4) / 4)


def test_snapshots_are_taken_where_cycles_end():
    rule = SnapshotEnsemble()
    rule.begin(course(lr=in_cycles))
    network = followed(rule, [float(step) for step in range(12)])
    assert [state["weight"][0, 0].item() for state in rule.state()["snapshots"]] == [3, 7, 11]
    assert [member.weight[0, 0].item() for member in rule.network(network).members] == [3, 7, 11]


def test_a_cycle_whose_lowest_rate_lasts_longer_ends_after_it():
    """Two cycles in 25 updates: the bottom lies between updates 12 and 13, whose rates are equal."""
    rule = SnapshotEnsemble()
    rule.begin(course(steps=25, lr=lambda step: abs(step - 12.5) if step < 20 else 7.5 - (step - 20)))
    assert rule.ends == {14, 25}


def test_warming_up_is_no_cycle():
    rule = SnapshotEnsemble()
    rule.begin(course(lr=lambda step: min(step, 3) if step < 3 else in_cycles(step - 3)))
    assert rule.ends == {7, 11, 12}


class Stops(TrainingRule):
    def should_stop(self, metrics):
        return "enough"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "never falls and rises again.*schedule=restarts"),
        ({"lr": in_cycles, "of_probabilities": False}, "averages probabilities"),
        ({"lr": in_cycles, "rules": (Stops(),)}, "whole cycles"),
    ],
)
def test_a_run_that_snapshots_do_not_fit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        SnapshotEnsemble().begin(course(**given))


def scored(rule, losses, metric="validation/loss"):
    """The reasons to stop after scorings of a network whose weights are the number of the scoring."""
    network, reasons = nn.Linear(2, 2, bias=False), []
    for number, loss in enumerate(losses):
        set_to(network, float(number))
        rule.before_scoring(network)
        reasons.append(rule.should_stop({"train/loss": 9.0, metric: loss, "test/accuracy": number / 10}))
    return network, reasons


def test_early_stopping_stops_after_its_patience_with_the_best_weights():
    rule = EarlyStopping(watch="validation/loss", patience=2)
    network, reasons = scored(rule, [3.0, 2.0, 2.5, 1.0, 1.5, 1.0])
    assert reasons[:5] == [""] * 5
    assert reasons[5] == "validation/loss is not better than 1 for 2 scorings"
    assert rule.finish(network) == {"validation/loss": 1.0, "test/accuracy": 0.3}
    assert network.weight.eq(3).all()


def test_an_accuracy_is_to_rise():
    rule = EarlyStopping(watch="validation/accuracy", patience=1)
    _, reasons = scored(rule, [0.1, 0.3, 0.2], "validation/accuracy")
    assert [bool(reason) for reason in reasons] == [False, False, True]


def test_early_stopping_takes_any_score_for_better_than_nan():
    rule, network = EarlyStopping(watch="validation/loss", patience=2), nn.Linear(1, 1)
    for loss in (math.nan, 2.0, 1.5, 1.0):
        rule.before_scoring(network)
        assert rule.should_stop({"validation/loss": loss}) == ""
    assert rule.metrics == {"validation/loss": 1.0}


def test_early_stopping_goes_on_where_it_was():
    whole, first, second = (EarlyStopping(watch="validation/loss", patience=3) for _ in range(3))
    scored(whole, [1.0, 2.0, 2.0, 2.0])
    scored(first, [1.0, 2.0])
    second.restore(first.state())
    assert scored(second, [2.0, 2.0])[1] == ["", "validation/loss is not better than 1 for 3 scorings"]
    assert second.finish(nn.Linear(2, 2, bias=False)) == whole.finish(nn.Linear(2, 2, bias=False))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Ema(decay=1.0), r"decay \(1.0\)"),
        (lambda: Swa(start=1.0, every=1), r"start \(1.0\)"),
        (lambda: Swa(start=0.5, every=0), r"every \(0\)"),
        (lambda: EarlyStopping(watch="test/loss", patience=1), r"watch \(test/loss\)"),
        (lambda: EarlyStopping(watch="validation/loss", patience=0), r"patience \(0\)"),
        (
            lambda: EarlyStopping(watch="validation/loss", patience=1).begin(course(scores=("test/loss",))),
            "dataset.validation=1000",
        ),
    ],
)
def test_values_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
