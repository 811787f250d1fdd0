"""Files, names and texts made to do harm: one clear error, nothing executed, nothing outside the folder, no flood."""

import csv
import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import augsynth
from augsynth._cells import plain_cell, safe_cell
from augsynth._names import file_name
from augsynth._printable import printable
from augsynth.checkpoint.format import WEIGHTS
from augsynth.datasets.named import open_dataset
from augsynth.modalities.image.tiny import TinyImages
from augsynth.sample_files import write_each, write_rows
from tests.support import signed

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe"
NAMES = ["..", ".", "/etc/passwd", "a/../../b", "C:\\x", "con\x00", "", " . ", SCRIPT, ESCAPE, "x" * 5000, "\u202e"]


pytestmark = pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning")  # a few steps on noise may well collapse

# ---------------------------------------------------------------------- names of files


@pytest.mark.parametrize("name", NAMES)
def test_a_class_of_any_name_stays_in_its_folder(tmp_path, name):
    rows = [{"condition": name, "seed": 1}]
    batch = augsynth.SampleBatch([0], [name], rows, [0])
    write_each(batch, tmp_path / "out", ".txt", lambda i, file: file.write_text("x"))
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) == 1 and made[0].resolve().is_relative_to((tmp_path / "out").resolve())
    assert len(made[0].relative_to(tmp_path / "out").parts) == 2


@given(st.text())
def test_names_of_files_are_names_of_files(name):
    made = file_name(name)
    assert made not in ("", ".", "..") and not re.search(r"[/\\\x00-\x1f]", made) and len(made) <= 100


# ---------------------------------------------------------------------- tables


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "'=1", "''+x"])
def test_what_a_spreadsheet_would_run_is_written_as_text_and_read_as_it_was(tmp_path, cell):
    write_rows([{"text": cell, "label": "a"}, {"text": "plain", "label": cell}], tmp_path / "x.csv")
    raw = (tmp_path / "x.csv").read_text(encoding="utf-8")
    assert all(one[:1] not in ("=", "+", "-", "@", "\t", "\r") for row in csv.reader(io.StringIO(raw)) for one in row)
    again = open_dataset(str(tmp_path / "x.csv"), text="text", label="label")
    assert [again[0][0], again[1][1]] == [cell, cell]


@given(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.none()))
def test_cells_come_back(value):
    assert plain_cell(safe_cell(value)) == value
    if isinstance(value, float):
        assert safe_cell(str(value)) == str(value), "numbers stay numbers"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.jsonl", b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"),
        ("digits.jsonl", b'{"text": ' + b"9" * 10_000 + b"}\n"),
        ("nul.csv", b"text,label\n\x00\x00,1\n"),
        ("long.csv", b"text\n" + b"a" * 11_000_000 + b"\n"),
        ("latin.csv", b"text\n\xff\xfe\n"),
        ("ragged.csv", b"text,label\na\n"),
        ("junk.parquet", b"PAR1" + b"\x00" * 64 + b"PAR1"),
        ("junk.npz", b"PK\x03\x04" + b"\x00" * 64),
        ("empty.npz", b""),
    ],
)
def test_a_broken_table_is_one_clear_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    try:
        read = open_dataset(str(tmp_path / name), **({} if name.endswith("npz") else {"text": "text"}))
    except augsynth.AugsynthError as error:
        assert name in str(error) and len(str(error)) < 2000
    else:
        assert name == "nul.csv" and len(read) == 1, "Python reads NUL as a character from 3.11 on"


# ---------------------------------------------------------------------- bombs


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("augsynth.datasets.named._ARCHIVE", 2**20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((64, 256, 256), np.float32))
    with pytest.raises(augsynth.DataError, match=r"unpacks to 16,777,\d+ bytes, [\d,]+ times its size"):
        open_dataset(str(tmp_path / "bomb.npz"))


def test_a_table_that_unpacks_to_far_more_is_refused_before_it_is_in_memory(tmp_path, monkeypatch):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 1000]))
    parquet.write_table(pa.table({"text": words}), tmp_path / "bomb.parquet", store_schema=False)
    with monkeypatch.context() as patched:
        patched.setattr("augsynth._parquet._FREE", 2**22)
        patched.setattr("augsynth._parquet._RATIO", 20)
        with pytest.raises(augsynth.DataError, match=r"unpacks to more than [45],\d+,\d+ bytes, \d+ times its size"):
            open_dataset(str(tmp_path / "bomb.parquet"))
    assert len(open_dataset(str(tmp_path / "bomb.parquet"))) == 100_000, "what is meant is read"


def test_an_array_that_claims_to_be_huge_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000), }"
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    with zipfile.ZipFile(tmp_path / "claims.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\x00" * 8)
    with pytest.raises(augsynth.DataError, match="claims.npz cannot be read"):
        open_dataset(str(tmp_path / "claims.npz"))


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "pickle.npz", x=np.array([{"a": print}], dtype=object))
    with pytest.raises(augsynth.DataError, match="allow_pickle"):
        open_dataset(str(tmp_path / "pickle.npz"))


def test_a_picture_that_unpacks_to_gigabytes_is_one_clear_error(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\x00" * 10**6))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bomb.png").write_bytes(bomb + chunk(b"IEND", b""))
    Image.new("RGB", (16, 16)).save(tmp_path / "a" / "fine.png")
    with pytest.raises(augsynth.DataError, match="bomb.png"):
        data = open_dataset(str(tmp_path))
        for i in range(len(data)):
            data[i]


# ---------------------------------------------------------------------- checkpoints


@pytest.fixture
def checkpoint(tmp_path):
    gen = augsynth.fit("vae", TinyImages(24, (1, 8, 8)), steps=2, width=8, progress=False)
    return gen.save(tmp_path / "gen")


