"""What several tests need."""

import os
import warnings
from pathlib import Path

import pytest

import augsynth

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


def quick_fit(name, data, **options):
    """Fit for a few steps, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", augsynth.AugsynthWarning)
        return augsynth.fit(name, data, **{"steps": 40, "progress": False, "device": "cpu", **options})
