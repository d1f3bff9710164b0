"""Images per second of normscope's training step against a plain PyTorch loop.

    python benchmarks/throughput.py --data DIR --model vgg11 --blocks 5 --steps 10

Each arm lives in a process of its own and the arms take turns, block by block, so that a machine that slows down slows
all of them; what is reported is the median block of each arm and the range. The arms, all with the same network, batch
128, SGD with momentum, crop and flip, real images:

    plain       what most tutorials do: torchvision's PIL transforms in a DataLoader with 2 workers, float32, `.item()`
    fp32, bf16  normscope's step as `normscope` runs it
    bare fp32, bare bf16   forward, backward and optimizer on one batch that is ready: what is left without data
    probed      normscope's step (in --precision) with the default probes, to say which share of a run they take

DIR holds class folders, train/<class>/* and test/<class>/*.
"""

import argparse
import importlib.util
import json
import multiprocessing
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import torch

BATCH = 128


def job_of(model: str, data: str, precision: str, *extra: str) -> Any:
    """The job that `normscope` would run."""
    from normscope.assemble import assemble
    from normscope.composed import composed
    from normscope.training.allocator import keep_freed_memory

    keep_freed_memory()
    overrides = ["optimizer=momentum", "regularizer=[crop_flip]", f"dataset.root={data}", f"precision={precision}"]
    config, choices = composed([f"model={model}", "dataset=folder", f"batch_size={BATCH}", *overrides, *extra])
    return assemble(config, choices)


def ours(model: str, data: str, precision: str) -> Iterator[None]:
    """normscope's step with its data."""
    from normscope.precision import float32_products, training_products
    from normscope.training.capture import step_taker

    torch.backends.cudnn.benchmark = True
    job = job_of(model, data, precision)
    take_step = step_taker(job.device, job.trainee.optimizer)
    with float32_products(training_products(precision)):
        while True:
            take_step(job.trainee, *job.training.batch(job.batches.next()))
            yield


def bare(model: str, data: str, precision: str) -> Iterator[None]:
    """The same network and optimizer on one batch that is ready."""
    from normscope.precision import autocast, float32_products, training_products

    job = job_of(model, data, precision)
    network, optimizer = job.trainee.network, job.trainee.optimizer
    images = job.trainee.preprocess(job.training.images[:BATCH].float() / 255)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = job.training.labels[:BATCH]
    with float32_products(training_products(precision)):
        while True:
            optimizer.zero_grad()
            with autocast(job.device, precision):
                logits = network(images)
            torch.nn.functional.cross_entropy(logits.float(), labels).backward()
            optimizer.step()
            yield


def probed(model: str, data: str, precision: str) -> Iterator[None]:
    """The measurements of one probed step, without the step."""
    from normscope.training.probing import recorded
    from normscope.training.step import training_step

    job = job_of(model, data, precision)
    batch, probes = (job.training.images[:BATCH], job.training.labels[:BATCH]), job.probing.probes
    _, first = recorded(training_step, job.trainee, batch, job.probing, probes, step=0, lr=job.plan.lr(0))
    while True:
        record = replace(first)  # knows nothing that was computed for the one before
        for probe in probes:
            found = probe.measure(record)
            if found.scalars:
                torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in found.scalars.values()]).tolist()
        yield


