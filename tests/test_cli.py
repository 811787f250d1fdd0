"""The command line as a user meets it: in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import augsynth
from augsynth._progress import progress_bar
from augsynth.datasets.named import open_dataset
from augsynth.modalities.image.tiny import TinyImages


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "augsynth", *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    for i, (image, label) in enumerate(TinyImages(40, (3, 12, 12), form="pil", classes=2)):
        (root / ["cat", "dog"][label]).mkdir(exist_ok=True)
        image.save(root / ["cat", "dog"][label] / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "vae"
    done = run("fit", "vae", "--data", folder, "--out", out, "--steps", 20, "--set", "width=16", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 20
    return out


def test_fit_then_sample(fitted, tmp_path, run_here):
    for out in (tmp_path / "grid.png", tmp_path / "data.npz", tmp_path / "folder"):
        done = run_here("sample", fitted, "-n", 6, "--label", "dog", "--label", "cat", "--out", out)
        assert done.returncode == 0 and out.exists(), done.stderr
    with np.load(tmp_path / "data.npz") as data:
        assert data["x"].shape == (6, 3, 12, 12) and data["y"].tolist() == [1, 1, 1, 0, 0, 0]
    assert {p.name: len(list(p.iterdir())) for p in (tmp_path / "folder").iterdir()} == {"dog": 3, "cat": 3}
    first = (tmp_path / "grid.png").read_bytes()
    run_here("sample", fitted, "-n", 6, "--label", "dog", "--label", "cat", "--out", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == first


def test_distill(fitted, tmp_path, run_here):
    out = tmp_path / "student"
    done = run_here("distill", fitted, "--out", out, "--steps", 20)
    assert done.returncode == 0 and "completed after 20 steps" in done.stdout, done.stderr
    told = json.loads((out / "generator.json").read_text())
    assert told["fit"]["distilled_from"] and told["config"]["decoder_width"] == 8
    done = run_here("distill", fitted, "--out", tmp_path / "other", "--set", "width=9")
    assert done.returncode == 2 and "would change encoder as well" in done.stderr and not (tmp_path / "other").exists()


def test_texts_by_topic(tmp_path, run_here):
    data = tmp_path / "data.jsonl"
    data.write_text(
        "\n".join(json.dumps({"text": f"{word} {i % 5} of many"}) for i in range(12) for word in ("oil", "moon"))
    )
    done = run_here("fit", "lstm", "--data", data, "--topics", 2, "--steps", 40, "--out", tmp_path / "lm", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["topics"]) == 2
    done = run_here("sample", tmp_path / "lm", "--topic", "the moon", "--topic", "0", "--json")
    rows = json.loads(done.stdout)["samples"]
    assert len(rows) == 16 and len({row["topic"] for row in rows[:8]}) == 1, done.stderr
    assert "'the moon' is the name of no topic; taken for topic" in done.stderr
    done = run_here("sample", tmp_path / "lm", "--topic", "1", "--out", tmp_path / "made.csv")
    assert (tmp_path / "made.csv").read_text().startswith("text,label,topic,seed\n"), done.stderr
    done = run_here("sample", tmp_path / "lm", "--topic", "cooking")
    assert done.returncode == 2 and "there is no topic 'cooking'. The topics are: 0 (" in done.stderr


def test_resume(fitted, folder):
    done = run(
        "fit", "vae", "--data", folder, "--out", fitted, "--steps", 30, "--set", "width=16", "--resume", "--json"
    )
    assert json.loads(done.stdout)["steps"] == 30, done.stderr


def stopped(*arguments, cwd, when):
    """Ctrl-C as soon as ``when()``: exit code, and what was said."""
    started = subprocess.Popen(
        [sys.executable, "-m", "augsynth", *map(str, arguments)], stderr=subprocess.PIPE, text=True, cwd=cwd
    )
    while started.poll() is None and not when():
        time.sleep(0.05)
    time.sleep(0.3)
    started.send_signal(signal.SIGINT)
    said = started.communicate(timeout=120)[1]
    return started.returncode, said


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(fitted, folder, tmp_path):
    out = tmp_path / "fit"
    options = ("--data", folder, "--out", out, "--steps", 20_000, "--set", "width=8")
    code, said = stopped("fit", "vae", *options, cwd=tmp_path, when=(out / "generator.json").exists)
    assert code == 130 and f"kept in {out}: the same command with --resume goes on from there" in said
    out = tmp_path / "uplift"
    options = ("--data", folder, "--holdout", folder, "--classic", "none", "--seeds", 40, "--steps", 5, "--jobs", 1)
    code, said = stopped("uplift", fitted, *options, "--out", out, cwd=tmp_path, when=lambda: any(out.rglob("*.json")))
    assert code == 130 and f"the trainings that are done are kept in {out}" in said and "Traceback" not in said


def test_alone_it_says_what_to_do_next(fitted, tmp_path):
    done = run(cwd=tmp_path)
    assert done.returncode == 0 and "augsynth demo" in done.stdout and "new-plugin" in done.stdout
    shutil.copytree(fitted, tmp_path / "runs" / "cats")
    done = run(cwd=tmp_path)
    assert done.returncode == 0 and f"You have fitted {Path('runs/cats')}" in done.stdout
    assert "-samples.png" in done.stdout


def test_a_bug_is_told_with_where_its_traceback_is(tmp_path):
    command = ("plugins", "--json")
    code = (
        "import augsynth.cli.plugins as one; one.installed_plugins = lambda: 1 / 0; "
        "from augsynth.cli.main import main; main()"
    )
    for debug, expected in (("0", False), ("1", True)):
        done = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True,
            env={**os.environ, "AUGSYNTH_DEBUG": debug, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 1 and ("Traceback" in done.stderr) == expected, done.stderr
        if not expected:
            assert "a mistake in augsynth, or in a plugin" in done.stderr and "ZeroDivisionError" in done.stderr
    (written,) = tmp_path.glob("augsynth-error-*.txt")
    assert "Traceback" in written.read_text() and augsynth.__version__ in written.read_text()


def test_the_shell_completes_names():
    environment = {**os.environ, "_AUGSYNTH_COMPLETE": "complete_bash", "COMP_CWORD": "2"}
    for words, expected in (("augsynth fit va", "vae"), ("augsynth check specv", "specvae")):
        done = subprocess.run(
            [Path(sys.executable).parent / "augsynth"],
            env={**environment, "COMP_WORDS": words}, capture_output=True, text=True,
        )  # fmt: skip
        assert expected in done.stdout.split(), done


def test_long_work_says_beforehand_how_long_it_takes(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr("augsynth._progress.time.monotonic", lambda: now)
    for name, total, show in (("fitting", 1000, True), ("short", 100, True), ("hidden", 1000, False)):
        with progress_bar(name, total, show=show) as bar:
            for step in range(500, total + 500, 20):  # it goes on from where it was
                bar.update(step)
                now += 6
    assert capsys.readouterr().err.splitlines() == ["fitting: at most about 2 min left"]
    with progress_bar("training arms", 20, at_once=2) as bar:
        bar.update(0)
        for done in (1, 2):  # the second is done soon after the first, and not as long again
            now += 60 if done == 1 else 2
            bar.update(done)
    assert capsys.readouterr().err.splitlines() == ["training arms: at most about 9 min left"]


def test_help_has_an_example(run_here):
    for command in (
        "demo",
        "run",
        "prepare",
        "clean",
        "plugins",
        "check",
        "new-plugin",
        "fit",
        "sample",
        "distill",
        "generate",
        "annotate",
    ):
        done = run_here(command, "--help")
        assert done.returncode == 0 and f"Example: augsynth {command}" in done.stdout
    assert augsynth.__version__ in run_here("--version").stdout


def test_mistakes_end_with_2_and_one_clear_line(fitted, folder, tmp_path, run_here):
    bad = tmp_path / "bad"
    (bad / "a").mkdir(parents=True)
    Image.new("L", (9, 9)).save(bad / "a" / "good.png")
    (bad / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "no_x.npz", z=np.zeros(3))
    out = tmp_path / "out.png"
    cases = [
        (("fit", "gna", "--data", "digits", "--out", out), "did you mean 'gan'"),
        (("fit", "gan", "--data", "nothing-here", "--out", out), "there is no such folder or file"),
        (("fit", "gan", "--data", bad, "--out", out), "broken.png: cannot identify image file it"),
        (("fit", "gan", "--data", tmp_path / "empty", "--out", out), "nothing in it that any modality reads"),
        (("fit", "gan", "--data", tmp_path / "no_x.npz", "--out", out), "has the arrays ['z']"),
        (("fit", "gan", "--data", tmp_path / "not.npz", "--out", out), "no such file"),
        (("fit", "gan", "--data", "questions.csv", "--out", out), "there is no such file"),
        (("fit", "gan", "--data", "no_module:make", "--out", out), "no_module"),
        (("fit", "vae", "--data", folder, "--out", out, "--set", "width"), "expected name=value"),
        (("fit", "vae", "--data", folder, "--out", out, "--set", "no=1"), "no setting 'no'"),
        (("fit", "vae", "--data", folder, "--out", out, "--max-time", "soon"), "duration 'soon'"),
        (("sample", tmp_path / "none", "--out", out), "there is no checkpoint"),
        (("sample", fitted, "--label", "cow", "--out", out), "no class 'cow'"),
        (("sample", fitted, "--out", tmp_path / "x.gif"), "expected FILE.png"),
        (("sample", fitted, "-n", 0, "--out", out), "nothing to write"),
        (("sample", fitted), "--out is needed"),
        (("nonsense",), "No such command"),
        (("demo", "--seeds", 1), "verdict.seeds: expected a whole number from 2 up"),
        (("demo", "--ratio", 2), "blend.ratio: expected a share"),
    ]
    for arguments, message in cases:
        done = run_here(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert message in done.stderr and "Traceback" not in done.stderr, (arguments, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("augsynth:") and "warning" not in line]
        assert len(lines) <= 1
        assert not out.exists()


def test_data_by_name(folder, tmp_path, monkeypatch):
    train, test = open_dataset("digits"), open_dataset("digits", split="test")
    assert len(train) == 1200 and len(test) == 597 and train[0][0].shape == (1, 8, 8)
    np.savez(tmp_path / "d.npz", x=np.zeros((5, 8, 8), np.uint8), y=np.arange(5))
    assert open_dataset(str(tmp_path / "d.npz"))[3][1] == 3
    (tmp_path / "mine.py").write_text("def make():\n    return [1, 2]\n")
    monkeypatch.chdir(tmp_path)
    assert open_dataset("mine:make") == [1, 2]
    images = open_dataset(str(folder))
    assert images.classes == ["cat", "dog"] and images[0][0].shape == (3, 12, 12)
    assert open_dataset(str(folder), size=16)[0][0].shape == (3, 16, 16)
    with pytest.raises(augsynth.ConfigError, match="split='dev'"):
        open_dataset("digits", split="dev")


def test_fashion_mnist_is_read_or_its_absence_explained(monkeypatch):
    try:
        data = open_dataset("fashion-mnist", split="test")
    except augsynth.DataError as error:
        assert "apt install dataset-fashion-mnist" in str(error)
    else:
        assert len(data) == 10_000 and data.classes[8] == "Bag" and data[0][0].shape == (1, 28, 28)


def test_sixteen_bit_images_keep_their_shades(tmp_path):
    (tmp_path / "a").mkdir()
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(ramp * 257).save(tmp_path / "a" / "ramp.png")
    with pytest.warns(augsynth.ConversionWarning, match="1 of another mode .1 I;16. are converted to 8-bit"):
        data = open_dataset(str(tmp_path))
    assert torch.equal(data.inputs.flatten(), torch.arange(256, dtype=torch.uint8))


def test_image_folders_of_mixed_sizes_and_modes(tmp_path):
    for i, (mode, size) in enumerate([("L", (200, 100)), ("RGB", (64, 64)), ("RGBA", (10, 30)), ("P", (50, 50))]):
        (tmp_path / "a").mkdir(exist_ok=True)
        Image.new(mode, size).save(tmp_path / "a" / f"{i}.png")
    with pytest.warns(
        augsynth.ResizeWarning,
        match=r"of the 4 images.*4 of 4 other sizes \(sides from 10 to 200 pixels\).*resized to 57×57; pass --size.*"
        r"2 of another mode \(1 RGBA, 1 grey\)",
    ):
        data = open_dataset(str(tmp_path))
    assert data.inputs.shape == (4, 3, 57, 57)  # the median of the shorter sides
    with pytest.warns(augsynth.ConversionWarning, match="images in [^;]*, 2 of another mode"):
        assert open_dataset(str(tmp_path), size=32).inputs.shape == (4, 3, 32, 32)


def test_the_demo_end_to_end(folder, tmp_path):
    done = run("demo", "--data", folder, "--per-class", 10, "--steps", 10, "--set", "width=8", "--classifier-steps", 20,
               "--seeds", 2, "--out", tmp_path / "demo")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "demo").iterdir()} == {"result", "index.html"}
    inner = tmp_path / "demo" / "result"
    numbers = json.loads((inner / "results.json").read_text())
    found = numbers["uplift"]["comparison"]
    assert found["interval"][0] <= found["difference"] <= found["interval"][1]
    assert [len(arm["scores"]) for arm in numbers["uplift"]["arms"].values()] == [2, 2]
    for page in (tmp_path / "demo" / "index.html", inner / "index.html"):
        text = page.read_text()
        assert "95 % confidence interval" in text
        assert "http://" not in text and "https://" not in text and "<script" not in text, "the page is self-contained"
    assert Image.open(inner / "grid.png").size[0] > 500
    assert "95 % confidence interval" in done.stdout and "index.html" in done.stdout
    again = run("run", inner / "recipe.yaml", "--out", tmp_path / "again", "--json")
    assert json.loads(again.stdout)["uplift"]["arms"] == numbers["uplift"]["arms"]
    changed = run("run", inner / "recipe.yaml", "--out", tmp_path / "again", "--set", "verdict.steps=10")
    assert changed.returncode == 2 and "steps: 20 there, 10 here" in changed.stderr and "--redo" in changed.stderr


def test_prepare_and_clean(folder, tmp_path, run_here):
    done = run_here("prepare", "--data", folder, "--look-for", "duplicates", "--out", tmp_path / "found")
    assert done.returncode == 0, done.stderr
    assert "duplicates" in done.stdout and (tmp_path / "found" / "preparation.html").is_file()
    table = tmp_path / "q.csv"
    table.write_text("q,k\nWho  wrote it ?,a\n ,a\nWho wrote it ?,b\nWhere is the Nile ?,\nWhere is it ?,b\n")
    refused = run_here("fit", "lstm", "--data", table, "--text", "q", "--label", "k", "--out", tmp_path / "x")
    assert (
        refused.returncode == 2 and "2 of 5 rows cannot be used" in refused.stderr and "--on-bad drop" in refused.stderr
    )
    assert "row 2: column 'q' holds ' '" in refused.stderr and "row 4: column 'k' holds ''" in refused.stderr
    done = run_here("clean", "--data", table, "--text", "q", "--label", "k", "--out", tmp_path / "kept.csv", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kept"] == 2 and told["unreadable"][0][0] == "row 2" and told["removed"][0]["reason"] == "duplicate"
    assert (tmp_path / "kept.csv").read_text().splitlines() == ["q,k", "Who wrote it ?,a", "Where is it ?,b"]
    assert json.loads((tmp_path / "kept.removed.json").read_text()) == told


def test_verdicts_follow_the_interval():
    from augsynth.utility.comparison import compare

    assert compare([0.5, 0.51, 0.52], [0.6, 0.61, 0.62], what="It").word == "helps"
    assert compare([0.6, 0.61, 0.62], [0.5, 0.51, 0.52], what="It").word == "hurts"
    unclear = compare([0.5, 0.6, 0.55], [0.55, 0.55, 0.56], what="It")
    assert unclear.word == "no difference" and unclear.interval[0] < 0 < unclear.interval[1]
    assert compare([0.5, 0.5], [0.5, 0.5], what="It").word == "no difference"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged") / "gen"
    done = run("fit", "vae", "--data", "digits", "--steps", "60", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_recording_is_judged_like_a_generator(checkpoint, tmp_path):
    labels = [i % 10 for i in range(200)]
    augsynth.record(augsynth.load(checkpoint), 200, tmp_path / "kept", labels=labels, progress=False)
    done = run("evaluate", str(tmp_path / "kept"), "--data", "digits", "-n", "100", "--json")
    assert json.loads(done.stdout)["settings"]["generator"].startswith("recorded"), done.stdout[:2000]


def test_evaluate_uplift_and_report(checkpoint, tmp_path, monkeypatch, run_here):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "verdict"
    done = run_here("evaluate", str(checkpoint), "--data", "digits", "-n", "100", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "near_copies" in done.stdout and f"report: {out / 'evaluation.html'}" in done.stdout
    done = run_here(
        "uplift", str(checkpoint), "--data", "digits", "--classic", "none", "--seeds", "2", "--steps", "20",
        "--unlabelled", "digits", "--out", str(out), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert numbers["verdict"] in ("helps", "hurts", "no difference") and set(numbers["arms"]) == {
        "real",
        "real + synthetic",
        "real + pseudo-labels",
    }
    assert "Labels from a judge for" in numbers["sentence"]
    again = ["uplift", str(checkpoint), "--data", "digits", "--classic", "none", "--seeds", "2", "--steps", "20"]
    done = run_here(*again, "--unlabelled", "digits", "--out", str(out), "--ratio", "0.5", "--mode", "vary")
    assert done.returncode != 0 and "other settings (they differ in: mode, ratio)" in " ".join(done.stderr.split())
    (out / "uplift.html").unlink()
    done = run_here("report", str(out))
    assert done.returncode == 0, done.stderr
    assert numbers["sentence"] in done.stdout and "near_copies" in done.stdout and (out / "uplift.html").is_file()


def test_tune_answers_and_keeps_its_study(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = ["tune", "autoencoder", "--data", "digits", "--trials", "1", "--steps", "20"]
    done = run(*command, "--study", str(tmp_path / "study"), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Don't") and (tmp_path / "study").is_file()
    assert json.loads((tmp_path / "tuning.json").read_text())["ratio"] == 0.0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["report", "{tmp}"], "holds no verdict"),
        (["evaluate", "{gen}", "--data", "{npz}"], "has no test split: pass --holdout"),
        (["evaluate", "{gen}", "--data", "digits", "--holdout", "digits"], "are in the training data as well"),
        (["uplift", "{gen}", "--data", "digits", "--classic", "vgg"], "vgg"),
        (["tune", "vae", "--data", "digits", "--trials", "0"], "trials=0"),
    ],
)
def test_mistakes_in_judging_are_one_line(checkpoint, tmp_path, command, message, run_here):
    names = {"{tmp}": str(tmp_path), "{gen}": str(checkpoint), "{npz}": str(tmp_path / "x.npz")}
    done = run_here(*[names.get(part, part) for part in command])
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "objects.npz", x=np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(augsynth.DataError, match="objects.npz cannot be read: Object arrays cannot be loaded"):
        open_dataset(str(tmp_path / "objects.npz"))


def test_check_tells_what_came_of_every_check():
    done = run("check", "augsynth-template/speckle")
    assert done.returncode == 0 and "augsynth-template/speckle: 8 passed" in done.stdout, done.stderr
    # a filter that needs real data has none here, and says so
    done = run("check", "density", "--json")
    outcomes = json.loads(done.stdout)
    assert done.returncode == 1 and len(outcomes) == 5 and {one["status"] for one in outcomes} == {"failed"}
    assert "real is missing" in outcomes[0]["told"]
    done = run("check", "nothing")
    assert done.returncode == 2 and "there is no plugin 'nothing' here" in done.stderr
