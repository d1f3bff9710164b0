import math

import pytest

from normscope.errors import UsageError
from normscope.searches.scores import check_score, in_words, score_of

ACCURACY, LOSS = "validation/accuracy", "validation/loss"


def ended(accuracy=0.5, loss=1.0, status="finished"):
    return {"status": status, "metrics": {ACCURACY: accuracy, LOSS: loss, "test/accuracy": 0.99}}


def test_a_score_is_the_mean_over_the_folds():
    assert score_of([ended(0.5), ended(0.7), ended(0.6)], ACCURACY) == pytest.approx(0.6)
    assert score_of([ended(loss=1.0), ended(loss=3.0)], LOSS) == 2.0


@pytest.mark.parametrize("status", ["diverged", "failed", "interrupted"])
def test_a_fold_that_has_not_finished_makes_the_worst_score(status):
    assert score_of([ended(), ended(status=status)], ACCURACY) == -math.inf
    assert score_of([ended(), ended(status=status)], LOSS) == math.inf


def test_a_missing_fold_and_a_score_that_is_no_number_make_the_worst_score():
    assert score_of([ended(), None], ACCURACY) == -math.inf
    assert score_of([ended(loss=math.nan)], LOSS) == math.inf
    assert score_of([{"status": "finished", "metrics": {}}], ACCURACY) == -math.inf


def test_the_test_set_chooses_nothing():
    with pytest.raises(
        UsageError, match=r"test/accuracy: the test set is for the chosen settings alone; .* validation/"
    ):
        check_score("test/accuracy")
    with pytest.raises(UsageError, match="train/loss: no such score"):
        check_score("train/loss")


def test_scores_in_words():
    assert in_words(ACCURACY, 0.4123) == "validation/accuracy 41.2 %"
    assert in_words(LOSS, 1.23456) == "validation/loss 1.235"
    assert in_words(LOSS, math.inf) == "no validation/loss"
