"""What a run writes is what TensorBoard serves, and series.csv says the same."""

import errno
import math
import os

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import (
    STORE_EVERYTHING_SIZE_GUIDANCE,
    EventAccumulator,
)

from normscope.errors import UsageError
from normscope.runs.events import event_files
from normscope.runs.reader import Run
from normscope.runs.writer import RunWriter

EDGES, COUNTS = [-1.0, 0.0, 2.0, 3.0], [4, 0, 1]


def write_run(folder, seed=0):
    writer = RunWriter(folder)
    writer.text("config", "| lr | 0.1 |")
    writer.hparams({"seed": seed, "optimizer.lr": 0.1})
    writer.bands({"loss": ("band/base", "band/min", "band/max"), "gradient": ("g/base", "g/min", "g/max")})
    for step in range(5):
        writer.scalars(step, {"train/loss": 1 / (step + 3), "train/lr": 0.1})
        writer.scalars(step, {"band/base": 1.0, "band/min": 0.5, "band/max": 2.0})
    writer.histogram(2, "activations/layer1", EDGES, COUNTS, total=-1.5, total_squares=7.25)
    writer.histogram(4, "activations/layer1", np.array(EDGES), np.array(COUNTS), total=-1.5, total_squares=7.25)
    writer.scalars(5, {"test/accuracy": 0.25 + seed})
    writer.close("finished")
    return folder


def series_of(folder):
    run = Run(folder, {}, {}, {})
    return {name: list(zip(*(column.tolist() for column in run.series(name)), strict=True)) for name in run.names()}


def test_two_runs_side_by_side_are_two_runs(tmp_path, tensorboard):
    for seed in (0, 1):
        write_run(tmp_path / f"vgg11-seed{seed}", seed)
    page = tensorboard(tmp_path)
    assert page.runs() == ["vgg11-seed0", "vgg11-seed1"]
    assert page.scalars("vgg11-seed1", "test/accuracy") == [(5, 1.25)]
    page = tensorboard(tmp_path, fast_until=lambda page: len(page.runs()) == 2)
    assert page.runs() == ["vgg11-seed0", "vgg11-seed1"]


def test_series_says_what_tensorboard_says_in_full_precision(tmp_path, tensorboard):
    series = series_of(write_run(tmp_path / "run"))
    page = tensorboard(tmp_path)
    assert set(page.get("plugin/scalars/tags")["run"]) == set(series)
    for name, points in series.items():
        assert page.scalars("run", name) == [(step, float(np.float32(value))) for step, value in points]
    assert series["train/loss"][2] == (2, 1 / 5)


def test_floats_that_have_no_short_form_are_kept(tmp_path, tensorboard):
    values = [0.1 + 0.2, 5e-324, 1e300, -math.inf, math.nan, 3]
    with RunWriter(tmp_path / "run") as writer:
        for step, value in enumerate(values):
            writer.scalars(step, {"x": value})
    kept = [value for _, value in series_of(tmp_path / "run")["x"]]
    assert kept[:4] + kept[5:] == values[:4] + values[5:]
    assert math.isnan(kept[4])
    served = [value for _, value in tensorboard(tmp_path).scalars("run", "x")]
    assert served == [float(np.float32(0.1 + 0.2)), 0.0, "Infinity", "-Infinity", "NaN", 3.0]


def test_histogram_is_served_between_its_edges(tmp_path, tensorboard):
    write_run(tmp_path / "run")
    buckets = [[-1.0, 0.0, 4.0], [0.0, 2.0, 0.0], [2.0, 3.0, 1.0]]
    assert tensorboard(tmp_path).histograms("run", "activations/layer1") == [(2, buckets), (4, buckets)]
    events = EventAccumulator(str(tmp_path / "run"), STORE_EVERYTHING_SIZE_GUIDANCE).Reload()
    served = events.Histograms("activations/layer1")[0].histogram_value
    assert (served.min, served.max, served.num, served.sum, served.sum_squares) == (-1.0, 3.0, 5.0, -1.5, 7.25)


