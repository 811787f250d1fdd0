"""What the README shows is what there is, and runs."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.data import Subset

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "plugins/template"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
PLUGIN = [code for _, code in BLOCKS if code.startswith(("# pyproject.toml", "# augsynth_template/"))]


def code_lines(text):
    """Lines that do something: no blank ones, comments or docstrings."""
    text = re.sub(r'^\s*"""[^"]*"""$', "", text, flags=re.MULTILINE)
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.filterwarnings("ignore::augsynth.errors.CollapseWarning")
def test_ten_lines_wrap_a_dataset(digits):
    (code,) = [code for kind, code in BLOCKS if kind == "python" and "for epoch in" in code]
    assert len([line for line in code_lines(code) if "import" not in line]) <= 10
    namespace = {"my_dataset": Subset(digits, range(60))}
    torch.manual_seed(0)
    exec(code.replace('"vae", my_dataset', '"vae", my_dataset, steps=20, progress=False'), namespace)
    assert namespace["blended"].epoch == 2 and tuple(namespace["x"].shape[1:]) == (1, 8, 8)


def test_the_plugin_is_complete_and_short():
    assert len(PLUGIN) == 3 and sum(len(code_lines(code)) for code in PLUGIN) < 40


def test_the_plugin_is_the_template():
    files = ("pyproject.toml", "src/augsynth_template/__init__.py", "src/augsynth_template/gaussian.py")
    for code, file in zip(PLUGIN, files, strict=True):
        written = code_lines((TEMPLATE / file).read_text(encoding="utf-8"))
        missing = [line for line in code_lines(code) if line not in written]
        assert not missing, f"{file}: the README shows lines that it does not have"


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
