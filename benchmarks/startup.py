"""Seconds until the command line answers: help, a config, and a config error.

    python benchmarks/startup.py

Each command runs in a fresh process with warm file caches; the median and the range of ten are reported. None of them
imports PyTorch.
"""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "--help": ["--help"],
    "--cfg job": ["--cfg", "job"],
    "unknown option": ["optimizer=sgdd"],
    "unknown key": ["+optimizer.nesterv=true"],
    "value out of range": ["batch_size=0"],
}


def seconds(words: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "normscope", *words], capture_output=True, check=False)
    return time.perf_counter() - began


def main() -> None:
    for name, words in COMMANDS.items():
        seconds(words)  # warms the file cache
        found = sorted(seconds(words) for _ in range(10))
        print(f"{name:20} {statistics.median(found):.2f} s ({found[0]:.2f}-{found[-1]:.2f})")


if __name__ == "__main__":
    main()