def _weights(header, body=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


WEIGHTS_OF = {
    "a header of 2**63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "a header of 100 MB that is not there": struct.pack("<Q", 99_999_999) + b"{}",
    "an empty header": struct.pack("<Q", 0),
    "nothing": b"",
    "2**60 numbers": _weights({"a": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 2**62]}}),
    "numbers that are not there": _weights({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}),
    "another dtype": _weights({"a": {"dtype": "X99", "shape": [1], "data_offsets": [0, 4]}}, b"\x00" * 4),
    "a negative size": _weights({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"\x00" * 4),
    "a deep header": _weights(b"[" * 200_000),
    "other names": _weights({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}, b"\x00" * 8),
}


@pytest.mark.parametrize("what", WEIGHTS_OF)
def test_weights_with_absurd_headers(checkpoint, what):
    (checkpoint / WEIGHTS).write_bytes(WEIGHTS_OF[what])
    signed(checkpoint, lambda description: None)
    with pytest.raises(augsynth.CheckpointError, match="gen"):
        augsynth.load(checkpoint)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(plugin="os/system"),
        lambda d: d.update(plugin="../../evil"),
        lambda d: d["spec"].update(height=2**40),
        lambda d: d["spec"].update(modality="../x"),
        lambda d: d["spec"].update(dtype="float999"),
        lambda d: d["spec"]["labels"].update(values=[[]]),
        lambda d: d["config"].update(width=10**9),
        lambda d: d["config"].update(__class__="x"),
        lambda d: d.update(spec={}),
        lambda d: d.update(config={"latent_dim": "a"}),
    ],
)
def test_descriptions_signed_by_an_attacker(checkpoint, change):
    signed(checkpoint, change)
    with pytest.raises(augsynth.CheckpointError) as told:
        augsynth.load(checkpoint)
    assert len(str(told.value)) < 3000


def test_weights_that_are_a_link_to_elsewhere(checkpoint, tmp_path):
    (tmp_path / "secret").write_text("a secret of this machine")
    (checkpoint / WEIGHTS).unlink()
    (checkpoint / WEIGHTS).symlink_to(tmp_path / "secret")
    with pytest.raises(augsynth.CheckpointError) as told:
        augsynth.load(checkpoint)
    assert "a secret" not in str(told.value)


# ---------------------------------------------------------------------- pages and terminals


@pytest.fixture(scope="module")
def hostile():
    class Named(torch.utils.data.Dataset):
        def __init__(self, seed):
            self.inner, self.classes = TinyImages(60, (1, 8, 8), seed=seed, classes=3), [SCRIPT, ESCAPE, "{{ 7 * 7 }}"]

        def __len__(self):
            return len(self.inner)

        def __getitem__(self, index):
            return self.inner[index]

    return Named(0), Named(1)


def _harmless(page):
    html = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in html and "<script>alert" not in html and "onerror=alert(2)>" not in html
    assert len(re.findall(r"<script", html)) == html.count("const filter"), "one script at most, and it is ours"
    assert ">49<" not in html, "no template in the data is filled"


def test_pages_run_nothing_from_data(hostile, tmp_path):
    gen = augsynth.fit("vae", hostile[0], steps=4, width=8, progress=False)
    augsynth.evaluate(gen, *hostile, n=60, judge_steps=20, out=tmp_path / "evaluation", progress=False)
    _harmless(tmp_path / "evaluation" / "evaluation.html")
    assert "&lt;script&gt;alert(1)" in (tmp_path / "evaluation" / "evaluation.html").read_text()
    augsynth.uplift(*hostile, gen, seeds=2, steps=10, jobs=1, out=tmp_path / "uplift", progress=False)
    _harmless(tmp_path / "uplift" / "uplift.html")
    texts = [(f"{SCRIPT} {ESCAPE} number {i}", ("a", SCRIPT)[i % 2]) for i in range(40)]
    augsynth.prepare(texts, progress=False).save(tmp_path / "prepared")
    _harmless(tmp_path / "prepared" / "preparation.html")
    augsynth.annotate([text for text, _ in texts[:10]], texts, progress=False).save(tmp_path / "annotated")
    _harmless(next((tmp_path / "annotated").glob("*.html")))


def test_the_script_is_the_one_that_the_policy_allows(hostile, tmp_path):
    import base64
    import hashlib

    gen = augsynth.fit("vae", hostile[0], steps=4, width=8, progress=False)
    augsynth.evaluate(gen, *hostile, n=60, judge_steps=20, out=tmp_path, progress=False)
    html = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    script = re.search(r"<script>(.*?)</script>", html, re.S)[1]
    allowed = re.search(r"sha256-([^&']+)", html)[1]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() == allowed


def test_terminals_are_not_steered(tmp_path):
    assert printable("a\tb\nc") == "a\tb\nc" and printable(ESCAPE).isprintable()
    assert json.loads(printable(json.dumps(NAMES, ensure_ascii=False))) == NAMES, "JSON stays JSON"
    (tmp_path / "x.csv").write_text(
        "text,label\n" + "".join(f"the cat sat on mat {i},{ESCAPE}{i % 2}\n" for i in range(40)), encoding="utf-8"
    )
    call = [sys.executable, "-m", "augsynth"]
    done = subprocess.run(
        [*call, "fit", "lstm", "--data", "x.csv", "--text", "text", "--label", "label", "--steps", "4", "--out", "gen"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for arguments in (
        ["sample", "gen", "-n", "4"],
        ["sample", "gen", "--label", ESCAPE],
        ["fit", ESCAPE, "--out", "y"],
    ):
        done = subprocess.run([*call, *arguments], cwd=tmp_path, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert said and "\x1b" not in said and "\x07" not in said and "\u202e" not in said, arguments
