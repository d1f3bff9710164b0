"""What the terminal says of a run that diverged."""

from normscope.progress import way_out

CONFIG = {"optimizer": {"lr": 0.5}}


def test_a_run_that_diverges_on_its_way_is_told_a_smaller_rate():
    said = way_out(CONFIG, step=41)
    assert "learning rate is too high: try optimizer.lr=0.05 or clip_by_norm" in said
    assert "job=babysit" in said


def test_a_first_loss_that_is_too_large_is_not_the_fault_of_the_rate():
    said = way_out(CONFIG, step=1)
    assert "smaller initial weights" in said
    assert "learning rate" not in said