def test_bands_are_one_layout_with_exact_names(tmp_path, tensorboard):
    write_run(tmp_path / "run")
    layout = tensorboard(tmp_path).get("plugin/custom_scalars/layout")
    assert [category["title"] for category in layout["category"]] == ["bands"]
    charts = {chart["title"]: chart["margin"]["series"] for chart in layout["category"][0]["chart"]}
    assert charts["loss"] == [{"value": "band/base", "lower": "band/min", "upper": "band/max"}]
    assert charts.keys() == {"loss", "gradient"}


def test_config_is_a_text_card(tmp_path, tensorboard):
    write_run(tmp_path / "run")
    (card,) = tensorboard(tmp_path).get("plugin/text/text", run="run", tag="config/text_summary")
    assert "| lr | 0.1 |" in card["text"]


def test_flush_shows_everything_to_a_page_that_is_open(tmp_path, tensorboard):
    writer = RunWriter(tmp_path / "run")
    for step in range(3):
        writer.scalars(step, {"a": float(step)})
    writer.flush()
    assert (
        tensorboard(tmp_path).scalars("run", "a") == series_of(tmp_path / "run")["a"] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    )
    writer.close("finished")


def test_numbers_become_visible_without_a_checkpoint(tmp_path, tensorboard, monkeypatch):
    writer = RunWriter(tmp_path / "run")
    writer.scalars(0, {"a": 1.0})
    assert series_of(tmp_path / "run") == {}
    monkeypatch.setattr("normscope.runs.writer.SECONDS_UNSEEN", 0.0)
    writer.scalars(1, {"a": 2.0})
    assert tensorboard(tmp_path).scalars("run", "a") == series_of(tmp_path / "run")["a"] == [(0, 1.0), (1, 2.0)]
    writer.close("finished")


def test_a_step_is_written_once_and_in_order(tmp_path):
    with RunWriter(tmp_path / "run") as writer:
        writer.scalars(3, {"a": 1.0})
        for step in (3, 2):
            with pytest.raises(ValueError, match=f"a: step {step} does not come after 3; write each step once"):
                writer.scalars(step, {"a": 1.0})
        writer.scalars(3, {"b": 1.0})
        with pytest.raises(ValueError, match="b: step 3"):
            writer.histogram(3, "b", EDGES, COUNTS, 0.0, 0.0)
        with pytest.raises(ValueError, match="c: step -1 does not come after -1"):
            writer.scalars(-1, {"c": 1.0})


def test_names_and_shapes_that_cannot_be_kept_are_refused(tmp_path):
    with RunWriter(tmp_path / "run") as writer:
        for name in ("a,b", "a\nb"):
            with pytest.raises(ValueError, match="cannot name a series"):
                writer.scalars(0, {name: 1.0})
        with pytest.raises(ValueError, match="x: 3 edges for 3 counts; give 4 edges"):
            writer.histogram(0, "x", EDGES[1:], COUNTS, 0.0, 0.0)
        writer.bands({"a": ("b", "c", "d")})
        with pytest.raises(ValueError, match="written already"):
            writer.bands({"b": ("b", "c", "d")})
        with pytest.raises(ValueError, match=r"'done'.*finished, diverged, failed, interrupted"):
            writer.close("done")


def test_full_disk_is_one_message_and_the_first_error_wins(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = RunWriter(tmp_path / "run")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="run cannot be written: No space left on device; make room"):
        writer.flush()
    with pytest.raises(ZeroDivisionError), writer:
        raise ZeroDivisionError


def test_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/run cannot be written: Not a directory"):
        RunWriter(tmp_path / "file/run")


def test_one_event_file_a_process(tmp_path):
    assert len(event_files(write_run(tmp_path / "run"))) == 1
    assert sorted(os.listdir(tmp_path / "run")) == [event_files(tmp_path / "run")[0].name, "series.csv"]
