"""A run that has ended, put together again so that its network can be evaluated at any weights."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from normscope.losses import Loss
from normscope.precision import float32_products
from normscope.regularizers.population_statistics import normalising_by_batch
from normscope.runs.reader import Run
from normscope.tasks import Task
from normscope.training.evaluation import Score, score_of, sums
from normscope.training.recording import Images
from normscope.training.step import as_inputs
from normscope.vectors import Vector

Batches = list[tuple[Tensor, Tensor]]  # images (N, C, H, W) uint8 and labels (N,), on the device
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
AT_ONCE = 500  # held-out images


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A network as its run left it, with the data that it was trained on.

    Losses are the run's own, by default mean cross-entropies in nats, without the terms that regularizers add, on
    images without augmentation. Arithmetic is float32 with TF32 off, whatever the precision of the training.

    Attributes:
        run: its folder, config and choices.
        network: read for its structure; never at the weights that it holds.
        preprocess: float images in [0, 1] -> what the network sees.
        loss: (outputs, targets) -> scalar.
        task: what the network is to say of which images.
        training, test: the splits.
        weights, buffers: by name, as the run left them.
        initial: the weights before the first update, drawn anew from the run's seed.
        scored: makes the network that the run's scores are of: the trained one, or what a rule put in its place, such
            as an average of weights or an ensemble of snapshots; on the device, with the weights that the run left.
        validation: the split, where the run held one out.
        frozen: children of the network that were frozen to the end, whose norms never looked at a batch.
    """

    run: Run
    network: nn.Module
    preprocess: Callable[[Tensor], Tensor]
    loss: Loss
    task: Task
    training: Images
    test: Images
    weights: dict[str, Tensor]
    buffers: dict[str, Tensor]
    initial: dict[str, Tensor]
    scored: Callable[[], nn.Module]
    validation: Images | None = None
    frozen: frozenset[str] = frozenset()

    @property
    def step(self) -> int:
        """The number of updates that the run made."""
        return int(self.run.summary["step"])

    def training_batches(self, images: int, seed: int) -> Batches:
        """At most `images` training images, drawn at random, in batches of the run's size; what does not fill the last
        batch is dropped, as in training.

        Raises:
            ValueError: if they do not fill one batch.
        """
        size = self.run.config["batch_size"]
        if images < size:
            raise ValueError(
                f"images ({images}) must be at least the run's batch_size ({size}), which BatchNorm normalises over"
            )
        whole = min(images, len(self.training.labels)) // size * size
        return self._drawn(self.training, whole, seed, size)

    def test_batches(self, images: int, seed: int) -> Batches:
        """At most `images` test images, drawn at random.

        Raises:
            ValueError: if there are none.
        """
        if images < 1:
            raise ValueError(f"test_images ({images}) must be at least 1")
        return self.held_out_batches("test", images, seed)

    def held_out_batches(self, split: str, images: int, seed: int) -> Batches:
        """At most `images` images of the test or the validation split, drawn at random.

        Raises:
            ValueError: if there are none, or the split is another.
        """
        if images < 1:
            raise ValueError(f"images ({images}) must be at least 1")
        if split not in ("test", "validation"):
            raise ValueError(
                f"split ({split}) must be test, or validation where something is to be chosen by the score"
            )
        found = self.test if split == "test" else self.validation
        if found is None:
            raise ValueError(
                f"split=validation: {self.run.folder} held no validation images out; use split=test, or train a run "
                "with dataset.validation=1000"
            )
        return self._drawn(found, min(images, len(found.labels)), seed, AT_ONCE)

    def in_training_mode(self, weights: Vector, batches: Batches) -> tuple[Score, dict[str, Tensor]]:
        """Loss and accuracy with BatchNorm normalising by each batch, which is what training minimises, but for frozen
        layers; dropout and other noise is off.

        Returns:
            The score, and the buffers with the statistics of the population as these batches estimate them: the mean
            over the batches of their means and unbiased variances (Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 2,
            steps 8 to 10).
        """
        buffers = {
            name: torch.zeros_like(buffer) if name.rpartition(".")[2] in STATISTICS and self._learns(name) else buffer
            for name, buffer in self.buffers.items()
        }
        normalising_by_batch(self.network, self.frozen)
        return self._score(weights, buffers, batches), buffers

    def in_evaluation_mode(self, weights: Vector, buffers: Vector, batches: Batches) -> Score:
        """Loss and accuracy with BatchNorm normalising by the statistics among the buffers."""
        self.network.eval()
        return self._score(weights, buffers, batches)

    def _learns(self, name: str) -> bool:
        """Whether a module, parameter or buffer belongs to a part of the network that learnt."""
        return name.partition(".")[0] not in self.frozen

    @torch.no_grad()
    def _score(self, weights: Vector, buffers: Vector, batches: Batches) -> Score:
        dtype = next(iter(weights.values())).dtype
        total = torch.zeros(2, dtype=torch.float64, device=batches[0][0].device)  # sum of losses, correct answers
        examples = 0
        with float32_products("ieee"):
            for images, labels in batches:
                inputs, wanted = self.task.examples(self.preprocess(as_inputs(images)), labels)
                inputs = inputs.to(dtype, memory_format=torch.channels_last)
                logits = functional_call(self.network, {**weights, **buffers}, (inputs,))
                total += sums(self.loss, logits, wanted)
                examples += len(wanted)
        return score_of(self.loss, total, examples)

    def _drawn(self, split: Images, wanted: int, seed: int, size: int) -> Batches:
        order = torch.randperm(len(split.labels), generator=generator(seed, "images"))[:wanted]
        return [split.batch(index) for index in order.split(size)]


def generator(seed: int, stream: str) -> torch.Generator:
    """A source of random numbers for one purpose, the same on every machine."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def count(batches: Iterable[tuple[Tensor, Tensor]]) -> int:
    """The number of images in batches."""
    return sum(len(labels) for _, labels in batches)
