"""Runs whose outcome is known, written into folders as training leaves them behind."""

import json
import math
from pathlib import Path

import numpy as np
import yaml

EXPERIMENT = "seminar/bn_vs_no_bn"
LEARNING = {"none": lambda step: 2.303 + 0 * step, "batch": lambda step: 1 + 1.3 * np.exp(-step / 60)}
SCORES = {"none": lambda step: 0.1 + 0 * step, "batch": lambda step: 0.6 - 0.5 * np.exp(-step / 60)}


def fabricate(
    root,
    norm,
    seed,
    *,
    loss=None,
    accuracy=None,
    status="finished",
    steps=400,
    name="",
    choices=None,
    bands=None,
    series=None,
    experiment=EXPERIMENT,
    **config,
):
    """Write a run; returns its folder.

    Args:
        loss, accuracy: step -> value, on arrays; by default BatchNorm learns and its absence does not.
        status: how it ended; where it is not finished, it stopped half way.
        bands: {"loss_landscape": (min, max), ...}; constant over the steps.
        series: {name: step -> value} of further series, at every 25th step.
        choices, config: what differs from the usual ones.
    """
    reached = steps if status == "finished" else steps // 2
    full = usual_config(norm, seed, steps) | config
    chosen = usual_choices(norm, experiment) | (choices or {})
    logged, scored = np.arange(0, reached, 5), np.arange(0, reached + 1, 25)
    rows = list(zip(logged, ["train/loss"] * len(logged), (loss or LEARNING[norm])(logged), strict=True))
    rows += list(zip(scored, ["test/accuracy"] * len(scored), (accuracy or SCORES[norm])(scored), strict=True))
    for band, edges in (bands or {}).items():
        rows += [
            (step, f"{band}/{edge}", value)
            for step in scored
            for edge, value in zip(("min", "max"), edges, strict=True)
        ]
    for name_of, values in (series or {}).items():
        rows += [(step, name_of, value) for step, value in zip(scored, values(scored), strict=True)]
    folder = Path(root) / (experiment or "single") / (name or f"{chosen['model']}-{norm}-{chosen['scale']}-seed{seed}")
    folder.mkdir(parents=True)
    text = "".join(f"{step},{name},{float(value)!r}\n" for step, name, value in rows)
    (folder / "series.csv").write_text("step,name,value\n" + text)
    (folder / "config.yaml").write_text(yaml.safe_dump(full | {"choices": chosen}))
    reason = "" if status == "finished" else "train/loss is nan" if status == "diverged" else "stopped"
    summary = {"status": status, "reason": reason, "step": reached, "seed": seed, "metrics": {}, "git_commit": "0" * 40}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def usual_config(norm, seed, steps):
    """What the runs of the experiment have in common."""
    return {
        "seed": seed,
        "device": "cpu",
        "outputs": "outputs",
        "batch_size": 128,
        "epochs": 50,
        "steps": steps,
        "model": {"width": 0.25, "norm": {"eps": 1e-5} if norm == "batch" else None},
        "optimizer": {"lr": 0.01},
        "dataset": {"train_size": 10000},
    }


def usual_choices(norm, experiment=EXPERIMENT):
    """The options behind that config."""
    return {
        "model": "vgg11",
        "model/norm": norm,
        "init": "default",
        "optimizer": "momentum",
        "dataset": "sample",
        "experiment": experiment,
        "scale": "laptop",
    }


def arms(root, seeds, none=None, batch=None, **how):
    """Runs of both arms; none and batch hold what is special to each."""
    for seed in seeds:
        fabricate(root, "none", seed, **how, **(none or {}))
        fabricate(root, "batch", seed, **how, **(batch or {}))


def add_histograms(folder, edges, counts, steps=(0, 100, 200, 300), layers=("layer2", "layer8")):
    """Give a run activation histograms, the same at every step, through TensorBoard's file."""
    from normscope.runs.writer import RunWriter

    series = (folder / "series.csv").read_bytes()
    with RunWriter(folder) as writer:
        for step in steps:
            for layer in layers:
                writer.histogram(step, f"activations/{layer}", edges, counts, total=math.nan, total_squares=math.nan)
    (folder / "series.csv").write_bytes(series)
