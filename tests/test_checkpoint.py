"""Checkpoints: plain data, whole or not at all, and checked when they are loaded."""

import errno
import json
import os
import tracemalloc
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import augsynth
from augsynth import _atomic
from augsynth.checkpoint import writing
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit, signed


@pytest.fixture
def saved(tiny_vae, tmp_path):
    return tiny_vae.save(tmp_path / "model")


def test_the_folder_holds_plain_data(saved, tiny_vae):
    description = json.loads((saved / "generator.json").read_text())
    assert description["plugin"] == "augsynth/vae" and description["plugin_version"] == augsynth.__version__
    assert description["fit"]["data_fingerprint"] and description["config"]["width"] == 8
    assert description["spec"]["labels"]["values"] == [0, 1, 2]
    for file in saved.iterdir():
        assert b"pickle" not in file.read_bytes() and not file.read_bytes().startswith(b"\x80")
    assert set(load_file(saved / "model.safetensors")) == set(tiny_vae.state_dict())
    assert Image.open(saved / "preview.png").size[0] > 50
    assert "augsynth/vae" in (saved / "README.md").read_text()


def test_the_gan_saves_no_discriminator(gan, tmp_path):
    names = load_file(gan.save(tmp_path / "gan") / "model.safetensors")
    assert names and not [name for name in names if name.startswith(("discriminator", "generator"))]


def test_training_rows_are_not_inside(digits, vae, tmp_path):
    tensors = load_file(vae.save(tmp_path / "model") / "model.safetensors").values()
    latents = vae.encode(digits.tensors[0], digits.tensors[1])
    rows = torch.cat([t.reshape(-1, latents.shape[1]) for t in tensors if t.ndim and t.shape[-1] == latents.shape[1]])
    assert torch.cdist(latents, rows.float()).min() > 1e-3, "a training latent is stored"


def test_missing(tmp_path, saved):
    with pytest.raises(augsynth.CheckpointError, match="there is no checkpoint at"):
        augsynth.load(tmp_path / "nothing")
    with pytest.raises(augsynth.CheckpointError, match="is a file"):
        augsynth.load(saved / "README.md")
    (saved / "model.safetensors").unlink()
    with pytest.raises(augsynth.CheckpointError, match="model.safetensors is missing"):
        augsynth.load(saved)
    (saved / "generator.json").unlink()
    with pytest.raises(augsynth.CheckpointError, match="generator.json is missing"):
        augsynth.load(saved)


