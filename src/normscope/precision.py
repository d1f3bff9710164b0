"""How exactly the arithmetic is done: fp32, tf32 or bf16 in training, plain float32 in probes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision for the forward pass: bfloat16 convolutions and matrix products over float32 weights if
    `precision` is bf16, nothing otherwise."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False)


@contextmanager
def float32_products(kind: str) -> Iterator[None]:
    """Let CUDA compute float32 convolutions and matrix products as "ieee" (24 bits of mantissa) or "tf32" (11).

    PyTorch's own default is tf32 for convolutions and ieee for products, so fp32 has to be asked for. A CPU has only
    ieee. The former setting comes back at the end.
    """
    knobs = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [knob.fp32_precision for knob in knobs]
    try:
        for knob in knobs:
            knob.fp32_precision = kind
        yield
    finally:
        for knob, former in zip(knobs, before, strict=True):
            knob.fp32_precision = former


def training_products(precision: str) -> str:
    """The kind of float32 products that belongs to a training precision."""
    return "ieee" if precision == "fp32" else "tf32"
