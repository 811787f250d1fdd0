"""What is found in data before anything is fitted on it, and that nothing is taken out unlisted."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F  # noqa: N812 - as in torch's documentation

import augsynth
from augsynth.datasets.arrays import ArrayDataset
from augsynth.datasets.named import open_dataset

pytest.importorskip("imagehash")
pytest.importorskip("cleanlab")


def pictures(n, seed=0, side=32):
    """n smooth images, unlike one another."""
    coarse = torch.rand(n, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    fine = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
    return (fine * 255).to(torch.uint8)


def test_duplicates_and_leaks():
    x = pictures(20)
    brighter = (x[3].float() * 0.9 + 20).clamp(0, 255).to(torch.uint8)
    train = ArrayDataset(torch.cat([x, x[:1], brighter[None]]), [i % 2 for i in range(22)], ["a", "b"])
    test = ArrayDataset(torch.cat([pictures(5, seed=1), x[7:8]]), [0, 1, 0, 1, 0, 0], ["a", "b"])
    found = augsynth.prepare(train, test, look_for=["duplicates", "leaks"], progress=False)
    rows = {(one.kind, one.index, one.other) for one in found.findings}
    assert rows == {("duplicates", 20, 0), ("duplicates", 21, 3), ("leaks", 7, 5)}
    details = {one.index: one.detail for one in found.findings}
    assert details[20] == "the same as sample 0" and "nearly the same" in details[21]
    assert "under another label" in details[7]  # 1 here, 0 there
    assert found.kept() == [i for i in range(22) if i not in (7, 20, 21)] and len(found.cleaned()) == 19
    assert found.kept([]) == list(range(22))
    with pytest.raises(augsynth.ConfigError, match=r"drop=\['doubles'\]"):
        found.kept(["doubles"])


def test_wrong_labels_and_outliers_in_digits():
    data = open_dataset("digits").subset(torch.arange(600))
    wrong = list(range(0, 600, 60))
    for i in wrong:
        data.targets[i] = (data.targets[i] + 3) % 10
    for i, odd in enumerate((5, 51, 77)):
        noise = torch.randint(0, 256, (1, 8, 8), generator=torch.Generator().manual_seed(i))
        data.inputs[odd] = noise.to(torch.uint8)
    data.inputs[99] = 255 - data.inputs[99]
    found = augsynth.prepare(data, look_for=["labels", "outliers"], device="cpu", progress=False)
    doubted = {one.index for one in found.of("labels")}
    assert len(doubted & set(wrong)) >= 8 and len(doubted - set(wrong)) <= 15
    assert "labelled" in found.of("labels")[0].detail
    odd = {one.index for one in found.of("outliers")}
    assert odd >= {5, 51, 77, 99} and len(odd) <= 8


def test_one_thing_photographed_twice():
    def photo(seed, turn=0.0):
        """A thing of its own outline and grain, turned a little, under another light."""
        generator = torch.Generator().manual_seed(seed)
        grain = torch.rand(1, 1, 48, 48, generator=generator)
        x = F.interpolate(grain, (96, 96), mode="bicubic")
        angle = torch.tensor(turn)
        rows = torch.tensor([[angle.cos(), -angle.sin(), turn / 4], [angle.sin(), angle.cos(), -turn / 4]])[None]
        x = F.grid_sample(x, F.affine_grid(rows, [1, 1, 96, 96], align_corners=False), align_corners=False)
        disc = (torch.linspace(-1, 1, 96)[:, None] ** 2 + torch.linspace(-1, 1, 96) ** 2 < 0.8).float()
        light = 0.7 + 0.1 * torch.linspace(-1, 1, 96) * (1 if turn else -1)
        return ((x[0] * 0.6 + 0.2) * disc * light).clamp(0, 1).mul(255).to(torch.uint8)

    x = torch.stack([*(photo(seed) for seed in range(8)), photo(3, turn=0.05)])
    found = augsynth.prepare(ArrayDataset(x, [0] * 9, ["a"]), look_for=["duplicates"], progress=False)
    (one,) = found.findings
    assert (one.index, one.other) == (8, 3) and "photographed again" in one.detail


def test_what_is_not_looked_for_is_said():
    data = open_dataset("digits").subset(torch.arange(40))
    found = augsynth.prepare(data, look_for=["duplicates", "labels"], progress=False)
    assert any("under 32 pixels" in note for note in found.notes)
    assert any("8 are the least" in note for note in found.notes)
    with pytest.raises(augsynth.ConfigError, match="jobs=0: expected a whole number from 1 up"):
        augsynth.prepare(data, jobs=0)
    with pytest.raises(augsynth.ConfigError, match="look_for='labels'"):
        augsynth.prepare(data, look_for="labels")


def test_labels_are_not_doubted_by_classifiers_that_know_nothing():
    data = open_dataset("digits").subset(torch.arange(200))
    data.targets = [i % 2 for i in range(200)]  # by chance alone
    found = augsynth.prepare(data, look_for=["labels"], progress=False, device="cpu")
    assert not found.findings and "labels are not doubted: classifiers name that of" in found.notes[0]


def test_texts():
    texts = ["Where is the river Nile ?", "Who wrote Hamlet ?", "where is the river nile ??", "Who wrote Hamlet ?"]
    held = [("Who wrote Hamlet ?", "b"), ("What is an atom ?", "a")]
    found = augsynth.prepare(
        list(zip(texts, "abab", strict=True)), held, look_for=["duplicates", "leaks"], progress=False
    )
    rows = {(one.kind, one.index, one.other) for one in found.findings}
    assert rows == {("duplicates", 2, 0), ("duplicates", 3, 1), ("leaks", 1, 0), ("leaks", 3, 0)}


def test_the_page_and_the_list(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i, x in enumerate(pictures(6, seed=ord(name))):
            Image.fromarray(np.asarray(x.permute(1, 2, 0))).save(tmp_path / "photos" / name / f"{i}.png")
    (tmp_path / "photos" / "b" / "0.png").replace(tmp_path / "photos" / "b" / "=cmd.png")
    (tmp_path / "photos" / "b" / "copy.png").write_bytes((tmp_path / "photos" / "a" / "2.png").read_bytes())
    (tmp_path / "photos" / "b" / "broken.png").write_bytes(b"no picture")
    with pytest.warns(augsynth.ConversionWarning, match="1 of 14 files are left out.*broken.png"):
        data = open_dataset(str(tmp_path / "photos"), on_bad="drop")
    found = augsynth.prepare(data, look_for=["duplicates"], progress=False)
    (one,) = found.findings
    assert one.file.endswith("copy.png") and found.unreadable[0][0].endswith("broken.png")
    page = found.save(tmp_path / "out", dropped=["duplicates"]).read_text()
    assert "copy.png" in page and "broken.png" in page and "Taken out: duplicates; 12 samples are left" in page
    with (tmp_path / "out" / "findings.csv").open() as file:
        assert [row["file"] for row in csv.DictReader(file)] == [one.file]
    assert json.loads((tmp_path / "out" / "findings.json").read_text())["kept"] == 12
    assert "copy.png" in str(found)


def test_names_do_not_become_formulas():
    from augsynth.preparing.findings import Finding, Preparation, _table

    assert "'=cmd" in _table([Finding("labels", 0, "", file="=cmd|x")])
    assert Preparation([1], []).counts == {"duplicates": 0, "leaks": 0, "labels": 0, "outliers": 0}
