import math

import numpy as np
import pytest

from normscope.runs.reader import find_runs
from tests.fabricated import arms, fabricate

FIVE = range(5)


@pytest.fixture
def verdict(experiment, tmp_path):
    """name of a claim -> its only verdict on the runs fabricated in tmp_path."""

    def one(name):
        found = [verdict for verdict in experiment.claims(find_runs(tmp_path)) if verdict.claim == name]
        assert len(found) == 1
        return found[0]

    return one


def resnets(root, seeds, none, batch, **how):
    """ResNet-50 runs that end at these accuracies."""
    how = {"choices": {"model": "resnet50"}} | how
    ends = ({"accuracy": lambda step, end=end: end + 0 * step} for end in (none, batch))
    arms(root, seeds, *ends, **how)


def test_k1_is_reproduced_where_only_batchnorm_learns(tmp_path, verdict):
    arms(tmp_path, FIVE)
    found = verdict("K1")
    assert (found.verdict, found.n, found.holds, found.scale) == ("reproduced", 5, 5, "laptop")
    steps = np.arange(0, 300, 5)
    assert found.effect == pytest.approx(2.303 - (1 + 1.3 * np.exp(-steps / 60)).mean())
    assert found.note == "median 2.303 without, 1.269 with"


def test_k1_looks_at_the_first_300_steps_only(tmp_path, verdict):
    later = {"loss": lambda step: np.where(step < 300, 2.303, 0.1)}
    arms(tmp_path, FIVE, none=later)
    assert verdict("K1").verdict == "reproduced"


def test_k1_is_contradicted_where_the_plain_network_learns_too(tmp_path, verdict):
    arms(tmp_path, FIVE, none={"loss": lambda step: 1.5 + 0 * step})
    found = verdict("K1")
    assert (found.verdict, found.holds) == ("contradicted", 0)


def test_k1_is_contradicted_where_batchnorm_learns_nothing(tmp_path, verdict):
    arms(tmp_path, FIVE, batch={"loss": lambda step: 2.303 + 0 * step})
    assert verdict("K1").verdict == "contradicted"


def test_k1_needs_batchnorm_below_its_threshold(tmp_path, verdict):
    arms(tmp_path, FIVE, batch={"loss": lambda step: 1.95 + 0 * step})
    found = verdict("K1")
    assert (found.verdict, found.holds) == ("undecided", 0)
    assert "without pointing the other way" in found.note


def test_k1_of_runs_shorter_than_300_steps_is_left_open(tmp_path, verdict):
    arms(tmp_path, FIVE, steps=200)
    found = verdict("K1")
    assert (found.verdict, found.n) == ("undecided", 0)
    assert "seed 0: what is measured is not there, not used" in found.note


def test_a_diverged_plain_network_did_not_stay_at_chance(tmp_path, verdict):
    arms(tmp_path, FIVE, none={"status": "diverged"})
    found = verdict("K1")
    assert found.verdict == "contradicted"
    assert found.effect == math.inf
    assert "seed 3: vgg11-none-laptop-seed3 diverged" in found.note


def test_k2_is_the_ratio_of_the_steps(tmp_path, verdict):
    """50 % is reached at the evaluations of steps 25 and 250."""
    arms(
        tmp_path,
        FIVE,
        none={"accuracy": lambda step: np.where(step < 230, 0.1, 0.6)},
        batch={"accuracy": lambda step: np.where(step < 5, 0.1, 0.5)},
    )
    found = verdict("K2")
    assert (found.verdict, found.effect, found.bound) == ("reproduced", 0.1, "")
    assert found.effects == tuple((seed, 0.1) for seed in FIVE)


def test_k2_never_reached_is_bounded_by_the_length_of_the_run(tmp_path, verdict):
    arms(tmp_path, FIVE, batch={"accuracy": lambda step: np.where(step < 60, 0.1, 0.6)})
    found = verdict("K2")
    assert (found.verdict, found.effect, found.bound) == ("reproduced", 75 / 400, "<=")
    assert "in 5 of 5 pairs the other run never gets there, the ratio is a bound" in found.note


def test_k2_too_loose_a_bound_decides_nothing(tmp_path, verdict):
    arms(tmp_path, FIVE, batch={"accuracy": lambda step: np.where(step < 180, 0.1, 0.6)})
    found = verdict("K2")
    assert (found.verdict, found.effect, found.bound) == ("undecided", 0.5, "<=")


