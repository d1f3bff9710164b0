"""Training the norms alone, or as many other weights."""

import pytest
import torch

from normscope.assemble import assemble
from normscope.composed import composed
from normscope.errors import UsageError
from normscope.places import CONFIGS
from normscope.regularizers.part_trained import PartTrained, norms, random_weights
from normscope.rehearsal import rehearse
from normscope.training.step import training_step
from tests.commands import TINY

REFUSED = {"adamw", "lbfgs", "newton"}  # its decay moves all weights; they take no gradient but the objective's
OPTIMIZERS = sorted({path.stem for path in (CONFIGS / "optimizer").glob("*.yaml")} - REFUSED)


def job_of(*overrides):
    return assemble(*composed([*TINY, "probe=[]", *overrides]))


def moved(job, steps=3):
    """How many entries of each parameter differ after some updates."""
    before = {name: weight.detach().clone() for name, weight in job.trainee.weights.items()}
    for _ in range(steps):
        training_step(job.trainee, job.training.images[:8], job.training.labels[:8])
    return {name: int((weight != before[name]).sum()) for name, weight in job.trainee.weights.items()}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_scales_and_shifts_move_under_every_optimizer(optimizer):
    found = moved(job_of(f"optimizer={optimizer}", "optimizer.lr=0.01", "regularizer=[l2,norms_only]"))
    assert {name for name, count in found.items() if count} <= {name for name in found if ".norm." in name}
    assert sum(map(bool, found.values())) > len(found) / 4


@pytest.mark.parametrize("model", ["vgg11", "resnet18", "resnet50", "mlp"])
def test_as_many_random_weights_move_as_norms_have(model):
    """Two of each unit, never a γ, a β or the head; a few have no gradient behind a ReLU that is off."""
    job = job_of(f"model={model}", "regularizer=[random_weights_only]")
    weights = dict(job.trainee.weights)
    masks = job.trainee.regularizers.gradient[0].part(weights)
    wanted = sum(weight.numel() for name, weight in weights.items() if ".norm." in name)
    assert sum(int(mask.sum()) for mask in masks.values()) == wanted
    for mask in masks.values():
        assert (mask.flatten(1).sum(1) == 2).all()
    for name, count in moved(job).items():
        assert count <= (int(masks[name].sum()) if name in masks else 0)


def test_the_draw_is_that_of_its_seed():
    weights = {"layer1.linear.weight": torch.zeros(50, 40), "layer1.norm.weight": torch.ones(50)}
    first, again, other = (random_weights(weights, seed=seed)["layer1.linear.weight"] for seed in (0, 0, 1))
    assert first.sum() == 50
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_gradient_of_the_part_is_left_as_it_is():
    weights = {name: torch.nn.Parameter(torch.ones(2)) for name in ("layer1.linear.weight", "layer1.norm.bias")}
    for weight in weights.values():
        weight.grad = torch.tensor([3.0, -4.0])
    PartTrained(part=norms)(weights)
    assert [weight.grad.tolist() for weight in weights.values()] == [[0, 0], [3, -4]]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["regularizer=[weight_decay,norms_only]"], "the place 'decay' changes all weights; .*take l2"),
        (["regularizer=[max_norm,norms_only]"], "the place 'constraint' changes all weights"),
        (["regularizer=[norms_only,gradient_noise]"], "put norms_only or random_weights_only last"),
        (["regularizer=[norms_only]", "model/norm=none"], "and it has none; take model/norm=batch"),
        (
            ["regularizer=[norms_only]", "optimizer=lbfgs", "batch_size=4", "dataset.train_size=4"],
            "acts beside it, in the place 'gradi",
        ),
    ],
    ids=["decay", "constraint", "order", "no norm", "closure"],
)
def test_what_does_not_go_with_it_is_refused(overrides, message):
    with pytest.raises(UsageError, match=message):
        rehearse(job_of(*overrides))
