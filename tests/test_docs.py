"""What the documentation and the README show runs: every block of Python, and every command as far as its options."""

import csv
import re
import shlex
import subprocess
import sys
import types
import warnings
from functools import partial
from pathlib import Path

import pytest
import typer
from torch.utils.data import Subset

import augsynth
from augsynth.cli.main import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.glob("*.md") if page.name != "gallery.md")
TEMPLATE = ("# pyproject.toml", "# augsynth_template/")  # compared with the template by test_readme
COMMANDS = typer.main.get_command(app).commands
# what a reader waits for, and a test does not
QUICK = {
    "fit": {"steps": 100, "progress": False, "device": "cpu"},
    "evaluate": {"judge_steps": 20, "progress": False},
    "uplift": {"seeds": 2, "steps": 5, "progress": False, "jobs": 1},
    "tune_classic": {"seeds": 2, "steps": 5, "progress": False},
    "tune": {"trials": 2, "confirm": 3, "steps": 5, "progress": False, "fit_options": {"steps": 20}},
}


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def quick(function, name, *args, **given):
    settings = dict(QUICK[name])
    if isinstance(args[0], str) and args[0] == "phrase_mix":
        settings.pop("steps")
    return function(*args, **{**given, **settings})


@pytest.fixture
def reader(digits, tmp_path, monkeypatch):
    """What a reader has beforehand, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in QUICK:
        monkeypatch.setattr(augsynth, name, partial(quick, getattr(augsynth, name), name))
    augsynth.import_torchvision()  # pages import what imports torchvision, which a torch of another build cannot
    with (ROOT / "examples/data/questions.csv").open(encoding="utf-8") as file:
        my_texts = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    page = types.ModuleType("page_of_the_docs")  # a module, so that what it defines can be pickled
    monkeypatch.setitem(sys.modules, page.__name__, page)
    page.my_dataset, page.my_holdout = Subset(digits, range(200)), Subset(digits, range(200, 500))
    page.my_texts = my_texts
    return vars(page)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_python_blocks_run(page, reader):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", augsynth.AugsynthWarning)  # of fits that are stopped at once
        for code in blocks(page, "python"):
            if not code.startswith(TEMPLATE):
                if page.name == "README.md" and "for x, y in loader" in code:
                    reader["gen"] = augsynth.fit("vae", reader["my_dataset"])
                exec(compile(code, str(page), "exec"), reader)


def test_so_many_of_them():
    count = sum(len(blocks(page, "python")) for page in [ROOT / "README.md", *PAGES])
    assert count >= 48, count


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_commands_have_the_options_that_are_shown(page):
    text = "\n".join(blocks(page, "sh"))
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words or not words[0].endswith("augsynth"):
            continue
        command = COMMANDS[words[1]]
        known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        assert [word for word in words[2:] if word.startswith("-") and word.split("=")[0] not in known] == [], line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    there = {target for target in targets if (page.parent / target).exists() or target == "gallery.md"}
    assert [target for target in targets if target not in there] == []


def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    pages = {path.parent.name for path in (tmp_path / "site").rglob("index.html")}
    assert {"plugins", "verdicts", "fitting", "gallery"} <= pages
    page = (tmp_path / "site/plugins/index.html").read_text(encoding="utf-8")
    assert page.count("<code>Lopsided</code>") + page.count("augsynth-wrong/curve") == 1, (
        "the table of mutants is there"
    )
    shown = (tmp_path / "site/api/fitting/index.html").read_text(encoding="utf-8")
    assert "fit a generator on the samples" in shown.lower() and ":class:" not in shown and ":func:" not in shown


def test_the_modality_of_the_page_is_the_one_that_is_tested():
    from augsynth.recognition import spec_of

    namespace: dict = {}
    for code in blocks(DOCS / "modalities.md", "python"):
        exec(code, namespace)
    modality = namespace["PointModality"]()
    data = modality.tiny(9)
    spec = spec_of(data[0][0], modality)
    assert spec.shape == (2,) and spec.raw_to_model(spec.stacked([spec.to_raw(x) for x, _ in data])).shape == (9, 2)
