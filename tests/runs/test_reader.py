"""The report finds the runs and reads what they wrote."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import (
    STORE_EVERYTHING_SIZE_GUIDANCE,
    EventAccumulator,
)

from normscope.errors import UsageError
from normscope.runs.reader import Run, find_runs, read_run
from normscope.runs.summary import write_config, write_summary
from normscope.runs.writer import RunWriter
from tests.fabricated import fabricate


def write_run(folder, *, seed=0, experiment=None, scale=None, status="finished"):
    folder.mkdir(parents=True)
    write_config(folder, {"seed": seed}, {"model/norm": "batch", "experiment": experiment, "scale": scale})
    write_summary(folder, {"status": status, "metrics": {}})
    with RunWriter(folder) as writer:
        writer.scalars(0, {"b": 0.5, "a": 1.0})
        writer.scalars(2, {"a": 0.1 + 0.2})
    return folder


@pytest.fixture
def outputs(tmp_path):
    write_run(tmp_path / "seminar/bn/x-seed1", seed=1, experiment="seminar/bn", scale="laptop")
    write_run(tmp_path / "seminar/bn/x-seed0", seed=0, experiment="seminar/bn", status="diverged")
    write_run(tmp_path / "single/y")
    return tmp_path


def test_runs_are_found_at_any_depth_in_order(outputs):
    assert [run.folder.name for run in find_runs(outputs)] == ["x-seed0", "x-seed1", "y"]
    assert [run.folder.name for run in find_runs(outputs, "seminar/bn")] == ["x-seed0", "x-seed1"]
    assert [run.folder.name for run in find_runs(outputs, "seminar")] == ["x-seed0", "x-seed1"]  # a/b of a
    assert find_runs(outputs, "semi") == find_runs(outputs / "missing") == []


def test_run_knows_what_was_chosen_and_how_it_ended(outputs):
    first, second = find_runs(outputs, "seminar/bn")
    assert (first.seed, first.status, first.scale) == (0, "diverged", "paper")
    assert (second.seed, second.status, second.scale) == (1, "finished", "laptop")
    assert second.config == {"seed": 1}
    assert second.choices["model/norm"] == "batch"


def test_series_are_arrays_and_absent_ones_are_empty(outputs):
    run = find_runs(outputs)[0]
    steps, values = run.series("a")
    assert (steps.dtype, steps.tolist(), values.tolist()) == (np.int64, [0, 2], [1.0, 0.1 + 0.2])
    assert [column.shape for column in run.series("nothing")] == [(0,), (0,)]
    assert run.names() == ["a", "b"]
    assert run.series("a") is run.series("a")  # parsed once


def test_run_that_never_wrote_a_number_has_no_series(tmp_path):
    assert Run(tmp_path, {}, {}, {}).names() == []


def test_row_that_is_being_written_is_not_read(outputs):
    path = outputs / "single/y/series.csv"
    path.write_text(path.read_text() + "3,a,0.")
    assert find_runs(outputs)[-1].series("a")[0].tolist() == [0, 2]


@pytest.mark.parametrize("row", ["3,a", "x,a,1.0", "3,a,b", "", "3,a,1.0,2.0"])
def test_damaged_row_is_named(outputs, row):
    path = outputs / "single/y/series.csv"
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(UsageError, match=r"y/series\.csv, line 5: "):
        find_runs(outputs)[-1].series("a")


def test_foreign_table_is_refused(outputs):
    (outputs / "single/y/series.csv").write_text("time,loss\n1,2\n")
    with pytest.raises(UsageError, match="does not begin with step,name,value"):
        find_runs(outputs)[-1].names()


def test_histograms_are_those_of_tensorboards_own_reader(tmp_path):
    edges, counts = np.linspace(-1, 1, 9), np.arange(8.0)
    for start in (0, 5):  # two processes, two event files
        with RunWriter(tmp_path, start) as writer:
            for step in range(start, start + 5):
                writer.scalars(step, {"a": 1.0})
                writer.histogram(step, "activations/layer1", edges * (step + 1), counts + step, 0.0, 1.0)
    found = Run(tmp_path, {}, {}, {}).histograms("activations/layer1")
    accumulator = EventAccumulator(str(tmp_path), STORE_EVERYTHING_SIZE_GUIDANCE).Reload()
    for (step, its_edges, its_counts), event in zip(found, accumulator.Histograms("activations/layer1"), strict=True):
        assert step == event.step
        assert its_edges.tolist() == (edges * (step + 1)).tolist() == list(event.histogram_value.bucket_limit)
        assert its_counts.tolist() == (counts + step).tolist() == list(event.histogram_value.bucket)[1:]
    assert Run(tmp_path, {}, {}, {}).histograms("a") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "a: [1"),
        ("config.yaml", "a: 1"),
        ("config.yaml", "\x00"),
        ("config.yaml", "choices: 3"),
        ("summary.json", "{"),
        ("summary.json", "[]"),
    ],
)
def test_broken_run_is_left_out_with_a_warning_that_names_it(outputs, name, content):
    (outputs / "single/y" / name).write_text(content)
    with pytest.warns(UserWarning, match=r"left out .*single/y: .*" + name):
        runs = find_runs(outputs)
    assert [run.folder.name for run in runs] == ["x-seed0", "x-seed1"]


def test_run_without_a_summary_is_not_one_yet(outputs):
    (outputs / "single/y/summary.json").unlink()
    assert [run.folder.name for run in find_runs(outputs)] == ["x-seed0", "x-seed1"]


def test_layers_are_listed_in_the_order_in_which_they_were_written(tmp_path):
    folder = fabricate(tmp_path, "batch", 0)
    names = ["moments/layer10/mean", "moments/layer2/mean", "moments/layer2/mean_drift", "moments/block1.layer1/mean"]
    with (folder / "series.csv").open("a") as file:
        file.writelines(f"{step},{name},1.0\n" for step in (0, 5) for name in names)
    run = read_run(folder)
    assert run.layers("moments/{layer}/mean") == ["layer10", "layer2", "block1.layer1"]
    assert run.layers("train/loss") == []
