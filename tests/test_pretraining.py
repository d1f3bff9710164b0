"""Pretraining without labels: what a chain of autoencoders hands on, and what a classifier begins with."""

import pytest
import torch

from normscope.composed import composed
from normscope.errors import UsageError
from tests.starts import finished, job_of, started

AUTOENCODER = [
    "task=reconstruction",
    "model=autoencoder",
    "loss=squared_error",
    "loss.reduction=mean",
    "optimizer=adam",
]
STAGES = {"layers_2": 2, "layers_4": 4, "layers_6": 6, "layers_8": 8}


def weights_in(folder):
    return torch.load(folder / "last.pt", weights_only=True)["training"]["network"]


def belonging(state, *children):
    return {name: tensor for name, tensor in state.items() if name.partition(".")[0] in children}


def equal(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """An autoencoder of one layer, and one of two that starts from it with its first layer frozen."""
    folder = tmp_path_factory.mktemp("chain")
    finished(folder / "one", *AUTOENCODER, "model.layers=1")
    _, summary = started(
        folder / "two", folder / "one", *AUTOENCODER, "model.layers=2", "start.head=keep", "start.trained=2"
    )
    return folder, summary


def test_the_first_stage_is_the_autoencoder_of_one_layer(chain, tmp_path):
    """Greedy training begins with it: the same config, and so the same run to the bit."""
    config, choices = composed(["experiment=pretraining/layers_1"])
    assert (config["model"]["layers"], choices["start"], choices["task"]) == (1, "scratch", "reconstruction")
    finished(tmp_path / "alone", *AUTOENCODER, "model.layers=1")
    assert equal(weights_in(tmp_path / "alone"), weights_in(chain[0] / "one"))


def test_the_second_stage_learns_on_the_first_one_as_it_is(chain):
    folder, summary = chain
    one, two = weights_in(folder / "one"), weights_in(folder / "two")
    assert equal(belonging(one, "layer1"), belonging(two, "layer1"))  # running statistics too
    job = job_of(folder / "one", *AUTOENCODER, "model.layers=2", "start.head=keep", "start.trained=2")
    start = job.trainee.network.state_dict()
    assert equal(belonging(start, "decoder1"), belonging(one, "decoder1"))
    for child in ("layer2", "decoder2", "decoder1"):
        assert not equal(belonging(start, child), belonging(two, child))
    told = summary["start"]
    assert (told["taken"], told["new"], told["frozen_at_first"]) == (
        ["layer1", "decoder1"],
        ["layer2", "decoder2"],
        ["layer1"],
    )
    assert "layer1, decoder1 taken, layer2, decoder2 new; layer1 frozen" in told["sentence"]


@pytest.mark.parametrize(("name", "layers"), STAGES.items())
def test_each_stage_freezes_the_encoder_of_the_one_before(name, layers):
    """Below its head, decoder1, a network of k layers has k of the encoder and k - 1 of the decoder."""
    config, _ = composed([f"experiment=pretraining/{name}"])
    before = int(config["start"]["experiment"].rpartition("_")[2])
    assert config["model"]["layers"] == layers
    assert (2 * layers - 1) - config["start"]["trained"] == before


def test_a_classifier_takes_the_encoder_and_leaves_the_decoder(chain):
    folder, _ = chain
    job = job_of(folder / "two", "start.lr_factor=0.1")
    two, own = weights_in(folder / "two"), job.trainee.network.state_dict()
    assert equal(belonging(own, "layer1", "layer2"), belonging(two, "layer1", "layer2"))
    assert job.start["left_behind"] == ["decoder1", "decoder2"]
    assert job.start["new"] == [*(f"layer{number}" for number in range(3, 9)), "head"]
    slow, fast = job.trainee.optimizer.param_groups  # what is new learns at the full rate
    assert len(slow["params"]) == len(belonging(dict(job.trainee.network.named_parameters()), "layer1", "layer2"))
    assert (slow["lr_factor"], fast["lr_factor"]) == (0.1, 1.0)


def test_a_network_that_tells_turns_apart_becomes_a_classifier(tmp_path):
    _, summary = finished(tmp_path / "rotation", "task=rotation")
    assert 0 <= summary["metrics"]["test/accuracy"] <= 1
    job = job_of(tmp_path / "rotation")
    assert job.start["new"] == ["head"]
    assert job.trainee.network.get_parameter("head.weight").shape[0] == 10
    for classes in ("null", "[0,1,2,3]"):  # four turns are not four classes
        with pytest.raises(UsageError, match=r"learnt task=rotation, not labels; take start.head=new"):
            job_of(tmp_path / "rotation", "start.head=keep", f"dataset.classes={classes}")


def test_what_the_run_does_not_have_is_not_frozen(chain):
    with pytest.raises(UsageError, match=r"start.trained=1: layer3 would be frozen, and .* has no weights for it"):
        job_of(chain[0] / "two", "start.trained=1")
