import numpy as np
import pytest
import torch

from normscope.jobs.fold_batch_norm import COLUMNS, conclude, fold_batch_norm
from tests.finished import finished_run
from tests.recorded import small_network

HERE = {"batch_sizes": [1, 4], "repeats": 2}


def trained_run():
    network = small_network()
    for seed in range(3):
        images = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        network(images)
    return finished_run(network)


def test_the_folded_network_says_the_same_and_takes_some_time():
    survey = fold_batch_norm(trained_run(), batch_sizes=[1, 4, 50], repeats=2)  # 50 are more than the run has
    assert survey.points == [(1.0,), (4.0,), (50.0,)]
    for point in survey.points:
        plain, quick, difference = survey.measure(point)
        assert plain > 0
        assert quick > 0
        assert difference < 1e-9  # float64


def test_the_weights_are_those_of_the_run_and_the_network_is_left_alone():
    run = trained_run()
    with torch.no_grad():
        for weight in run.network.parameters():  # the run's own weights lie beside the network
            weight.fill_(torch.nan)
    before = {name: tensor.clone() for name, tensor in run.network.state_dict().items()}
    assert fold_batch_norm(run, **HERE).measure((4.0,))[2] < 1e-9
    now = run.network.state_dict()
    assert all(torch.equal(tensor, before[name]) or tensor.isnan().all() for name, tensor in now.items())


def test_the_conclusion_by_hand():
    found = conclude(finished_run(), np.array([[1, 0.02, 0.01, 1e-7], [4, 0.003, 0.002, 3e-7]]))
    assert len(COLUMNS) == 4
    assert found.numbers["speed_gained/1"] == pytest.approx(2)
    assert found.numbers["speed_gained/4"] == pytest.approx(1.5)
    assert found.numbers["images_per_second/4"] == pytest.approx(500)
    assert found.numbers["largest_difference"] == 3e-7
    assert found.sentence == ("folded 2.00x at 1, 1.50x at 4 images at once; the logits differ by 3e-07 of the largest")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_sizes": []}, r"batch_sizes \(\[\]\) must be different numbers"),
        ({"batch_sizes": [2, 2]}, r"batch_sizes \(\[2, 2\]\) must be different"),
        ({"batch_sizes": [0]}, r"each at least 1"),
        ({"repeats": 0}, r"repeats \(0\) must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        fold_batch_norm(trained_run(), **HERE | change)


def test_a_network_without_a_norm_is_refused():
    with pytest.raises(ValueError, match="no norm to be folded"):
        fold_batch_norm(finished_run(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 10)).double()), **HERE)
