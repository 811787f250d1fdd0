"""What several tests need."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from filelock import FileLock

import augsynth
from augsynth.checkpoint.format import DESCRIPTION, WEIGHTS, digest, file_digest

NLTK_DATA = Path(__file__).parents[2] / "shared" / "nltk_data"
if NLTK_DATA.is_dir():
    os.environ.setdefault("NLTK_DATA", str(NLTK_DATA))


def needs_wordnet():
    """Skip the test where NLTK's WordNet is not to be had."""
    from nltk import data

    for name in ("corpora/wordnet", "corpora/wordnet.zip"):
        try:
            data.find(name)
        except LookupError:
            continue
        return
    pytest.skip("NLTK's WordNet is not on this machine: python -m nltk.downloader wordnet")


def torchrun(script, *arguments):
    """Run ``script`` in two processes of distributed training."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launch, script, *map(str, arguments)], timeout=400, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]


def once(tmp_path_factory, name, make):
    """The folder that ``make(folder)`` filled, in one of the processes that run the tests, for all of them."""
    folder = tmp_path_factory.getbasetemp().parent / f"once-{name}"
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "made").touch()
    return folder


def signed(folder, change):
    """Change the description of a checkpoint as one who knows how to sign it again; ``change`` gets it as a dict."""
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    description.pop("digest", None)
    change(description)
    if isinstance(description.get("sha256"), dict):
        description["sha256"][WEIGHTS] = file_digest(folder / WEIGHTS)
    description["digest"] = digest(description)
    (folder / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")


def quick_fit(name, data, **options):
    """Fit for a few steps, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", augsynth.AugsynthWarning)
        return augsynth.fit(name, data, **{"steps": 40, "progress": False, "device": "cpu", **options})
