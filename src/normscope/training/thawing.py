"""Which blocks of a network learn, and from which update on."""

from dataclasses import dataclass

from normscope.training.step import Trainee

Block = tuple[str, ...]  # names of the network's children


@dataclass(frozen=True)
class Thawing:
    """The lower blocks are frozen and thaw one by one, the uppermost first.

    Gradual unfreezing: Howard & Ruder 2018, arXiv:1801.06146, section 3.3, where one layer thaws an epoch. With n
    blocks learning at first, those that learn in update number t are the uppermost n + ⌊t / every⌋, and the head.

    What is frozen computes as in an evaluation: norms by the running statistics that they came with, no dropout. Its
    weights have no gradient and are not among the trainee's, so that nothing acts on them, and a backward pass ends
    above them.

    Attributes:
        blocks: those that may be frozen, the lowest first; the head is not among them. Empty where all learn always.
        at_first: n, how many of them learn from the beginning.
        every: updates from one thaw to the next; None: they stay frozen.
    """

    blocks: tuple[Block, ...] = ()
    at_first: int = 0
    every: int | None = None

    def frozen(self, step: int) -> tuple[Block, ...]:
        """The blocks that update number `step` leaves alone."""
        learning = self.at_first + (step // self.every if self.every else 0)
        return self.blocks[: max(0, len(self.blocks) - learning)]

    def is_due(self, step: int) -> bool:
        """Whether other blocks learn in this update than in the one before; the first has none before it."""
        return bool(self.blocks) and (step == 0 or self.frozen(step) != self.frozen(step - 1))

    def apply(self, trainee: Trainee, step: int) -> None:
        """Freeze and thaw what update number `step` wants so, whatever was frozen before.

        Args:
            trainee: its weights become those that learn, in the order in which the network lists them.
        """
        frozen = {name for block in self.frozen(step) for name in block}
        for name in {name for block in self.blocks for name in block}:
            child = trainee.network.get_submodule(name)
            child.requires_grad_(name not in frozen).train(name not in frozen)
        trainee.weights.clear()
        trainee.weights.update((name, w) for name, w in trainee.network.named_parameters() if w.requires_grad)

    def series(self, step: int) -> dict[str, float]:
        """What TensorBoard shows of it: how many blocks learn, without the head."""
        return {"start/learning_blocks": float(len(self.blocks) - len(self.frozen(step)))}