def test_k2_is_no_evidence_where_neither_gets_there(tmp_path, verdict):
    arms(tmp_path, FIVE, batch={"accuracy": lambda step: 0.3 + 0 * step})
    found = verdict("K2")
    assert (found.verdict, found.holds, found.bound) == ("undecided", 0, "")
    assert math.isnan(found.effect)
    assert "5 of 5 pairs are a tie: no evidence" in found.note


def test_k2_is_contradicted_where_batchnorm_is_slower(tmp_path, verdict):
    fast, never = {"accuracy": lambda step: np.where(step < 5, 0.1, 0.6)}, {"accuracy": lambda step: 0.1 + 0 * step}
    arms(tmp_path, FIVE, none=fast, batch=never)
    found = verdict("K2")
    assert (found.verdict, found.effect) == ("contradicted", math.inf)


def test_k2_both_diverged_is_no_evidence(tmp_path, verdict):
    arms(tmp_path, FIVE, status="diverged")
    assert verdict("K2").verdict == "undecided"
    assert math.isnan(verdict("K2").effect)


def test_k2_a_diverged_plain_network_never_gets_there(tmp_path, verdict):
    """The bound is by the length that was planned, which the other arm has run."""
    early = {"accuracy": lambda step: np.where(step < 5, 0.1, 0.6)}
    arms(tmp_path, FIVE, none={"status": "diverged"}, batch=early)
    found = verdict("K2")
    assert (found.verdict, found.effect, found.bound) == ("reproduced", 25 / 400, "<=")


def test_k4_is_the_difference_in_points(tmp_path, verdict):
    resnets(tmp_path, FIVE, 0.79, 0.89)
    found = verdict("K4")
    assert (found.verdict, found.unit) == ("reproduced", "points")
    assert found.effect == pytest.approx(10)
    assert found.note == "the runs are not 20 epochs long but 400 steps"


def test_k4_after_20_epochs_needs_no_note(tmp_path, verdict):
    for norm, end in (("none", 0.7), ("batch", 0.9)):
        for seed in FIVE:
            score = lambda step, end=end: end + 0 * step  # noqa: E731
            name = f"{norm}{seed}"
            folder = fabricate(
                tmp_path, norm, seed, name=name, accuracy=score, choices={"model": "resnet50"}, epochs=20
            )
            config = folder / "config.yaml"
            config.write_text(config.read_text().replace("steps: 400", "steps: null"))
    found = verdict("K4")
    assert (found.verdict, found.note, found.setting) == ("reproduced", "", "resnet50 on sample, 20 epochs")


def test_k4_is_contradicted_where_batchnorm_ends_lower(tmp_path, verdict):
    resnets(tmp_path, FIVE, 0.80, 0.79)
    assert verdict("K4").verdict == "contradicted"


def test_k4_half_the_gain_is_undecided(tmp_path, verdict):
    resnets(tmp_path, FIVE, 0.80, 0.83)
    assert verdict("K4").verdict == "undecided"


def test_k4_both_diverged_tie(tmp_path, verdict):
    resnets(tmp_path, FIVE, 0.1, 0.1, status="diverged")
    found = verdict("K4")
    assert (found.verdict, found.n, found.holds) == ("undecided", 5, 0)
    assert math.isnan(found.effect)


def test_a_network_that_was_not_run_is_said_to_be_so(tmp_path, verdict):
    arms(tmp_path, FIVE)
    found = verdict("K4")
    assert (found.verdict, found.scale) == ("not run", "laptop")
    assert found.note == "no run of model=resnet* with init=default optimizer.lr=0.01"


@pytest.mark.parametrize("other", [{"choices": {"init": "he_normal"}}, {"optimizer": {"lr": 0.1}}])
def test_another_init_or_learning_rate_is_not_the_claims(tmp_path, verdict, other):
    arms(tmp_path, FIVE, **other)
    assert verdict("K1").verdict == "not run"


def test_every_scale_has_its_own_verdict(tmp_path, experiment):
    arms(tmp_path, FIVE)
    arms(tmp_path, FIVE, none={"loss": lambda step: 1.0 + 0 * step}, choices={"scale": None})
    found = {
        verdict.scale: verdict.verdict for verdict in experiment.claims(find_runs(tmp_path)) if verdict.claim == "K1"
    }
    assert found == {"laptop": "reproduced", "paper": "contradicted"}


def test_the_thresholds_are_those_fixed_beforehand(experiment):
    assert (experiment.PLATEAU, experiment.EARLY_STEPS, experiment.LEARNED) == (0.02, 300, 1.9)
    assert (experiment.HALF, experiment.SPEED, experiment.MARGIN, experiment.RESNET_EPOCHS) == (0.5, 0.2, 5, 20)
