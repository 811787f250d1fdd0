"""Good files, those cut short, and whatever fuzzing found, tried again for ever; see fuzz/run.py."""

import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
sys.path.insert(0, str(FUZZ))

targets = pytest.importorskip("targets")
pytestmark = pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning")


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_reader_ends_well_or_in_one_clear_error(name):
    for content in targets.seeds(name):
        targets.TARGETS[name](content)  # good as they are
        for share in (0.0, 0.1, 0.5, 0.9):
            targets.run(name, content[: int(share * len(content))])
        middle = len(content) // 2
        targets.run(name, content[:middle] + b"\xff" * 8 + content[middle + 8 :])


@pytest.mark.parametrize("file", sorted(FUZZ.glob("found/*/*")), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_was_found_stays_mended(file):
    targets.run(file.parent.name, file.read_bytes())
