"""Small real data, and generators fitted on it for a few steps."""

import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset

from augsynth import registry
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

OUTSIDERS = Path(__file__).parent / "outsiders"
HERE = Path(__file__).parent
# what fits, trains or starts processes for most of its time: `make quick` leaves it out
SLOW = (
    "blending/test_streams.py",
    "doors",
    "evaluation",
    "preparing",
    "privacy",
    "recipe",
    "stateful",
    "test_annotating.py",
    "test_cli.py",
    "test_conformance.py",
    "test_docs.py",
    "test_examples.py",
    "test_exporting.py",
    "test_faults.py",
    "test_fitting_together.py",
    "test_generating.py",
    "test_hybrids.py",
    "test_mutants.py",
    "test_new_plugin.py",
    "test_readme.py",
    "test_rewriting.py",
    "test_supply.py",
    "test_transformers.py",
    "test_tuning.py",
    "utility",
)


def pytest_configure():
    # a script's background job ignores Ctrl-C, and so would every process that a test starts and interrupts
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    gone = [name for name in SLOW if not (HERE / name).exists()]
    assert not gone, f"tests/conftest.py: SLOW names what is not there: {gone}"
    for item in items:
        if any(item.path.is_relative_to(HERE / name) for name in SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def digits():
    """500 real digits: float (1, 8, 8) in [0, 1] and int64 labels."""
    data = load_digits()
    images = torch.from_numpy((data.images[:500] / 16).astype(np.float32))[:, None]
    return TensorDataset(images, torch.from_numpy(data.target[:500]))


@pytest.fixture(scope="session")
def vae(digits):
    return quick_fit("vae", digits, width=16)


@pytest.fixture(scope="session")
def gan(digits):
    return quick_fit("gan", digits, width=16)


@pytest.fixture(scope="session")
def tiny_vae():
    """A VAE on TinyImages, three classes, uint8 tensors."""
    return quick_fit("vae", TinyImages(), steps=10, width=8)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts distributions where Python finds them, and forgets them afterwards."""

    def install(*names):
        for name in names:
            shutil.copytree(OUTSIDERS / "metadata" / f"{name}-0.1.dist-info", tmp_path / f"{name}-0.1.dist-info")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.syspath_prepend(OUTSIDERS / "packages")
        registry.default_registry.cache_clear()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield install
    registry.default_registry.cache_clear()


@pytest.fixture
def run_here(capsys, monkeypatch, tmp_path):
    """A command as ``python -m augsynth`` runs it, but in this process, which has imported torch already."""

    from augsynth.cli.main import main

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["augsynth", *map(str, arguments)])
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which main() replaces
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended, warnings.catch_warnings():
            warnings.simplefilter("default")
            main()
        told = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code, told.out, told.err)

    return call
