"""Missing extras, and a torchvision that does not match the installed torch."""

import subprocess
import sys

import pytest

import augsynth
from augsynth import _optional, authoring


def test_a_missing_package_names_the_extra():
    with pytest.raises(augsynth.MissingDependencyError, match=r"pip install 'augsynth\[fancy\]'"):
        authoring.import_optional("no_such_package.sub", extra="fancy", purpose="fancy things")


def test_an_error_inside_an_installed_package_is_not_masked(tmp_path, monkeypatch):
    (tmp_path / "half_broken.py").write_text("import really_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="really_not_there") as error:
        authoring.import_optional("half_broken", extra="x", purpose="y")
    assert not isinstance(error.value, augsynth.MissingDependencyError)


def test_torchvision_imports_and_works_whether_or_not_its_operators_match():
    script = (
        "import augsynth, torch; v2 = augsynth.import_torchvision('torchvision.transforms.v2'); "
        "print(v2.RandomRotation(9)(torch.rand(1, 8, 8)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch.Size([1, 8, 8])"


@pytest.mark.parametrize("error", [RuntimeError("something else"), ImportError("libc"), OSError("no space")])
def test_other_import_errors_of_torchvision_pass_unchanged(monkeypatch, error):
    def fail(name):
        raise error

    monkeypatch.setattr(_optional.importlib, "import_module", fail)
    with pytest.raises(type(error)) as caught:
        augsynth.import_torchvision()
    assert caught.value is error


def test_a_mismatch_is_mended_once_and_no_more(monkeypatch):
    """If declaring the operators does not help, the second failure is shown."""
    calls = []

    def fail(name):
        calls.append(name)
        raise RuntimeError("operator torchvision::nms does not exist")

    import torch

    monkeypatch.setattr(_optional.importlib, "import_module", fail)
    monkeypatch.setattr(torch.library, "define", lambda *args: None)
    monkeypatch.setattr(_optional.sys, "modules", dict(sys.modules))
    with pytest.raises(RuntimeError, match="torchvision::nms"):
        _optional.import_torchvision()
    assert len(calls) == 2
