"""hashes.txt has the files of what constraints.txt pins, of the same versions, and nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def versions(file):
    """Name → version, of the lines that pin one."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pins = [re.match(r"([\w.-]+)==([^;\s+]+)", line) for line in lines]
    return {pin[1].lower(): pin[2] for pin in pins if pin}


def test_hashes_are_of_the_versions_that_are_pinned():
    told = "run: python tools/pin_hashes.py --find-links a-folder-with-the-CPU-build-of-torch"
    assert versions("hashes.txt") == versions("constraints.txt"), told


def test_every_package_has_a_hash():
    packages = re.split(r"\n(?=[\w])", (ROOT / "hashes.txt").read_text(encoding="utf-8"))[1:]
    assert len(packages) > 100
    for package in packages:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package
