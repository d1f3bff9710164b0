import math

import pytest
import torch
from torch import nn

from normscope.losses import cross_entropy, squared_error
from normscope.surveys.answers import MeanAnswer, log_probabilities, numbered, refuse_other_answers, scores
from normscope.tasks import Task, all_turns
from normscope.training.recording import Images
from tests.finished import finished_run, run_of

MEAN = cross_entropy("mean")


def test_log_probabilities_are_those_of_the_softmax_batch_by_batch():
    run = finished_run()
    network = run.network.eval()
    batches = [run.test.batch(index) for index in torch.arange(20).split(7)]
    found = log_probabilities(network, run.preprocess, batches)
    with torch.no_grad():
        wanted = torch.log_softmax(network((run.test.images.float() / 255).double()), 1)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_a_mean_by_hand():
    """Answers 3/4 and 1/4 to label 0 and 3/5, 1/5 to label 1: means 1/2 and 2/5; the second is no longer right."""
    batches = [(torch.zeros(2, 1, 1, 1), torch.tensor([0, 1]))]
    answers = [torch.tensor([[3 / 4, 1 / 4], [2 / 5, 3 / 5]]), torch.tensor([[1 / 4, 3 / 4], [4 / 5, 1 / 5]])]
    measure = scores(lambda number: answers[number - 1].double().log(), MEAN, batches)
    assert measure((1.0,)) == pytest.approx((-math.log(9 / 20) / 2, 1, -math.log(9 / 20) / 2, 1))
    assert measure((2.0,)) == pytest.approx((-math.log(1 / 20) / 2, 0, -math.log(1 / 2 * 2 / 5) / 2, 0.5))


def random_answers(count=5, images=40):
    source = torch.Generator().manual_seed(0)
    return [3 * torch.randn(images, 10, generator=source, dtype=torch.float64) for _ in range(count)]


def test_the_mean_is_that_of_a_stack_whichever_number_comes_first():
    answers = [answer.log_softmax(1) for answer in random_answers()]
    asked = []
    mean = MeanAnswer(lambda number: (asked.append(number), answers[number - 1])[1])
    for count in (3, 4, 2, 5):
        last, together = mean.of_first(count)
        assert torch.equal(last, answers[count - 1])
        wanted = torch.stack(answers[:count]).exp().mean(0)
        torch.testing.assert_close(together.exp(), wanted, rtol=1e-12, atol=0)
    assert asked == [1, 2, 3, 4, 1, 2, 3, 4, 5]  # going on costs one answer, going back starts over


def test_a_probability_below_the_smallest_float_is_not_lost():
    sure = torch.tensor([[0.0, -2000.0]], dtype=torch.float64).log_softmax(1)
    _, together = MeanAnswer(lambda number: sure).of_first(2)
    assert together[0, 1].item() == -2000


def test_the_loss_of_a_mean_is_never_above_the_mean_of_the_losses():
    answers = [answer.log_softmax(1) for answer in random_answers()]
    batches = [(torch.zeros(40, 1, 1, 1), torch.arange(40) % 10)]
    rows = [scores(lambda number: answers[number - 1], MEAN, batches)(point) for point in numbered(5)]
    for count in range(1, 6):
        assert rows[count - 1][2] <= sum(row[0] for row in rows[:count]) / count + 1e-12


def test_runs_without_probabilities_are_refused_by_name():
    numbers = Images(torch.randn(24, 3, 4, 4), torch.randn(24, 10))
    for change in ({"loss": squared_error("mean")}, {"test": numbers}):
        with pytest.raises(ValueError, match=r"outputs/a-run: its loss compares numbers.* loss=cross_entropy"):
            refuse_other_answers([finished_run(), finished_run(nn.Linear(1, 1), **change)])


def test_runs_of_another_task_are_refused_by_name():
    turned = Task(4, has_classes=True, examples=all_turns)
    with pytest.raises(ValueError, match=r"outputs/a-run: its task is rotation.* name a run of task=labels"):
        refuse_other_answers([finished_run(), finished_run(run=run_of(task="rotation"), task=turned)])


def test_images_are_drawn_from_the_split_that_is_asked_for():
    run = finished_run(validation=Images(torch.zeros(6, 3, 4, 4, dtype=torch.uint8), torch.arange(6)))
    (_, labels), *more = run.held_out_batches("validation", 100, seed=0)
    assert (sorted(labels.tolist()), more) == ([0, 1, 2, 3, 4, 5], [])
    assert len(run.held_out_batches("test", 3, seed=0)[0][1]) == 3


@pytest.mark.parametrize(
    ("split", "images", "message"),
    [
        ("train", 5, r"split \(train\) must be test, or validation where something is to be chosen"),
        ("validation", 5, "outputs/a-run held no validation images out.*dataset.validation=1000"),
        ("test", 0, r"images \(0\) must be at least 1"),
    ],
)
def test_a_split_that_is_not_there_is_refused(split, images, message):
    with pytest.raises(ValueError, match=message):
        finished_run().held_out_batches(split, images, seed=0)
