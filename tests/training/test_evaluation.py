import pytest
import torch
from torch import nn

from normscope.losses import cross_entropy, squared_error
from normscope.training.evaluation import evaluate

IMAGES = torch.randint(0, 256, (7, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0])
CROSS_ENTROPY = cross_entropy("mean")


def test_the_score_does_not_depend_on_how_the_split_is_cut():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).train()
    whole, cut = (
        evaluate(network, IMAGES, LABELS, lambda x: x, loss=CROSS_ENTROPY, precision="fp32", batch_size=size)
        for size in (7, 3)
    )
    assert whole.loss == pytest.approx(cut.loss)
    assert whole.accuracy == cut.accuracy
    with torch.no_grad():
        logits = network.eval()(IMAGES.float() / 255)
    assert whole.loss == pytest.approx(nn.functional.cross_entropy(logits, LABELS).item())
    assert whole.accuracy == pytest.approx((logits.argmax(1) == LABELS).float().mean().item())


def test_scoring_leaves_the_mode_and_the_running_statistics_alone():
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3)).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    evaluate(network, IMAGES, LABELS, lambda x: x, loss=CROSS_ENTROPY, precision="fp32")
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_numbers_are_scored_without_an_accuracy(reduction):
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    images, wanted = torch.randn(7, 1, 2, 2), torch.randn(7, 3)
    loss = squared_error(reduction)
    found = evaluate(network, images, wanted, lambda x: x, loss=loss, precision="fp32", batch_size=3)
    assert found.loss == pytest.approx(loss(network(images), wanted).item(), rel=1e-6)
    assert found.accuracy != found.accuracy
