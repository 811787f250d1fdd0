"""Folders of images as people have them: what is done to a file is said, and what cannot be read is named."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import augsynth
from augsynth.datasets.named import has_test_split
from augsynth.modalities.image import files
from augsynth.modalities.image.folder import read_image_folder


def save(folder, name, size=(40, 30), mode="RGB", **options):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(folder / name, **options)
    return folder / name


def test_images_of_one_size_are_taken_as_they_are(tmp_path):
    for name in "ab":
        save(tmp_path / name, "1.png", (200, 150))
    assert read_image_folder(tmp_path).inputs.shape == (2, 3, 150, 200)


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
def test_images_without_folders_of_classes_have_no_labels(tmp_path):
    for name in ("b.png", "a.jpg", "c.PNG"):
        save(tmp_path, name, (16, 12))
    (tmp_path / "notes.txt").write_text("")
    with pytest.warns(augsynth.ConversionWarning, match="1 files of other kinds are left out"):
        data = augsynth.open_dataset(str(tmp_path))
    assert [one.rpartition("/")[2] for one in data.files] == ["a.jpg", "b.png", "c.PNG"]
    assert len(data) == 3 and data[1].shape == (3, 12, 16)
    gen = augsynth.fit("vae", data, steps=2, width=8, progress=False)
    assert not gen.conditional and augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0)[0].shape == (3, 12, 16)
    save(tmp_path / "cats", "1.png", (16, 12))
    with pytest.warns(augsynth.ConversionWarning, match="3 more that lie beside the folders of the classes are left"):
        data = augsynth.open_dataset(str(tmp_path))
    assert data.classes == ["cats"] and data.targets == [0]


@pytest.mark.parametrize("name", ["test", "val", "valid", "validation"])
def test_the_part_that_is_held_out_has_several_names(tmp_path, name):
    for part, n in (("train", 2), (name, 1)):
        for i in range(n):
            save(tmp_path / part / "a", f"{i}.png")
    assert has_test_split(str(tmp_path))
    assert [len(augsynth.open_dataset(str(tmp_path), split=split)) for split in ("train", "test")] == [2, 1]
    if name != "test":  # it may be the name of a class
        (tmp_path / "train").rename(tmp_path / "invalid")
        assert not has_test_split(str(tmp_path))
        assert augsynth.open_dataset(str(tmp_path)).classes == sorted(["invalid", name])


def test_large_images_come_to_256_and_it_is_said(tmp_path):
    save(tmp_path / "a", "1.png", (640, 480))
    with pytest.warns(augsynth.ResizeWarning, match="all of 640×480 pixels are cut to a square.*resized to 256×256"):
        assert read_image_folder(tmp_path).inputs.shape == (1, 3, 256, 256)


def test_exif_rotation_is_followed(tmp_path):
    upright = save(tmp_path / "a", "0.png", (40, 30))
    turned = Image.open(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees to stand upright
    turned.save(tmp_path / "a" / "1.png", exif=exif)
    with pytest.warns(augsynth.ConversionWarning, match="of the 2 images.*1 are turned upright as their EXIF says"):
        data = read_image_folder(tmp_path)
    assert torch.equal(data.inputs[0], data.inputs[1])


def test_the_first_frame_of_an_animation(tmp_path):
    (tmp_path / "a").mkdir()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a" / "1.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(augsynth.ConversionWarning, match="1 are animations .* first frame is taken"):
        data = read_image_folder(tmp_path)
    assert data.inputs[0, 0].min() == 255 and data.inputs[0, 2].max() == 0


def test_other_files_are_counted(tmp_path):
    save(tmp_path / "a", "1.png")
    (tmp_path / "a" / "notes.txt").write_text("")
    for hidden in (".DS_Store", "._1.png"):
        (tmp_path / "a" / hidden).write_text("")
    with pytest.warns(augsynth.ConversionWarning, match="1 files of other kinds are left out"):
        read_image_folder(tmp_path)


def test_all_files_that_cannot_be_read_are_named_at_once(tmp_path):
    whole = save(tmp_path / "a", "whole.jpg", (100, 100))
    for i in range(7):
        (tmp_path / "a" / f"cut{i}.jpg").write_bytes(whole.read_bytes()[:900])
    with pytest.raises(augsynth.DataError, match=r"7 of 8 files cannot be read(.|\n)*cut0.jpg: (.|\n)*and 2 more"):
        read_image_folder(tmp_path)


def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    save(tmp_path / "a", "1.png", (200, 100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15_000)  # a warning of Pillow's; an error from twice that on
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(augsynth.DataError, match="1.png: Image size .20000 pixels. exceeds limit"):
        read_image_folder(tmp_path)
    with pytest.raises(files.UNREADABLE):
        files.read_header(tmp_path / "a" / "1.png")


def test_a_class_with_one_image_is_fitted(tmp_path):
    for i in range(12):
        save(tmp_path / "many", f"{i}.png", (16, 16))
    save(tmp_path / "one", "1.png", (16, 16))
    gen = augsynth.fit("vae", read_image_folder(tmp_path), steps=2, width=8, progress=False)
    assert gen.sample(2, labels="one", seed=0).x.shape == (2, 3, 16, 16)


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")  # after so few steps
@pytest.mark.parametrize("name", ["vae", "autoencoder", "gan"])
def test_large_images_are_seen_smaller_and_come_back_at_their_size(name):
    x = torch.rand(12, 3, 80, 96, generator=torch.Generator().manual_seed(0))
    data = torch.utils.data.TensorDataset(x, torch.arange(12) % 2)
    with pytest.warns(augsynth.ResizeWarning, match="of 96×80 at 77×64 and enlarges"):
        gen = augsynth.fit(name, data, steps=2, width=16, progress=False)
    assert gen.config["resolution"] == 64
    assert gen.sample(3, seed=0).x.shape == (3, 3, 80, 96)
    own = augsynth.fit(name, data, steps=2, width=16, resolution=32, progress=False)  # asked for: nothing to say
    assert own.sample(3, seed=0).x.shape == (3, 3, 80, 96)
    if "vary" in gen.capabilities:
        varied = gen.vary(x[:4], [0, 1, 0, 1], strength=0.5, seed=0).x
        # what a network of 64 pixels cannot see, the grain, is the original's
        grain = lambda z: z - torch.nn.functional.avg_pool2d(z, 5, 1, 2)  # noqa: E731
        a, b = grain(x[:4])[..., 8:-8, 8:-8].flatten(), grain(varied)[..., 8:-8, 8:-8].flatten()
        assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.9
    with pytest.raises(augsynth.ConfigError, match="resolution='big'"):
        augsynth.fit(name, data, steps=2, resolution="big", progress=False)


@given(st.integers(8, 300), st.integers(8, 300), st.integers(8, 256), st.integers(8, 256))
def test_any_size_is_cut_to_any_other(w, h, width, height):
    assert files.squared(Image.new("L", (w, h)), width, height).size == (width, height)
