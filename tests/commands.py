"""Running `normscope` as its users do, for tests."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

TINY = [
    "dataset=sample",
    "dataset.train_size=64",
    "dataset.test_size=20",
    "model.width=0.0625",
    "batch_size=16",
    "log_every=1",
    "probe_every=4",
    "evaluate_every=4",
]
sys.path.append(str(Path(__file__).parents[1]))  # for the child, which imports this file, however pytest was called
ENVIRONMENT = {"COLUMNS": "200", "OMP_NUM_THREADS": "1"}
FORKS = multiprocessing.get_context("forkserver")  # a process that has imported what takes seconds, and only forks
FORKS.set_forkserver_preload(["normscope.main", "normscope.assemble", "torch.utils.tensorboard", "matplotlib.figure"])


def normscope(*overrides: str, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder of its own, in a process of its own, and wait for its end."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdout", "stderr")]
        process = FORKS.Process(target=_command, args=(overrides, cwd, os.environ | ENVIRONMENT, streams))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(list(overrides), timeout)
        return subprocess.CompletedProcess(overrides, process.exitcode, *(path.read_text() for path in streams))


def _command(overrides: tuple[str, ...], cwd: Path, environment: dict[str, str], streams: list[Path]) -> None:
    """`python -m normscope` in the child."""
    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["normscope", *overrides]
    runpy.run_module("normscope", run_name="__main__", alter_sys=True)


def normscope_afresh(*overrides: str, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """The same by a new interpreter, for what depends on how it begins and ends, on what it has imported, or starts
    processes of its own."""
    return subprocess.run(
        [sys.executable, "-m", "normscope", *overrides],
        cwd=cwd,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_folders(outputs: Path) -> list[Path]:
    """The folders of all runs below outputs/."""
    return sorted(path.parent for path in outputs.rglob("config.yaml"))
