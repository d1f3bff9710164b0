"""What a run takes from another, what it leaves alone, and which runs it refuses to start from."""

import json
import shutil

import pytest
import torch

from normscope.errors import UsageError
from normscope.rehearsal import rehearse
from normscope.reopened import reopen
from normscope.runs.reader import read_run
from normscope.training.loop import set_lr
from normscope.training.probing import Probing, recorded
from normscope.training.step import training_step
from tests.starts import finished, job_of, started

FIVE = "dataset.classes=[0,1,2,3,4]"
ALL_RULES = "regularizer=[crop_flip,weight_decay,l2,max_norm,gradient_noise,pruning,ema]"
OPTIMIZERS = ["momentum", "nesterov", "adam", "adamw", "nadam", "radam", "adamax", "adagrad", "adadelta", "rmsprop"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The folder of a run on five classes."""
    folder = tmp_path_factory.mktemp("starts") / "source"
    finished(folder, FIVE)
    return folder


@pytest.fixture(scope="module")
def trained(source):
    """The weights and running statistics that it ended in."""
    return torch.load(source / "last.pt", weights_only=True)["training"]["network"]


def below(state, *children):
    return {name: tensor for name, tensor in state.items() if name.partition(".")[0] in children}


def equal(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_everything_but_the_head_is_taken(source, trained):
    job = job_of(source)
    own = job.trainee.network.state_dict()
    assert {name for name in own if name.startswith("head")} == {"head.weight", "head.bias"}
    assert all(torch.equal(own[name], trained[name]) for name in own if not name.startswith("head"))
    assert own["head.weight"].shape == (10, trained["head.weight"].shape[1])
    assert len(job.trainee.weights) == len(list(job.trainee.network.parameters()))


def test_the_new_head_is_that_of_the_run_from_scratch(source, tmp_path):
    scratch, _ = finished(tmp_path / "scratch", "steps=1", "optimizer.lr=0")
    ours, theirs = job_of(source).trainee.network, scratch.trainee.network
    assert torch.equal(ours.get_parameter("head.weight"), theirs.get_parameter("head.weight"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frozen_blocks_keep_their_bits_whatever_acts_on_the_others(source, trained, tmp_path, optimizer):
    rules = [ALL_RULES, "regularizer.pruning.constraint.every=1", f"optimizer={optimizer}"]
    job, _ = started(tmp_path / "run", source, "start.trained=2", *rules)
    frozen = [f"layer{number}" for number in range(1, 7)]
    own = job.trainee.network.state_dict()
    assert equal(below(own, *frozen), below(trained, *frozen))  # running statistics and their counters too
    moved = {name for name in own if not torch.equal(own[name], trained.get(name, own[name]))}
    assert {name.partition(".")[0] for name in moved} == {"layer7", "layer8", "head"}
    assert "layer7.norm.running_mean" in moved


@pytest.mark.parametrize("rule", ["ema", "swa"])
def test_an_average_of_the_weights_has_the_frozen_ones_as_they_are(source, trained, rule):
    job = job_of(source, "start.trained=1", f"regularizer=[{rule}]")
    for step in range(6):
        training_step(job.trainee, *job.training.batch(job.batches.next()))
        for follower in job.trainee.regularizers.followers:
            follower.after_step(job.trainee.network, step)
    (follower,) = job.trainee.regularizers.followers
    average, frozen = follower.network(job.trainee.network), [f"layer{number}" for number in range(1, 8)]
    assert average is not job.trainee.network
    assert equal(below(average.state_dict(), *frozen), below(trained, *frozen))


def test_the_backward_pass_stops_where_nothing_learns(source):
    job = job_of(source, "start.trained=1")
    has_graph = {}
    for name, module in job.trainee.network.named_children():
        module.register_forward_hook(lambda _, __, output, name=name: has_graph.update({name: output.requires_grad}))
    training_step(job.trainee, *job.training.batch(job.batches.next()))
    assert [name for name in has_graph if has_graph[name]] == ["layer8", "pool5", "average", "head"]
    grads = {name for name, weight in job.trainee.network.named_parameters() if weight.grad is not None}
    assert grads == set(job.trainee.weights)
    assert all(name.partition(".")[0] in ("layer8", "head") for name in job.trainee.weights)


def test_with_the_head_kept_and_no_learning_rate_the_run_scores_as_its_source(source, tmp_path):
    written = json.loads((source / "summary.json").read_text())["metrics"]
    same = [FIVE, "start.head=keep", "optimizer.lr=0"]
    started(tmp_path / "frozen", source, *same, "start.trained=0")
    started(tmp_path / "all", source, *same)
    frozen, thawed = (read_run(tmp_path / name).series("test/loss")[1] for name in ("frozen", "all"))
    assert frozen.tolist() == [written["test/loss"]] * 3  # at steps 0, 4 and 6
    assert thawed[0] == written["test/loss"]
    assert thawed[-1] != thawed[0]  # the running statistics moved


def test_a_factor_on_the_learning_rate_is_one_on_the_step_and_on_the_decay(source):
    """w <- (1 − f lr λ) w − f lr g for what was taken, f = 1 for the head: worked out by hand."""
    rules = ["regularizer=[weight_decay]", "regularizer.weight_decay.decay.strength=0.5"]
    job = job_of(source, "start.lr_factor=0.25", "optimizer.lr=0.1", *rules)
    set_lr(job.trainee.optimizer, 0.1)
    before = {name: weight.detach().clone() for name, weight in job.trainee.weights.items()}
    training_step(job.trainee, *job.training.batch(job.batches.next()))
    for name, weight in job.trainee.weights.items():
        lr = 0.1 if name.startswith("head") else 0.025
        torch.testing.assert_close(weight, (1 - lr * 0.5) * before[name] - lr * weight.grad)


@pytest.mark.parametrize("optimizer", ["lbfgs", "newton"])
def test_a_linear_classifier_on_fixed_features_can_be_fitted_by_its_curvature(source, trained, tmp_path, optimizer):
    whole = ["batch_size=64", "steps=3", f"optimizer={optimizer}"]
    job, summary = started(tmp_path / "run", source, "start.trained=0", "start.head=keep", FIVE, *whole)
    assert summary["status"] == "finished"
    assert equal(
        *(below(state, *(f"layer{n}" for n in range(1, 9))) for state in (job.trainee.network.state_dict(), trained))
    )


def test_the_summary_says_what_the_run_started_from(source, tmp_path):
    job, summary = started(tmp_path / "run", source, "start.trained=6", "start.thaw_every=3", "steps=1")
    told = json.loads((tmp_path / "run" / "summary.json").read_text())["start"]
    assert told == job.start == summary["start"]
    assert told["run"] == str(source)
    assert told["config_hash"] == json.loads((source / "summary.json").read_text())["config_hash"]
    assert len(told["checkpoint_sha256"]) == 64
    assert (told["taken"][0], told["taken"][-1], told["new"]) == ("layer1", "layer8", ["head"])
    assert told["frozen_at_first"] == ["layer1", "layer2"]
    assert told["sentence"].endswith(
        "layer1 to layer8 taken, head new; layer1 to layer2 frozen; one more learns every 3 updates"
    )


def test_a_run_that_started_from_another_can_be_opened_again(source, tmp_path):
    started(tmp_path / "run", source, "start.trained=2")
    run = reopen(read_run(tmp_path / "run"), "cpu")
    assert run.frozen == {f"layer{number}" for number in range(1, 7)}
    _, buffers = run.in_training_mode(run.weights, run.training_batches(64, seed=0))
    assert torch.equal(buffers["layer6.norm.running_mean"], run.buffers["layer6.norm.running_mean"])
    assert not torch.equal(buffers["layer7.norm.running_mean"], run.buffers["layer7.norm.running_mean"])


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
def test_probes_look_at_a_partly_frozen_network(source, precision):
    probes = "along_gradient,covariate_shift,weights,weight_gradients,propagation,reduction,eigenvalues"
    rehearse(job_of(source, "start.trained=3", f"probe=[{probes}]", f"probe_precision={precision}"))


def test_the_gradient_at_frozen_activations_is_that_of_the_network_with_free_weights(source):
    """What propagation reads below the layers that learn, where no weight asks for a gradient."""

    def gradients(job):
        batch = job.training.batch(job.batches.next())
        record = recorded(training_step, job.trainee, batch, Probing(), (), step=0, lr=0.0)[1]
        return record.layer_values("pre_activation_gradients")

    frozen, free = (job_of(source, "start.trained=0", "optimizer.lr=0") for _ in range(2))
    free.trainee.network.requires_grad_(True)  # its norms stay as they are
    free.trainee.weights.update(free.trainee.network.named_parameters())
    ours, theirs = gradients(frozen), gradients(free)
    assert list(ours) == [f"layer{number}" for number in range(1, 9)]
    assert ours["layer1"].abs().sum() > 0
    for layer, gradient in theirs.items():
        torch.testing.assert_close(ours[layer], gradient)


def test_a_checkpoint_that_has_changed_since_is_refused(source, tmp_path):
    copy = shutil.copytree(source, tmp_path / "source")
    started(tmp_path / "run", copy, "steps=2")
    (tmp_path / "run" / "summary.json").unlink()
    state = torch.load(copy / "last.pt", weights_only=True)
    state["training"]["network"]["layer1.conv.weight"] += 1
    torch.save(state, copy / "last.pt")
    with pytest.raises(UsageError, match=r"started from a checkpoint with SHA-256 .* holds another"):
        started(tmp_path / "run", copy, "steps=2")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["model.width=0.125"],
            r"layer1.conv.weight is \(4, 3, 3, 3\) there and \(8, 3, 3, 3\) here \(model.width=0.06",
        ),
        (["model/norm=none"], r"layer1.conv.bias is missing there.*model/norm=batch there, none here"),
        (["model=resnet18"], r"stem.conv.weight is missing there.*model=vgg11 there, resnet18 here"),
        (
            ["start.head=keep"],
            r"start.head=keep: the head of .* \(5 classes\), and here .* \(10\); take start.head=new",
        ),
        (["start.trained=9"], r"start.trained=9: the network has 8 blocks below its head \(layer1 to layer8\)"),
        (["dataset/preprocess=none"], r"learnt on inputs of standardise, and this run has no preprocessing"),
        (["optimizer=lbfgs", "batch_size=64", "start.lr_factor=0.1"], r"start.lr_factor: LBFGS takes the curvature"),
        (["optimizer=lbfgs", "batch_size=64", "start.trained=0", "start.thaw_every=2"], r"start.thaw_every: LBFGS"),
        (["start.trained=0", "probe=[reduction]"], r"no BatchNorm that looks at its batch"),
    ],
)
def test_what_does_not_fit_is_refused(source, overrides, message):
    with pytest.raises(UsageError, match=message):
        rehearse(job_of(source, *overrides))


def test_a_probe_that_a_thaw_would_break_is_refused_before_the_run(source):
    rehearse(job_of(source, "start.trained=0", "probe=[jacobian]"))  # frozen norms couple no images
    with pytest.raises(UsageError, match="normalises over the batch"):
        rehearse(job_of(source, "start.trained=0", "start.thaw_every=2", "probe=[jacobian]"))