def plain(model: str, data: str, precision: str) -> Iterator[None]:
    """The loop of the tutorials."""
    torchvision = import_torchvision()
    from normscope import tasks
    from normscope.composed import composed
    from normscope.parts import build_network, load_dataset, regularizers

    config, _ = composed([f"model={model}", "dataset=folder", f"dataset.root={data}"])
    read = load_dataset(config)
    network = build_network(config, read, tasks.labels(read), regularizers({}))
    transforms = torchvision.transforms
    steps = [transforms.RandomCrop(32, 4), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    normalise = transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
    dataset = InMemory(read.train, transforms.Compose([*steps, normalise]))
    loader: Any = torch.utils.data.DataLoader(
        dataset, BATCH, shuffle=True, num_workers=2, drop_last=True, multiprocessing_context="fork"
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    criterion = torch.nn.CrossEntropyLoss()
    running = 0.0
    while True:
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
            yield


class InMemory(torch.utils.data.Dataset[Any]):
    """As torchvision.datasets.CIFAR10: arrays in memory, one PIL image at a time through the transforms."""

    def __init__(self, split: Any, transform: Callable[[Any], Any]) -> None:
        self.images = split.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = split.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def import_torchvision() -> Any:
    """torchvision with its transforms. A CUDA build of it does not find its compiled operators beside a CPU build of
    PyTorch and refuses to be imported until they have at least been declared; the transforms need none."""
    try:
        import torchvision
    except RuntimeError:
        for operator in ("nms", "qnms"):
            torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")
        import torchvision
    import torchvision.transforms

    return torchvision


ARMS: dict[str, tuple[Callable[..., Iterator[None]], str]] = {
    "plain": (plain, "fp32"),
    "fp32": (ours, "fp32"),
    "bf16": (ours, "bf16"),
    "bare fp32": (bare, "fp32"),
    "bare bf16": (bare, "bf16"),
    "probed fp32": (probed, "fp32"),
}


def serve(connection: Connection, arm: str, model: str, data: str) -> None:
    """In a process of its own: take as many steps as asked for, answer with the seconds."""
    make, precision = ARMS[arm]
    steps = make(model, data, precision)
    while True:
        count = connection.recv()
        began = time.perf_counter()
        for _ in range(count):
            next(steps)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        connection.send(time.perf_counter() - began)


def measure(model: str, data: str, arms: list[str], *, blocks: int, steps: int) -> dict[str, list[float]]:
    """Seconds per step of each block, by arm; the arms take turns."""
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    processes = []
    for arm in arms:
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(there, arm, model, data))  # not a daemon: `plain` has workers
        process.start()
        there.close()  # so that a process that dies is an EOFError here, not silence
        processes.append(process)
        pipes[arm] = here
        here.send(3)  # warm-up: allocations, kernel choices, on a GPU the eager steps before the capture
        here.recv()
    seconds: dict[str, list[float]] = {arm: [] for arm in arms}
    for _ in range(blocks):
        for arm, pipe in pipes.items():
            count = 1 if arm.startswith("probed") else steps
            pipe.send(count)
            seconds[arm].append(pipe.recv() / count)
    for process in processes:
        process.terminate()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="class folders of real images")
    parser.add_argument("--model", default="vgg11")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="per block")
    parser.add_argument("--json", help="write the figures to this file")
    args = parser.parse_args()
    if "plain" in args.arms and importlib.util.find_spec("torchvision") is None:
        parser.error("the arm plain needs torchvision: pip install torchvision; or leave it out: --arms fp32 bf16")

    seconds = measure(args.model, args.data, args.arms, blocks=args.blocks, steps=args.steps)
    rates = {arm: sorted(BATCH / s for s in blocks) for arm, blocks in seconds.items()}
    median = {arm: statistics.median(blocks) for arm, blocks in rates.items()}
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    print(f"{args.model} with BatchNorm, batch {BATCH}, {where}, PyTorch {torch.__version__}, {platform.machine()}")
    print(f"{'arm':12} {'images/s':>9} {'range':>15} {'x plain':>8}")
    for arm, blocks in rates.items():
        ratio = f"{median[arm] / median['plain']:8.2f}" if "plain" in median else ""
        print(f"{arm:12} {median[arm]:9.0f} {blocks[0]:7.0f}-{blocks[-1]:<7.0f} {ratio}")
    for precision in ("fp32", "bf16"):
        if {"probed fp32", precision} <= set(seconds):
            probes, step = (statistics.median(seconds[arm]) for arm in ("probed fp32", precision))
            print(f"probes every 100 steps take {100 * probes / (probes + 100 * step):.1f} % of a {precision} run")
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"model": args.model, "device": where, "torch": torch.__version__, "seconds": seconds}, file)


if __name__ == "__main__":
    main()
