"""The passes that probes are made of: how many each probe needs, and how long they take in plain PyTorch."""

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from normscope.measurement import Measurement
from normscope.places import CONFIGS
from normscope.training.run import Job
from normscope.training.step import training_step

KINDS = {
    "forward": "the loss, without a graph",
    "gradient": "the loss and its gradient with respect to all weights",
    "graph": "the same with the gradient's own graph, from which Hessian-vector products are made",
    "product": "one Hessian-vector product from that graph",
    "step": "a whole training step",
}
Passes = Mapping[str, float]  # kind -> how many
Options = Mapping[str, Any]
Ideal = Callable[[Options, Measurement], Passes]  # of a probe's options and of what it found
Work = Callable[[], Any]


def always(**passes: float) -> Ideal:
    """An ideal that depends on nothing."""
    return lambda options, found: passes


def of_covariate_shift(options: Options, found: Measurement) -> Passes:
    """A gradient for each layer; it goes down to that layer only, so that the ideal is generous."""
    return {"gradient": sum(name.endswith("/l2") for name in found.scalars)}


def of_eigenvalues(options: Options, found: Measurement) -> Passes:
    """As many products as were made until the residuals were small."""
    return {"graph": 1, "product": float(found.scalars["curvature/products"])}


def of_theorem_4_2(options: Options, found: Measurement) -> Passes:
    """Three products for each unit; they pass what follows the unit's layer only, so that the ideal is generous."""
    layers = sum(name.endswith("/gap_4_2") for name in found.scalars)
    return {"graph": 1, "product": 3 * options["units"] * layers}


IDEALS: dict[str, Ideal] = {  # probe -> the passes that its definition needs beside ∇L(θ), which is the step's own
    "activation_distance": always(forward=1),
    "activations": always(forward=1),
    "along_gradient": lambda options, found: {"gradient": len(options["step_sizes"])},
    "batch_sharpness": always(graph=1, product=1),
    "covariate_shift": of_covariate_shift,
    "eigenvalues": of_eigenvalues,
    "equal_distance": lambda options, found: {"gradient": len(options["radii"])},
    "evaluation_mode": always(forward=1),
    "hessian_trace": lambda options, found: {"graph": 1, "product": options["vectors"]},
    "moments": always(forward=1),
    "norm_scales": always(),
    "percentiles": always(forward=1),
    "propagation": always(gradient=1),
    "reduction": always(gradient=1),
    "rounding": always(gradient=1),
    "scale_invariance": always(gradient=1),
    "spectrum": lambda options, found: {"graph": 1, "product": options["vectors"] * options["products"]},
    "theorem_4_2": of_theorem_4_2,
    "units": always(forward=1),
    "weight_gradients": always(),
    "weights": always(),
}
NOT_OF_PASSES = {  # probe -> what its cost is made of instead; it is not measured
    "jacobian": "a backward pass through a single layer for each of its units, and singular values",
    "slopes": "a few numbers, of a network with PReLU only",
}


def accounted_for() -> list[str]:
    """The names of all probes under configs/probe, or the end of the program if one is in neither table."""
    names = sorted(path.stem for path in (CONFIGS / "probe").glob("*.yaml"))
    missing = [name for name in names if name not in {*IDEALS, *NOT_OF_PASSES}]
    if missing:
        raise SystemExit(
            f"no ideal for {', '.join(missing)}: say in IDEALS of benchmarks/passes.py how many passes the definition "
            "needs, or in NOT_OF_PASSES what the cost is made of"
        )
    return names


def timed(work: Work, device: torch.device) -> tuple[float, Any]:
    """Seconds that the work takes, the device's part included, and what it returns."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began, result


def plain_passes(job: Job, images: Tensor, targets: Tensor) -> dict[str, Work]:
    """One pass of each kind on a copy of the job's network, and a step of the job itself.

    The graph that products are made from is built at the first of them, and kept.

    Args:
        images, targets: (N, C, H, W) and (N, K), as the network and the loss see them.
    """
    network = copy.deepcopy(job.trainee.network)
    parameters = list(network.parameters())
    vector = [torch.randn_like(parameter) for parameter in parameters]
    batch = job.training.images[: len(images)], job.training.labels[: len(images)]
    graph: list[tuple[Tensor, ...]] = []

    def forward() -> Tensor:
        with torch.no_grad():
            return nn.functional.cross_entropy(network(images), targets)

    def gradient() -> None:
        network.zero_grad()
        nn.functional.cross_entropy(network(images), targets).backward()

    def with_graph() -> tuple[Tensor, ...]:
        loss = nn.functional.cross_entropy(network(images), targets)
        return torch.autograd.grad(loss, parameters, create_graph=True)

    def product() -> None:
        if not graph:
            graph.append(with_graph())
        torch.autograd.grad(graph[0], parameters, vector, retain_graph=True, materialize_grads=True)

    def step() -> None:
        training_step(job.trainee, *batch)

    return {"forward": forward, "gradient": gradient, "graph": with_graph, "product": product, "step": step}
