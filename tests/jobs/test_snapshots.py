import numpy as np
import pytest
import torch
from torch.func import functional_call

from normscope.jobs.snapshots import conclude, snapshots
from normscope.reopened import reopen
from normscope.runs.reader import read_run
from tests.finished import finished_run

HERE = {"split": "test", "images": 20, "seed": 0}


def test_the_members_are_those_of_the_checkpoint_the_newest_first(snapshot_run):
    run = reopen(read_run(snapshot_run), "cpu")
    survey = snapshots(run, **HERE)
    (rule,) = torch.load(snapshot_run / "last.pt", weights_only=True)["training"]["rules"]
    images = run.preprocess(run.test.images.float() / 255)
    assert len(survey.points) == len(rule["snapshots"]) == 2
    for point, state in zip(survey.points, reversed(rule["snapshots"]), strict=True):
        with torch.no_grad():
            logits = functional_call(run.network.eval(), state, (images,))
        wanted = torch.nn.functional.cross_entropy(logits, run.test.labels).item()
        assert survey.measure(point)[0] == pytest.approx(wanted, rel=1e-5)


def test_all_together_are_what_the_run_was_scored_by(snapshot_run):
    run = reopen(read_run(snapshot_run), "cpu")
    written = run.run.summary["metrics"]
    for split in ("test", "validation"):
        _, _, loss, accuracy = snapshots(run, **HERE | {"split": split}).measure((2.0,))
        assert accuracy == written[f"{split}/accuracy"]
        assert loss == pytest.approx(written[f"{split}/loss"], rel=1e-5)


def test_the_gain_is_told_over_the_last_snapshot():
    table = np.array([[1, 1.0, 0.7, 1.0, 0.7], [2, 2.0, 0.2, 0.9, 0.75]])
    numbers = conclude(finished_run(), "20 test images", table).numbers
    assert (numbers["reference/loss"], numbers["reference/accuracy"]) == (1.0, 0.7)
    assert numbers["gained/accuracy"] == pytest.approx(0.05)


def test_a_run_without_snapshots_is_refused():
    with pytest.raises(ValueError, match=r"a-run kept no snapshots; train one with regularizer=\[snapshot_ensemble\]"):
        snapshots(finished_run(), **HERE)
