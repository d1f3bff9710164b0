import math

import numpy as np
import pytest

from normscope.figures.titles import amount, fate, label, last, listed, sentence

CHANCE = math.log(10)


class Ended:
    """All that a title wants of a run."""

    def __init__(self, status="finished"):
        self.status = status


def fate_of(*curves, statuses=("finished",)):
    series = [(np.arange(0, 10 * len(values), 10), np.array(values, dtype=float)) for values in curves]
    return fate([Ended(status) for status in statuses], series, CHANCE)


def test_a_loss_that_never_moves_stays_at_chance():
    assert fate_of([2.31, 2.30, 2.303]) == "stays at chance"


def test_a_loss_that_falls_at_once_falls():
    assert fate_of([2.3, *[1.0] * 19, 0.432]) == "falls to 0.43"


def test_a_plateau_is_told_with_its_length():
    assert fate_of([*[2.303] * 50, *[1.0] * 50]) == "leaves chance at step 500, ends at 1.00"


def test_a_loss_that_rises_or_comes_back_only_ends():
    assert fate_of([2.3, 5.0, 5.0]) == "ends at 5.00"
    assert fate_of([1.0, 1.0, 2.3]) == "ends at 2.30"
    assert fate_of([*[2.303] * 5, 2.1, *[2.41] * 5]) == "ends at 2.41"  # it dipped below chance, no more


def test_most_runs_diverged_and_the_arm_diverges():
    assert fate_of([1.0, 1.0], statuses=["diverged", "diverged", "finished"]) == "diverges"
    assert fate_of([1.0, 1.0], statuses=["diverged", "finished"]) == "falls to 1.00"


def test_no_finite_value_is_no_measurement():
    assert fate_of([math.nan]) == fate_of([]) == "was not measured"


def test_the_last_finite_values_count():
    assert last([(np.arange(2), np.array([1.0, math.nan])), (np.arange(2), np.array([0.0, 3.0]))]) == 2


def test_a_sentence_names_its_subject_once():
    fates = {"none": "stays at chance", "batch": "falls to 0.43"}
    assert sentence("the loss", fates) == "Without BatchNorm the loss stays at chance;\nwith BatchNorm it falls to 0.43"
    assert sentence("the loss", {"batch": "diverges"}) == "With BatchNorm the loss diverges"


def test_no_line_of_a_sentence_is_wider_than_its_panel():
    long = dict.fromkeys(("none", "batch"), "leaves chance at step 5,500, ends at 0.31")
    assert max(map(len, sentence("the loss", long).split("\n"))) <= 46 + len(";")


def test_values_are_listed_with_their_unit_and_name_once():
    assert listed("It varies by", {"none": "0.1", "batch": "2"}, " nats") == (
        "It varies by\n0.1 nats without BatchNorm, 2 with"
    )
    assert listed("It varies by", {"batch": "2"}, " nats") == "It varies by\n2 nats with BatchNorm"
    assert listed("It varies by", {}) == "It varies by ...\nnothing was measured"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.000312, "0.00031"), (0.37, "0.37"), (2, "2"), (110.4, "110"), (5512, "5,500"), (3.2e14, "3e14"),
     (4.4e-7, "4e-7"), (math.inf, "∞"), (-math.inf, "-inf"), (math.nan, "nan")],
)  # fmt: skip
def test_amounts_have_two_digits_that_count(value, text):
    assert amount(value) == text


def test_a_label_counts_the_diverged_runs():
    assert label("batch", [Ended()]) == "with\nBatchNorm"
    assert label("none", [Ended(), Ended("diverged")]) == "without\nBatchNorm\n1 of 2 diverged"


def test_a_label_of_many_words_has_few_lines():
    assert label("with random weights alone", [Ended()]) == "with random\nweights alone"
