from dataclasses import replace

import numpy as np
import pytest
import torch

from normscope.errors import UsageError
from normscope.jobs.ensemble import conclude, ensemble
from normscope.reopened import reopen
from normscope.runs.reader import read_run
from normscope.surveys.answers import numbered
from tests.finished import finished_run, run_of
from tests.recorded import small_network

HERE = {"split": "test", "images": 20, "seed": 0}


def other_network(seed):
    network = small_network()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed)) / 3)
    return network


def three():
    return [finished_run(other_network(seed), run=run_of(f"run{seed}")) for seed in (1, 2, 3)]


def test_an_ensemble_of_one_is_that_network():
    run = three()[0]
    survey = ensemble([run], **HERE)
    (row,) = [survey.measure(point) for point in survey.points]
    assert row[:2] == row[2:]
    own = run.in_evaluation_mode(run.weights, run.buffers, run.test_batches(20, seed=0))
    assert row[:2] == pytest.approx(own, rel=1e-12)


def test_networks_that_are_alike_gain_nothing():
    survey = ensemble([finished_run(), finished_run(), finished_run()], **HERE)
    rows = np.array([survey.measure(point) for point in survey.points])
    np.testing.assert_allclose(rows, np.tile(rows[0, :2], (3, 2)), rtol=1e-12)


def test_the_last_row_is_that_of_a_loop_over_the_networks():
    runs = three()
    survey = ensemble(runs, **HERE)
    assert survey.points == numbered(3)
    images, labels = runs[0].test.images.double() / 255, runs[0].test.labels
    with torch.no_grad():
        mean = sum(run.network.eval()(images.float().double()).softmax(1) for run in runs) / 3
    loss = -mean[torch.arange(20), labels].log().mean().item()
    accuracy = (mean.argmax(1) == labels).double().mean().item()
    assert survey.measure((3.0,))[2:] == pytest.approx((loss, accuracy), rel=1e-6)  # bytes become float32 first


def test_finished_runs_take_part_as_they_were_scored(runs):
    """The score of each alone is the one that its run wrote down, and the run of a rule has the rule's network."""
    found = [reopen(read_run(folder), "cpu") for folder in runs]
    survey = ensemble(found, **HERE)
    for run, point in zip(found, survey.points, strict=True):
        loss, accuracy, *_ = survey.measure(point)
        written = run.run.summary["metrics"]
        assert accuracy == written["test/accuracy"]
        assert loss == pytest.approx(written["test/loss"], rel=1e-5)


def test_the_conclusion_tells_the_gain_over_the_mean_of_the_networks():
    table = np.array([[1, 1.0, 0.6, 1.0, 0.6], [2, 2.0, 0.7, 0.9, 0.75]])
    found = conclude(finished_run(), "20 test images", table)
    assert found.numbers["reference/loss"] == 1.5
    assert found.numbers["gained/loss"] == pytest.approx(0.6)
    assert found.numbers["gained/accuracy"] == pytest.approx(0.1)
    assert found.sentence == (
        "75.00 % with the mean of 2 networks, 65.00 % alone, on average: +10.00 points; loss 0.9 and 1.5 nats"
    )


def test_networks_of_other_classes_are_refused():
    few = small_network()
    few.head = torch.nn.Linear(12, 4).double()
    with pytest.raises(ValueError, match=r"their networks know \[10, 4\] classes"):
        ensemble([finished_run(), finished_run(few)], **HERE)


def test_runs_of_another_reduction_are_refused():
    run = run_of("other")
    run.config["loss"] = {"reduction": "sum"}
    with pytest.raises(UsageError, match=r"loss.reduction=mean in outputs/a-run, but loss.reduction=sum in"):
        ensemble([finished_run(), replace(finished_run(), run=run)], **HERE)
