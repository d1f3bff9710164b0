"""Beginning with the weights of another run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from normscope.blocks import Block, blocks, named
from normscope.data.dataset import Dataset
from normscope.errors import UsageError
from normscope.parts import load_dataset
from normscope.runs.checkpoint import load_checkpoint
from normscope.runs.dotted import flat
from normscope.runs.folder import config_hash
from normscope.runs.reader import Run
from normscope.start import Start, source_of, start_of
from normscope.surveys.sources import CHECKPOINT, fingerprints
from normscope.training.thawing import Thawing

SHOWN = 3  # differences that a message names


@dataclass(frozen=True)
class Beginning:
    """What a run's weights are before its first update, and which of them learn.

    Attributes:
        thawing: which blocks learn when; empty where the weights are drawn, and all learn.
        head: the network's last block, whose learning rate has no factor.
        lr_factor: on the learning rate of what was taken of the others.
        new: the children that keep their initial weights.
        told: what `summary.json` says of it; empty where the weights are drawn.
    """

    thawing: Thawing = field(default_factory=Thawing)
    head: Block = ()
    lr_factor: float = 1.0
    new: Block = ()
    told: dict[str, Any] = field(default_factory=dict)

    def parameters(self, network: nn.Module) -> list[Any]:
        """What the optimizer gets: the parameters that ever learn, in a group for each learning rate.

        Where blocks thaw, each is a group: PyTorch's fused SGD wants a velocity of all weights of a group or of none.
        """
        if not self.head:
            return [*network.parameters()]
        thaws = self.thawing.every is not None
        learning = [block for block in self.thawing.blocks if thaws or block not in self.thawing.frozen(0)]
        parts = [(block, 1.0 if block[0] in self.new else self.lr_factor) for block in learning] + [(self.head, 1.0)]
        if not thaws:
            joined: dict[float, Block] = {}
            for block, factor in parts:
                joined[factor] = joined.get(factor, ()) + block
            parts = [(children, factor) for factor, children in joined.items()]
        weights = dict(network.named_parameters())
        return [
            {"params": [w for name, w in weights.items() if _child(name) in children], "lr_factor": factor}
            for children, factor in parts
        ]


def begin(config: Mapping[str, Any], choices: Mapping[str, Any], dataset: Dataset, network: nn.Module) -> Beginning:
    """Put the weights into a network that it starts from, where the group `start` names a run.

    Args:
        config, choices, dataset: of the run that begins.
        network: with its initial weights; changed in place.
    Raises:
        UsageError: if there is no such run, or its weights do not fit: another model or width, other classes below a
            head that is kept, other preprocessing, more blocks than there are.
    """
    start = start_of(config)
    if start is None:
        return Beginning()
    source = source_of(start, config, choices)
    *below, head = blocks(network)
    body = tuple(below)
    _check(start, source, config, dataset, body)
    state = load_checkpoint(source.folder / CHECKPOINT, config_hash(source.config))["training"]["network"]
    differences = _differences(source, config, choices)
    new, left = take(network, state, head if start.head == "new" else (), source, differences)
    thawing = Thawing(body, len(body) if start.trained == "all" else int(start.trained), start.thaw_every)
    _refuse_frozen(new, thawing, start, source)
    told: dict[str, Any] = {
        **fingerprints([source])[0],
        "run": str(source.folder),
        "step": source.summary["step"],
        "taken": [block[0] for block in (*body, head) if block[0] not in new],
        "new": [*new],
        "left_behind": left,
        "frozen_at_first": [block[0] for block in thawing.frozen(0)],
        "thaw_every": start.thaw_every,
        "lr_factor": start.lr_factor,
        "differences": differences,
    }
    told["sentence"] = _sentence(told, start, thawing, body, head)
    return Beginning(thawing, head, start.lr_factor, new, told)


def take(
    network: nn.Module, state: Mapping[str, Tensor], replaced: Block, source: Run, differences: list[str]
) -> tuple[Block, list[str]]:
    """Copy weights and running statistics by their names into a network.

    Args:
        network: changed in place, but for its children `replaced`.
        state: of the source's network.
        differences: how the two models differ, for the message.
    Returns:
        The children of this network that keep their initial weights: those replaced, and those that the source has not;
        and the children of the source's network that this one has no place for.
    Raises:
        UsageError: if a tensor is missing, has another shape, or has no place.
    """
    own = network.state_dict()
    children = {name for name, _ in network.named_children()}
    theirs = {_child(name) for name in state}
    fresh = [name for name in dict.fromkeys(map(_child, own)) if name not in theirs or name in replaced]
    if len(fresh) == len({*map(_child, own)}):  # nothing would be taken: say what is missing
        fresh = list(replaced)
    wanted = {name: tensor for name, tensor in own.items() if _child(name) not in fresh}
    found = {name: t for name, t in state.items() if _child(name) in children and _child(name) not in replaced}
    why = f" ({'; '.join(differences[:SHOWN])})" if differences else ""
    for name in [*wanted, *found]:
        here, there = wanted.get(name), found.get(name)
        if here is None or there is None or here.shape != there.shape:
            shapes = ["missing" if tensor is None else str(tuple(tensor.shape)) for tensor in (there, here)]
            raise UsageError(
                f"start: the weights of {source.folder} do not fit this network: {name} is {shapes[0]} there "
                f"and {shapes[1]} here{why}; take the model that it has, or another run"
            )
    network.load_state_dict({**own, **found})
    return tuple(fresh), sorted(theirs - children - set(replaced))


def _check(start: Start, source: Run, config: Mapping[str, Any], dataset: Dataset, body: tuple[Block, ...]) -> None:
    """What can be said before the weights are read."""
    if not body and start.head == "new":
        raise UsageError("start: the network is a head alone, and the head is new: nothing would be taken")
    if start.trained != "all" and int(start.trained) > len(body):
        raise UsageError(
            f"start.trained={start.trained}: the network has {len(body)} blocks below its head ({named(body)}); give "
            f"0 to {len(body)}, or all"
        )
    ours, theirs = (one["dataset"].get("preprocess") for one in (config, source.config))
    if ours != theirs:
        raise UsageError(
            f"dataset/preprocess: the weights of {source.folder} were learnt on inputs of {_words(theirs)}, and this "
            f"run has {_words(ours)}; choose dataset/preprocess={source.choices.get('dataset/preprocess')}, as there"
        )
    if start.head != "keep":
        return
    learnt, asked = (one["task"]["_target_"].rpartition(".")[2] for one in (source.config, config))
    if learnt != asked:
        raise UsageError(f"start.head=keep: {source.folder} learnt task={learnt}, not {asked}; take start.head=new")
    if (classes := load_dataset(source.config).classes) != dataset.classes:
        raise UsageError(
            f"start.head=keep: the head of {source.folder} tells {', '.join(classes[:SHOWN])}, ... apart "
            f"({len(classes)} classes), and here they are {', '.join(dataset.classes[:SHOWN])}, ... "
            f"({len(dataset.classes)}); take start.head=new"
        )


def _refuse_frozen(new: Block, thawing: Thawing, start: Start, source: Run) -> None:
    """Refuse to freeze what the source does not have: it would stay as it was drawn."""
    frozen = [block[0] for block in thawing.frozen(0) if block[0] in new]
    if frozen:
        raise UsageError(
            f"start.trained={start.trained}: {frozen[0]} would be frozen, and {source.folder} has no weights for it; "
            "let more blocks learn, or all"
        )


def _differences(source: Run, config: Mapping[str, Any], choices: Mapping[str, Any]) -> list[str]:
    """What is set otherwise in the source's model, in words."""

    def model(config: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
        chosen = {key: value for key, value in choices.items() if key.partition("/")[0] == "model"}
        values = flat(config["model"], "model.")
        return {**chosen, **{key: value for key, value in values.items() if "._" not in key}}

    theirs, ours = model(source.config, source.choices), model(config, choices)
    keys = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    return [f"{key}={theirs.get(key)} there, {ours.get(key)} here" for key in keys]


def _sentence(told: Mapping[str, Any], start: Start, thawing: Thawing, body: tuple[Block, ...], head: Block) -> str:
    """What the terminal says of it."""
    new = told["new"]
    taken = named(body) if set(new) <= set(head) else ", ".join(told["taken"])
    parts = [f"{taken} taken, " + (f"{', '.join(new)} new" if new else f"{head[0]} kept")]
    frozen = thawing.frozen(0)
    parts.append(f"{named(frozen)} frozen" if frozen else "all learn")
    if thawing.every:
        parts.append(f"one more learns every {thawing.every:,} updates")
    if start.lr_factor != 1:
        parts.append(f"learning rate of what was taken x {start.lr_factor:g}")
    if told["left_behind"]:
        parts.append(f"left behind: {', '.join(told['left_behind'])}")
    parts += told["differences"][:SHOWN]
    return f"starts from {told['run']}: {'; '.join(parts)}"


def _child(name: str) -> str:
    """The child of the network that a parameter or buffer belongs to."""
    return name.partition(".")[0]


def _words(preprocess: Mapping[str, Any] | None) -> str:
    """A preprocessing's name and settings."""
    if preprocess is None:
        return "no preprocessing"
    rest = [f"{key}={value}" for key, value in preprocess.items() if not key.startswith("_")]
    return " ".join([str(preprocess["_target_"]).rpartition(".")[2], *rest])
