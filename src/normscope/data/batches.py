"""The order in which a run sees its training images."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Batches:
    """Batches of indices without end: each epoch is one fresh permutation, and its last partial batch is dropped.

    The order comes from a CPU generator of its own, so it depends on the seed and on nothing else that a run does.

    Args:
        size: N, images in the split.
        batch_size: B.
        seed: of the order.
    Raises:
        ValueError: if the batch size is not between 1 and N.
    """

    def __init__(self, size: int, batch_size: int, seed: int) -> None:
        if not 1 <= batch_size <= size:
            raise ValueError(
                f"batch_size ({batch_size}) must lie within 1 and {size}, the number of training images; "
                "take a smaller batch or more images"
            )
        self.size = size
        self.batch_size = batch_size
        self.steps_per_epoch = size // batch_size
        self._generator = torch.Generator().manual_seed(seed)
        self._start_epoch()

    def next(self) -> Tensor:
        """The indices (B,) of the next batch."""
        if self._position == self.steps_per_epoch:
            self._start_epoch()
        first = self._position * self.batch_size
        self._position += 1
        return self._order[first : first + self.batch_size]

    def state(self) -> dict[str, Any]:
        """All that `restore` needs: the generator as it was before this epoch, and the batches taken since."""
        return {
            "size": self.size,
            "batch_size": self.batch_size,
            "generator": self._before_epoch.clone(),
            "position": self._position,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken, bit for bit.

        Raises:
            ValueError: if the state belongs to another number of images or another batch size.
        """
        for name, mine in (("size", self.size), ("batch_size", self.batch_size)):
            if state[name] != mine:
                raise ValueError(
                    f"the order that was kept has {name}={state[name]}, this run has {mine}; "
                    "go on with the data and the batch size that it began with, or start over"
                )
        self._generator.set_state(state["generator"])
        self._start_epoch()
        self._position = state["position"]

    def _start_epoch(self) -> None:
        self._before_epoch = self._generator.get_state()
        self._order = torch.randperm(self.size, generator=self._generator)
        self._position = 0
