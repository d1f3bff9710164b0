"""DropConnect: a fully connected layer that loses some of its connections at every training step."""

from torch import Tensor, nn
from torch.nn import functional as F


class DropConnect(nn.Linear):
    """y = (M ∘ W) x + m ∘ b in training, with M and m 1/(1 − p) with probability 1 − p and else 0; y = W x + b in
    evaluation.

        E y = W x + b

    Wan et al. 2013, ICML, section 3. The masks are drawn from PyTorch's generator of the device.

    Deviation: every fully connected layer of the model is one, the classifier too, which the paper leaves whole; in a
    network without hidden ones (ResNets, VGG with a linear head) it is the only one. Deviation: one mask for the batch,
    where the paper draws one for each image, so that the layer stays one product of matrices. Deviation: in evaluation
    the mean weights, as in dropout, where the paper samples the pre-activations from a normal distribution with the
    moments that the masks give them: evaluation is deterministic here.

    Args:
        in_features, out_features: (N, in) -> (N, out).
        bias: whether there is a b.
        p: probability that a weight is dropped, in [0, 1).
    Raises:
        ValueError: if p is outside [0, 1).
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool, p: float) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"regularizer.drop_connect: p ({p}) must lie within [0, 1)")
        super().__init__(in_features, out_features, bias)
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""
        weight = F.dropout(self.weight, self.p, self.training)
        bias = None if self.bias is None else F.dropout(self.bias, self.p, self.training)
        return F.linear(inputs, weight, bias)
