import subprocess
import sys

import pytest

COUNT = """
import resource, sys
if sys.argv[1] == "kept":
    from normscope.training.allocator import keep_freed_memory
    assert keep_freed_memory()
import torch
def faults_of_a_step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(10_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults_of_a_step()
print(faults_of_a_step())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_memory_is_not_paid_for_again():
    """Ten tensors of 40 MB, one after the other: 10,000 pages of 4 kB each time, or the same pages again."""
    given_back, kept = (
        int(subprocess.run([sys.executable, "-c", COUNT, mode], capture_output=True, text=True, check=True).stdout)
        for mode in ("given back", "kept")
    )
    assert kept < 100 < given_back
