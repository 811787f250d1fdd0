"""The sampler as one file: the same samples by the same seeds, without augsynth."""

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

import augsynth
from augsynth.normal_quantile import normal_quantile
from augsynth.seeding import noise, traceable, uniform

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")


def fitted(name, **settings):
    x = torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    return augsynth.fit(name, TensorDataset(x, torch.arange(40) % 3), steps=3, progress=False, **settings)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vae", {}),
        ("autoencoder", {}),
        ("gan", {}),
        ("vaegan", {}),
        ("flow", {}),
        ("flow", {"guidance": 3.0, "sampling_steps": 1, "solver": "heun"}),
    ],
)
def test_the_file_gives_the_same_samples(name, options, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    gen = fitted(name, width=16)
    path = gen.export("onnx", tmp_path / "sampler.onnx", temperature=0.8, **options)
    session = onnxruntime.InferenceSession(path.read_bytes())
    for n in (1, 5, 33):
        seeds, labels = torch.arange(n) * 7 + 3, torch.arange(n) % 3
        (x,) = session.run(None, {"seeds": seeds.numpy(), "labels": labels.numpy()})
        expected = gen.sample(labels=labels.tolist(), seeds=seeds, temperature=0.8, **options).x
        assert x.dtype == np.float32 and np.abs(x - expected.numpy()).max() < 1e-3
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["augsynth.classes"] == "0\n1\n2" and facts["augsynth.generator"].endswith(name)
    assert [one.name for one in tmp_path.iterdir()] == ["sampler.onnx"]


def test_without_labels(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    x = (torch.rand(40, 8, 8, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    gen = augsynth.fit("vae", list(x), steps=3, width=8, progress=False)
    session = onnxruntime.InferenceSession(gen.export("onnx", tmp_path / "s.onnx").read_bytes())
    assert [one.name for one in session.get_inputs()] == ["seeds"]
    (made,) = session.run(None, {"seeds": np.arange(4)})
    assert made.dtype == np.uint8 and made.shape[0] == 4


def test_what_cannot_be_exported(tmp_path):
    gen = fitted("vae", width=8)
    for given, message in (
        (("tflite", tmp_path / "a"), "format='tflite'"),
        (("onnx", tmp_path / "a.pt"), "ends in .onnx"),
    ):
        with pytest.raises(augsynth.ConfigError, match=message):
            gen.export(*given)
    with pytest.raises(augsynth.ConfigError, match="top_p"):
        gen.export("onnx", tmp_path / "a.onnx", top_p=0.9)
    texts = augsynth.fit("lstm", ["a b c", "b c a", "c a b"] * 4, steps=2, progress=False)
    with pytest.raises(augsynth.CapabilityError, match="no tensors"):
        texts.export("onnx", tmp_path / "a.onnx")
    with pytest.raises(augsynth.CapabilityError, match="one after the other"):
        fitted("vqvae", width=16).export("onnx", tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_traced_numbers_are_the_same():
    seeds = torch.arange(50) * 10**14 - 7
    plain = noise(seeds, (3, 5), stream=2), noise(seeds, (4,), truncation=0.5), uniform(seeds, (2,))
    with traceable():
        traced = noise(seeds, (3, 5), stream=2), noise(seeds, (4,), truncation=0.5), uniform(seeds, (2,))
    assert all(torch.equal(a, b) for a, b in zip(plain, traced, strict=True))
    p = torch.cat(
        [torch.rand(1000, dtype=torch.float64), torch.tensor([1e-12, 2.0**-33, 0.5, 1 - 2.0**-33], dtype=torch.float64)]
    )
    assert (normal_quantile(p) - torch.special.ndtri(p)).abs().max() < 1e-12


def test_the_hub(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    gen, remote = fitted("vae", width=8), tmp_path / "remote"

    class Api:
        def __init__(self, token):
            assert token == "secret"

        def create_repo(self, repo_id, *, private, exist_ok):
            assert private and exist_ok

        def upload_folder(self, *, repo_id, folder_path, commit_message, allow_patterns):
            import fnmatch
            import shutil
            from pathlib import Path

            remote.mkdir()
            for one in Path(folder_path).iterdir():
                assert any(fnmatch.fnmatch(one.name, pattern) for pattern in allow_patterns)
                shutil.copy(one, remote)
            return f"https://huggingface.co/{repo_id}"

    def snapshot_download(repo_id, *, revision, allow_patterns):
        if repo_id != "me/digits":
            raise OSError("404")
        assert revision == "v1" and "*.py" not in allow_patterns
        return str(remote)

    monkeypatch.setattr(hub, "HfApi", Api)
    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    assert gen.push_to_hub("me/digits", private=True, token="secret").endswith("me/digits")
    again = augsynth.load("hf:me/digits@v1")
    assert torch.equal(again.sample(3, seed=0).x, gen.sample(3, seed=0).x)
    with pytest.raises(
        augsynth.CheckpointError, match="'hf:me/other' cannot be fetched from the Hugging Face Hub: 404"
    ):
        augsynth.load("hf:me/other")
