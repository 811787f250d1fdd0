"""Texts from files."""

import json

import pytest

import augsynth
from augsynth.datasets.named import open_dataset


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_the_formats_agree(tmp_path):
    rows = [("How far, really?", "number"), ('Who said "no"?', "human"), ("Line\nbreak 👍", "entity")]
    quoted = ['"' + text.replace('"', '""') + '",' + label for text, label in rows]
    files = [
        write(tmp_path / "a.csv", "question,kind\n" + "\n".join(quoted) + "\n"),
        write(tmp_path / "a.jsonl", "\n".join(json.dumps({"question": t, "kind": y}) for t, y in rows) + "\n\n"),
    ]
    for file in files:
        assert list(open_dataset(file, text="question", label="kind")) == rows
        assert open_dataset(file, text="question", label="kind").targets == [y for _, y in rows]
        assert list(open_dataset(file, text="question")) == [text for text, _ in rows]


@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
def test_what_stands_between_columns_is_seen(tmp_path, between):
    rows = [("Yes, well", "a"), ("no; nor | so", "b")]
    lines = [f'"{text}"{between}{label}' for text, label in rows]
    file = write(tmp_path / "a.csv", "\n".join([f"text{between}kind", *lines]))
    assert list(open_dataset(file, label="kind")) == rows
    with pytest.raises(augsynth.DataError, match="line 2: expected 2 fields"):
        open_dataset(write(tmp_path / "b.csv", f"text{between}kind\na{between}b{between}c\n"), label="kind")


def test_a_column_that_is_called_label_and_not_read_is_told(tmp_path):
    file = write(tmp_path / "a.csv", "text,Label\na b,x\nc d,y\n")
    with pytest.warns(
        augsynth.ConversionWarning, match="without labels: its column 'Label' is left out; --label Label"
    ):
        assert list(open_dataset(file)) == ["a b", "c d"]
    assert list(open_dataset(file, label="Label")) == [("a b", "x"), ("c d", "y")]
    assert list(open_dataset(file, text="Label")) == ["x", "y"]


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"text": ["a b", "c d"], "y": [1, 0]}), tmp_path / "a.parquet")
    assert list(open_dataset(str(tmp_path / "a.parquet"), label="y")) == [("a b", 1), ("c d", 0)]
    with pytest.raises(augsynth.DataError, match="cannot be read as Parquet"):
        open_dataset(write(tmp_path / "b.parquet", "nothing"))


@pytest.mark.parametrize(
    ("name", "content", "columns", "error", "message"),
    [
        ("a.csv", "q,k\nx,1\n", {"text": "text"}, augsynth.ConfigError, "no column 'text'; it has: q, k"),
        ("a.csv", "q,k\nx,1\n", {}, augsynth.ConfigError, "the columns q, k: say which.*--text"),
        ("a.csv", "text,k\nx,1\n", {"label": "y"}, augsynth.ConfigError, "no column 'y'; it has: text, k"),
        ("a.csv", b"text\nok\nbad \xff byte\n", {}, augsynth.DataError, r"line 3: not UTF-8 \(byte b'\\xff'\)"),
        ("a.csv", "text,k\nx,1\n ,2\n", {}, augsynth.DataError, "row 2: column 'text' holds ' '"),
        ("a.csv", "text,k\nx,\n", {"label": "k"}, augsynth.DataError, "row 1: column 'k' holds ''"),
        ("a.csv", "text,k\nx\n", {}, augsynth.DataError, "line 2: expected 2 fields"),
        ("a.csv", "text\n", {}, augsynth.DataError, "has no rows"),
        ("a.jsonl", '{"text": "a"}\n{oops}\n', {}, augsynth.DataError, "line 2: not JSON"),
        ("a.jsonl", "[1]\n", {}, augsynth.DataError, "line 1: expected an object"),
        ("a.jsonl", '{"text": "a"}\n{"t": "b"}\n', {}, augsynth.DataError, "row 2: column 'text' holds None"),
    ],
)
def test_bad_tables_are_named(tmp_path, name, content, columns, error, message):
    with pytest.raises(error, match=message):
        open_dataset(write(tmp_path / name, content), **columns)


def test_a_path_is_a_name(tmp_path):
    write(tmp_path / "a.csv", "text\na b\n")
    assert list(open_dataset(tmp_path / "a.csv")) == ["a b"]
    with pytest.raises(augsynth.ConfigError, match="name=None: expected the name or path of a dataset"):
        open_dataset(None)


def test_columns_are_for_tables(tmp_path):
    with pytest.raises(augsynth.ConfigError, match="takes no --text"):
        open_dataset("digits", text="text")
    with pytest.raises(augsynth.ConfigError, match="no such file"):
        open_dataset("nowhere.csv")
