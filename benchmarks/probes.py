"""What each probe costs, against its ideal: the passes that its definition needs, at the price of plain PyTorch's.

    python -m benchmarks.probes --data DIR --json benchmarks/results/probes_vgg11_cpu.json

`benchmarks/passes.py` says how many passes each probe needs; they are timed on the same network and batch with nothing
of normscope around them. A probe is timed as on any occasion but its first: alone on its record, its scalars and
histograms brought to the host and written to the files of a run. In every block each probe stands between two of the
passes that it needs, so that a machine that slows down slows both; what is reported is the median of the blocks'
ratios, and their range. The row `record` is what a step costs that is kept for probes, against a plain one. At the end,
the histograms of all layers against those of PyTorch's SummaryWriter.

DIR holds class folders, train/<class>/* and test/<class>/*; without --data the built-in sample is taken.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch

from benchmarks.histograms import histograms
from benchmarks.passes import IDEALS, KINDS, NOT_OF_PASSES, Passes, Work, accounted_for, plain_passes, timed
from normscope.assemble import assemble
from normscope.composed import composed
from normscope.measurement import Measurement, Probe
from normscope.precision import float32_products
from normscope.record import StepRecord
from normscope.runs.summary import environment
from normscope.runs.writer import RunWriter
from normscope.training.allocator import keep_freed_memory
from normscope.training.probing import recorded
from normscope.training.recording import write_measurement
from normscope.training.run import Job
from normscope.training.step import training_step


@dataclass(frozen=True)
class Row:
    """What is timed.

    Attributes:
        work: does it once.
        ideal: what the work returned -> the passes that it should have cost.
        kinds: of those passes.
    """

    work: Work
    ideal: Callable[[Any], Passes]
    kinds: tuple[str, ...]


def job_of(args: argparse.Namespace, probes: Sequence[str]) -> Job:
    """The job that `normscope` would run, with these probes."""
    data = ["dataset=folder", f"dataset.root={args.data}"] if args.data else ["dataset=sample"]
    width = [] if args.width == 1 else [f"model.width={args.width}"]
    settings = [f"batch_size={args.batch}", f"device={args.device}", f"probe=[{','.join(probes)}]"]
    return assemble(*composed([f"model={args.model}", f"model/norm={args.norm}", *width, *data, *settings]))


def record_of(job: Job, probes: Sequence[Probe] = ()) -> StepRecord:
    """The record of a step on the first images, taken by the job."""
    size = job.config["batch_size"]
    batch = job.training.images[:size], job.training.labels[:size]
    return recorded(training_step, job.trainee, batch, job.probing, probes, step=0, lr=job.plan.lr(0))[1]


def rows_of(job: Job, first: StepRecord, writer: RunWriter) -> dict[str, Row]:
    """An occasion of each probe that the network does not refuse, after a first one that it may look back at."""
    rows = {"record": Row(lambda: record_of(job), lambda _: {"step": 1}, ("step",))}
    steps = count()
    for probe in job.probing.probes:
        ideal = partial(IDEALS[probe.name], job.config["probe"][probe.name])
        try:
            before = probe.measure(replace(first, reads=probe.reads))
        except ValueError as error:
            print(f"{probe.name} is left out: {error}")
            continue

        def occasion(probe: Probe = probe, kept: Mapping[str, torch.Tensor] = before.kept) -> Measurement:
            record = replace(first, step=first.step + 1, reads=probe.reads, earlier=kept)  # with nothing computed yet
            found = probe.measure(record)
            write_measurement(writer, next(steps), found)
            return found

        rows[probe.name] = Row(occasion, ideal, tuple(ideal(before)))
    return rows


def measure(plain: Mapping[str, Work], rows: Mapping[str, Row], device: torch.device, blocks: int) -> dict[str, Any]:
    """Seconds by block: of each kind of pass, and of each row and its ideal."""
    needed = [kind for kind in KINDS if kind == "gradient" or any(kind in row.kinds for row in rows.values())]
    for kind in needed:
        plain[kind]()  # warm-up: allocations, kernel choices
    by_kind: dict[str, list[float]] = {kind: [] for kind in needed}
    by_row: dict[str, Any] = {name: {"passes": {}, "ideal": [], "seconds": []} for name in rows}
    for _ in range(blocks):
        by_kind["gradient"].append(timed(plain["gradient"], device)[0])
        for name, row in rows.items():
            before = {kind: timed(plain[kind], device)[0] for kind in row.kinds}
            seconds, found = timed(row.work, device)
            after = {kind: timed(plain[kind], device)[0] for kind in row.kinds}
            passes = row.ideal(found)
            by_row[name]["passes"] = passes
            by_row[name]["seconds"].append(seconds)
            by_row[name]["ideal"].append(sum(n * (before[kind] + after[kind]) / 2 for kind, n in passes.items()))
            for kind in row.kinds:
                by_kind[kind] += [before[kind], after[kind]]
    return {"passes": by_kind, "probes": by_row}


def report(found: Mapping[str, Any]) -> None:
    """Print the figures."""
    for kind, seconds in found["passes"].items():
        middle, low, high = statistics.median(seconds), min(seconds), max(seconds)
        print(f"{kind:10} {1e3 * middle:9.1f} ms ({1e3 * low:.1f}-{1e3 * high:.1f})  {KINDS[kind]}")
    print(f"\n{'probe':20} {'passes':24} {'ideal':>10} {'measured':>12} {'x ideal':>8}  range")
    for name, row in found["probes"].items():
        ideal, measured = (1e3 * statistics.median(row[key]) for key in ("ideal", "seconds"))
        passes = " + ".join(f"{n:g} {kind}" for kind, n in row["passes"].items()) or "none"
        line = f"{name:20} {passes:24} {ideal:7.1f} ms {measured:9.1f} ms"
        if ideal > 0:
            ratios = [one / other for one, other in zip(row["seconds"], row["ideal"], strict=True)]
            line += f" {statistics.median(ratios):8.3f}  {min(ratios):.3f}-{max(ratios):.3f}"
        print(line)
    for name, made_of in NOT_OF_PASSES.items():
        print(f"{name:20} {made_of}")
    ours = statistics.median(found["histograms"].get("normscope", [0.0]))
    for name, seconds in found["histograms"].items():
        middle = statistics.median(seconds)
        print(f"histograms, {name:28} {1e3 * middle:9.1f} ms {middle / ours:8.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="class folders of real images")
    parser.add_argument("--model", default="vgg11")
    parser.add_argument("--norm", default="batch")
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--probes", nargs="+", help="by name; all of them otherwise")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--json", help="write the figures to this file")
    args = parser.parse_args()
    names = accounted_for()
    unknown = [name for name in args.probes or () if name not in names]
    if unknown:
        parser.error(f"no probe {unknown[0]!r}; there are {', '.join(names)}")

    keep_freed_memory()
    torch.backends.cudnn.benchmark = True
    job = job_of(args, [name for name in args.probes or names if name not in NOT_OF_PASSES])
    where = torch.cuda.get_device_name() if job.device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    network = f"{args.model}, norm {args.norm}, width {args.width:g}"
    print(f"{network}, batch {args.batch}, {where}, PyTorch {torch.__version__}")
    with tempfile.TemporaryDirectory() as scratch, float32_products("ieee"):
        folder = Path(scratch)
        record_of(job)  # a first step, so that the optimizer has its state
        first = record_of(job)
        plain = plain_passes(job, first.images, first.targets)
        with RunWriter(folder / "probes") as writer:
            found = measure(plain, rows_of(job, first, writer), job.device, args.blocks)
        has_activations = any(probe.name == "activations" for probe in job.probing.probes)
        found["histograms"] = histograms(job, first, folder, args.blocks) if has_activations else {}
    report(found)
    if args.json:
        circumstances = {"config": vars(args), "device": where, "blocks": args.blocks, **environment()}
        Path(args.json).write_text(json.dumps(circumstances | found))


if __name__ == "__main__":
    main()