@pytest.mark.parametrize("name", ["model.safetensors", "generator.json"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated(saved, name, share):
    file = saved / name
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(augsynth.CheckpointError, match="truncated|damaged"):
        augsynth.load(saved)


def test_tampered_weights(saved):
    data = bytearray((saved / "model.safetensors").read_bytes())
    data[-3] ^= 1
    (saved / "model.safetensors").write_bytes(data)
    with pytest.raises(augsynth.CheckpointError, match="SHA-256 differs"):
        augsynth.load(saved)


def test_tampered_description(saved):
    description = json.loads((saved / "generator.json").read_text())
    description["config"]["width"] = 16
    (saved / "generator.json").write_text(json.dumps(description))
    with pytest.raises(augsynth.CheckpointError, match="digest does not match"):
        augsynth.load(saved)


def _rewrite(saved, **changes):
    signed(saved, lambda description: description.update(changes))


def test_a_plugin_that_is_not_installed_names_the_distribution(saved):
    _rewrite(saved, plugin="augsynth-diffusion/ddpm", plugin_version="2.0")
    with pytest.raises(augsynth.CheckpointError, match="pip install augsynth-diffusion"):
        augsynth.load(saved)


def test_a_newer_format_asks_for_an_upgrade(saved):
    _rewrite(saved, format=99)
    with pytest.raises(augsynth.CheckpointError, match="format 99.*upgrade"):
        augsynth.load(saved)


def test_settings_that_do_not_fit_the_weights(saved):
    config = json.loads((saved / "generator.json").read_text())["config"]
    _rewrite(saved, config={**config, "width": 16})
    with pytest.raises(augsynth.CheckpointError, match="does not fit"):
        augsynth.load(saved)


def test_a_setting_newer_than_the_checkpoint_has_its_default_not_the_preset(tmp_path):
    gan = quick_fit("gan", TinyImages(8, (1, 20, 20)), steps=2, width=8, base_multiplier=1)
    assert type(gan).presets(gan.spec, 8)["base_multiplier"] == 2
    saved = gan.save(tmp_path / "gan")
    before = {name: value for name, value in gan.config.items() if name != "base_multiplier"}
    _rewrite(saved, config=before)
    assert torch.equal(augsynth.load(saved).sample(4, seed=0).model_x, gan.sample(4, seed=0).model_x)


def test_nothing_named_in_the_folder_is_imported(saved, tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('executed')")
    monkeypatch.syspath_prepend(tmp_path)
    (saved / "evil.py").write_text("raise SystemExit('executed')")
    for plugin in ("evil", "evil:Thing", "evil/evil"):
        _rewrite(saved, plugin=plugin)
        with pytest.raises(augsynth.CheckpointError):
            augsynth.load(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": [1, 2]}, "'config' is of type list, expected dict"),
        ({"config": None}, "'config' is of type NoneType"),
        ({"spec": "image"}, "'spec' is of type str"),
        ({"sha256": 3}, "'sha256' is of type int"),
        ({"plugin": 7}, "'plugin' is of type int"),
        ({"plugin": "../../etc"}, "no name of a plugin"),
        ({"plugin": "x; rm -rf ~/y"}, "no name of a plugin"),
        ({"config": {"no_such": 1}}, "does not take"),
    ],
)
def test_a_description_of_other_types_is_refused_in_one_clear_error(saved, changes, message):
    _rewrite(saved, **changes)
    with pytest.raises(augsynth.CheckpointError, match=message) as caught:
        augsynth.load(saved)
    assert "pip install" not in str(caught.value), "nothing in a file is repeated as advice unless it is a name"


@pytest.mark.parametrize("change", ["width", "height", "classes", "modality", "labels"])
def test_sizes_are_bounded_before_memory_is_asked_for(saved, change):
    description = json.loads((saved / "generator.json").read_text())
    spec, config = description["spec"], description["config"]
    if change == "width":
        config["width"] = 2**30
    elif change == "height":
        spec["height"] = 2**40
    elif change == "classes":
        config["components"] = 2**33
    elif change == "modality":
        spec["modality"] = "../../etc"
    else:
        spec["labels"] = "many"
    _rewrite(saved, spec=spec, config=config)
    tracemalloc.start()
    with pytest.raises(augsynth.CheckpointError) as caught:
        augsynth.load(saved)
    assert tracemalloc.get_traced_memory()[1] < 2**26, "memory was taken for what is refused"
    tracemalloc.stop()
    assert "pip install .." not in str(caught.value)


class _FullDisk(OSError):
    pass


@pytest.mark.parametrize("moment", ["weights", "description", "flush", "first rename", "second rename"])
def test_a_failure_in_mid_save_leaves_the_previous_checkpoint_whole(saved, gan, vae, monkeypatch, moment):
    before = {file.name: file.read_bytes() for file in saved.iterdir()}

    def fail(*args, **kwargs):
        raise _FullDisk(errno.ENOSPC, "No space left on device")

    if moment == "weights":
        monkeypatch.setattr(writing, "save_file", fail)
    elif moment == "description":
        monkeypatch.setattr(writing, "_card", fail)
    elif moment == "flush":
        monkeypatch.setattr(_atomic, "_flush", fail)
    else:
        original, calls = os.rename, []

        def rename(a, b):
            calls.append(a)
            if len(calls) == (1 if moment == "first rename" else 2):
                fail()
            original(a, b)

        monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(augsynth.CheckpointError, match="cannot be written.*No space left on device.*is whole"):
        vae.save(saved)
    monkeypatch.undo()
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before
    assert os.listdir(saved.parent) == [saved.name], "nothing half-written is left"


@pytest.mark.parametrize("name", ["photo.jpg", "README.md", ".git", "model.safetensors"])
def test_what_is_no_checkpoint_is_not_replaced(vae, digits, tmp_path, name):
    place = tmp_path / "mine"
    place.mkdir()
    (place / name).write_text("mine")

    def kept():
        return [file.name for file in tmp_path.iterdir()] == ["mine"] and (place / name).read_text() == "mine"

    for use in (vae.save, lambda path: augsynth.fit("vae", digits, checkpoint_dir=path)):  # and before it is fitted
        with pytest.raises(augsynth.CheckpointError, match=f"of no checkpoint, '{name}', which would be lost"):
            use(place)
        with pytest.raises(augsynth.CheckpointError, match="is a file, which would be lost"):
            use(place / name)
        assert kept()


def test_a_checkpoint_and_an_empty_folder_are_replaced(saved, vae, tmp_path):
    (saved / ".DS_Store").write_text("")
    assert augsynth.load(vae.save(saved)).checkpoint_id == vae.checkpoint_id
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(augsynth.CheckpointError, match=r"of no checkpoint, 'notes.txt', which"):
        vae.save(saved)
    (tmp_path / "empty").mkdir()
    assert augsynth.load(vae.save(tmp_path / "empty")).checkpoint_id == vae.checkpoint_id


def test_a_death_between_the_two_renames_is_recovered_from(saved, tiny_vae):
    previous = _atomic.previous_of(saved)
    os.rename(saved, previous)  # the old one stepped aside, and the process died
    assert augsynth.load(saved).checkpoint_id == tiny_vae.checkpoint_id
    tiny_vae.save(saved)
    assert saved.is_dir() and not previous.exists()


def test_a_generator_that_is_not_fitted_cannot_be_saved(tmp_path):
    with pytest.raises(augsynth.NotFittedError):
        augsynth.create("generator", "vae").save(tmp_path / "x")
    with pytest.raises(augsynth.NotFittedError):
        augsynth.create("generator", "vae").sample(1)
    assert not (tmp_path / "x").exists()


def test_a_checkpoint_of_format_1_draws_what_it_drew():
    """Written by the release before kinds of data had a seam: a VAE of digits."""
    gen = augsynth.load(Path(__file__).parent / "data" / "checkpoint-of-format-1")
    made = gen.sample(labels=[0, 1, 2], seed=5)
    assert gen.spec.modality == "augsynth/image" and abs(float(made.x.double().sum()) - 68.8511574) < 1e-2
