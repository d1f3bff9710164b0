"""What the network that would be deployed makes of the batch that it is trained on."""

import torch
from torch.func import functional_call

from normscope.measurement import Measurement
from normscope.record import StepRecord


def evaluation_mode(record: StepRecord) -> Measurement:
    """How many answers on the step's batch are right in evaluation mode, before the update.

    `train/accuracy` is of the network as it trains: with the units that dropout has left, and normalised by the batch.
    A gap to the test accuracy holds that difference too. Here BatchNorm uses its running statistics and dropout does
    nothing, as on the test set (Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1; Srivastava et al. 2014, JMLR 15,
    section 4). The mean over the batches of an epoch is the accuracy on the training set, but for the updates between.

    One forward pass.

    Args:
        record: one training step of a classifier; of mixed targets (N, K) the largest counts.
    Returns:
        scalar `evaluation_mode/accuracy`, a share.
    """
    modes = {module: module.training for module in record.network.modules()}
    try:
        record.network.eval()
        with torch.no_grad(), record.as_in_the_step():
            logits = functional_call(record.network, {**record.weights, **record.buffers}, (record.images,))
    finally:
        for module, mode in modes.items():
            module.training = mode
    right = logits.argmax(1) == record.targets.argmax(1)
    return Measurement({"evaluation_mode/accuracy": right.double().mean()})
