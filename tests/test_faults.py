"""Faults of long runs that are quickly brought about; ``python faults/run.py`` has all."""

import subprocess
import sys
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parents[1] / "faults" / "scenarios.py"
QUICK = (
    "worker killed at random moments",
    "fork in the middle of sampling, with a pool",
    "full disk while saving",
    "clock jumps",
)


@pytest.mark.parametrize("fault", QUICK)
def test_a_fault_is_handled(fault):
    done = subprocess.run([sys.executable, SCENARIOS, fault], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.strip()
