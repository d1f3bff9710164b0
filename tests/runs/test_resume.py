"""A run that is killed and goes on has every step once, in TensorBoard and in series.csv."""

import subprocess
import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import (
    STORE_EVERYTHING_SIZE_GUIDANCE,
    EventAccumulator,
)

from normscope.errors import UsageError
from normscope.runs.events import event_files, read_records
from normscope.runs.reader import Run
from normscope.runs.writer import RunWriter

STEPS, EVERY = 400, 50
NAMES = [f"loss_landscape/eta_{index}" for index in range(12)]

# A run of 400 steps with a checkpoint every 50, in forked processes that kill themselves: in the middle of step 4, 87
# and again 87, before, between or after the two flushes of a checkpoint, and while they take the records back. Each
# goes on at the last checkpoint. Prints how many rows of later steps each leaves behind.
KILLED_RUN = f"""
import os, signal, sys
from pathlib import Path
import numpy as np
from normscope.runs.writer import RunWriter

folder, mark = Path(sys.argv[1]), Path(sys.argv[1] + ".step")
die = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)

def checkpoint():
    return int(mark.read_text()) if mark.exists() else 0

def run(death):
    start = checkpoint()
    if death == "rewinding":
        os.replace = die
    writer = RunWriter(folder, start)
    writer.text("config", "a card")
    writer.hparams({{"lr": 0.1}})
    writer.bands({{"loss": ("band/base", "band/min", "band/max")}})
    for step in range(start, {STEPS}):
        if step % {EVERY} == 0 and step > start:
            if death == ("between flushes", step):
                writer._series.sync()
                die()
            writer.flush()
            if death == ("after flush", step):
                die()
            mark.write_text(str(step))
        writer.scalars(step, {{name: 1 / (step + 1) for name in {NAMES}}})
        if death == ("middle", step):
            die()
        if step % 10 == 0:
            writer.histogram(step, "activations/layer1", np.linspace(0, step + 1, 65), np.full(64, step), 1.0, 2.0)
    writer.close("finished")

deaths = [("middle", 4), ("middle", 87), ("middle", 87), ("between flushes", 150), "rewinding", ("middle", 239)]
deaths += ["rewinding", ("after flush", 250), "rewinding", ("middle", 399)]
for death in deaths:
    child = os.fork()
    if child == 0:
        run(death)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, death
    rows = (folder / "series.csv").read_text().splitlines()[1:]
    print(sum(int(row.split(",")[0]) >= checkpoint() for row in rows))
run(None)
"""


@pytest.fixture(scope="module")
def killed_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs") / "run"
    done = subprocess.run([sys.executable, "-c", KILLED_RUN, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    left = [int(count) > 0 for count in done.stdout.split()]
    assert left == [False, *[True] * 9], "what is killed must leave something to take back"
    return folder


def check_page(page, run):
    for name in run.names():
        steps, values = run.series(name)
        assert page.scalars("run", name) == list(zip(steps.tolist(), np.float32(values).tolist(), strict=True))
    assert [step for step, _ in page.histograms("run", "activations/layer1")] == list(range(0, STEPS, 10))
    assert page.runs() == ["run"]
    assert len(page.get("plugin/text/text", run="run", tag="config/text_summary")) == 1
    assert page.hparams()["run"]["status"] == "STATUS_SUCCESS"


def test_series_of_a_killed_run_has_every_step_once(killed_run):
    run = Run(killed_run, {}, {}, {})
    assert set(run.names()) == set(NAMES)
    for name in NAMES:
        steps, values = run.series(name)
        assert steps.tolist() == list(range(STEPS))
        assert values.tolist() == [1 / (step + 1) for step in range(STEPS)]


def test_tensorboard_serves_a_killed_run_as_if_it_had_not_been(killed_run, tensorboard):
    check_page(tensorboard(killed_run.parent), Run(killed_run, {}, {}, {}))


def test_tensorboards_fast_loader_serves_it_too(killed_run, tensorboard):
    def is_read(page):
        return "run" in page.runs() and (STEPS - 1) in [step for step, _ in page.scalars("run", NAMES[-1]) or []]

    check_page(tensorboard(killed_run.parent, fast_until=is_read), Run(killed_run, {}, {}, {}))


def test_event_accumulator_reads_a_killed_run_once(killed_run):
    events = EventAccumulator(str(killed_run), STORE_EVERYTHING_SIZE_GUIDANCE, purge_orphaned_data=False).Reload()
    assert [event.step for event in events.Scalars(NAMES[0])] == list(range(STEPS))
    assert [event.step for event in events.Histograms("activations/layer1")] == list(range(0, STEPS, 10))


def write(folder, start, stop):
    with RunWriter(folder, start) as writer:
        for step in range(start, stop):
            writer.scalars(step, {"a": float(step)})


def steps(folder):
    return Run(folder, {}, {}, {}).series("a")[0].tolist()


def event_steps(folder):
    found = [event for path in event_files(folder) for _, event in read_records(path)]
    return [event.step for event in found for value in event.summary.value if value.tag == "a"]


@pytest.mark.parametrize(
    ("cut", "row", "record"),
    [
        (7, b"", b""),
        (0, b"10,a,1", b"\x18"),
        (0, b"1", b"\x18" + bytes(7) + b"crc_" + b"record"),
        (0, bytes(99), bytes(99)),
    ],
)
def test_whatever_a_crash_leaves_after_the_checkpoint_is_taken_out(tmp_path, cut, row, record):
    write(tmp_path, 0, 10)
    for path, tail in ((tmp_path / "series.csv", row), (event_files(tmp_path)[0], record)):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - cut] + tail)
    write(tmp_path, 8, 12)
    assert steps(tmp_path) == event_steps(tmp_path) == list(range(12))


def test_run_that_begins_again_forgets_the_first_attempt(tmp_path):
    write(tmp_path, 0, 10)
    write(tmp_path, 0, 3)
    assert steps(tmp_path) == event_steps(tmp_path) == [0, 1, 2]


def test_later_file_sorts_after_the_earlier_even_if_the_clock_went_back(tmp_path, monkeypatch):
    write(tmp_path, 0, 2)
    monkeypatch.setattr("normscope.runs.events.time.time", lambda: 1e9)
    write(tmp_path, 2, 4)
    assert steps(tmp_path) == event_steps(tmp_path) == [0, 1, 2, 3]


def test_page_that_stays_open_sees_no_step_twice(tmp_path, tensorboard):
    write(tmp_path / "run", 0, 10)
    page = tensorboard(tmp_path)
    assert len(page.scalars("run", "a")) == 10
    for start, stop in ((8, 12), (0, 3), (2, 4)):
        write(tmp_path / "run", start, stop)
        page.reload()
        assert [step for step, _ in page.scalars("run", "a")] == list(range(stop))


def test_resumed_run_refuses_a_step_from_before(tmp_path):
    write(tmp_path, 0, 5)
    with RunWriter(tmp_path, 5) as writer, pytest.raises(ValueError, match="a: step 4 does not come after 4"):
        writer.scalars(4, {"a": 1.0})


@pytest.mark.parametrize("pattern", ["series.csv", "events*"])
def test_run_whose_records_are_gone_does_not_go_on(tmp_path, pattern):
    write(tmp_path, 0, 5)
    for path in tmp_path.glob(pattern):
        path.unlink()
    with pytest.raises(UsageError, match="the run goes on from step 5; bring it back, or delete"):
        RunWriter(tmp_path, 5)
