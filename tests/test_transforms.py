"""Transform plugins beyond what the conformance suite asks of all."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import augsynth
from augsynth.transforms.seeded import apply_seeded

IMAGE = torch.from_numpy((np.random.default_rng(0).random((3, 24, 24)) * 255).astype(np.uint8))


def create(name, **config):
    return augsynth.create("transform", name, **config)


def test_kornia_by_name_by_mapping_and_in_lists():
    augmentation = pytest.importorskip("kornia.augmentation")
    flip = {"name": "RandomHorizontalFlip", "p": 1.0}
    for way in (flip, augmentation.RandomHorizontalFlip(p=1.0), [flip], [flip, flip, flip]):
        assert torch.allclose(
            create("kornia", transforms=way)(IMAGE, seed=1).flip(-1).float(), IMAGE.float(), atol=1.01
        )
    for wrong in ("RandomFlop", {"name": "RandomAffine", "degree": 3}, 3):
        with pytest.raises(augsynth.ConfigError, match="transforms: "):
            create("kornia", transforms=wrong)


AFFINE, FLIP = {"name": "RandomAffine", "degrees": 10.0, "p": 0.6}, {"name": "RandomHorizontalFlip", "p": 0.5}


@pytest.mark.parametrize(
    ("given", "at_once"),
    [
        (None, True),
        ([AFFINE, FLIP, {"name": "RandomErasing", "p": 0.5}], True),
        ([{"name": "RandomCrop", "size": (20, 20)}, AFFINE], True),
        ({"name": "ColorJiggle", "brightness": 0.2, "hue": 0.1, "p": 0.7}, False),  # in an order drawn for a batch
    ],
)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_kornia_applies_a_batch_at_once_as_one_after_the_other(given, at_once, dtype):
    pytest.importorskip("kornia.augmentation")
    images = [IMAGE.roll(i, 2) if dtype == torch.uint8 else IMAGE.roll(i, 2).float() / 255 for i in range(24)]
    apply, seeds, state = create("kornia", transforms=given), list(range(24)), torch.get_rng_state()
    for _ in range(4):  # the first 64 are held against one after the other
        for x, y, seed in zip(images, apply.many(images, seeds), seeds, strict=True):
            assert torch.equal(y, apply(x, seed=seed))
    assert (
        apply._together is at_once and (apply._to_compare <= 0) is at_once and torch.equal(state, torch.get_rng_state())
    )
    mixed = apply.many([images[0], IMAGE.float()[:, :20] / 255], [0, 1])
    assert torch.equal(mixed[0], apply(images[0], seed=0)), "images of different sizes go one by one"


def test_what_an_image_transform_makes_of_many_is_held_against_the_range():
    apply = create("torchvision", transforms="RandomHorizontalFlip")
    with pytest.raises(augsynth.DataError, match="outside of value_range"):
        apply.many([torch.rand(3, 8, 8), torch.rand(3, 8, 8) * 9], [0, 1])


def test_torchvision_by_name_by_mapping_and_in_lists():
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    ways = [
        "RandomHorizontalFlip",
        {"name": "RandomRotation", "degrees": 30},
        v2.RandomCrop(20),
        ["RandomVerticalFlip", "RandomHorizontalFlip"],
    ]
    shapes = [create("torchvision", transforms=way)(IMAGE, seed=1).shape for way in ways]
    assert shapes == [(3, 24, 24), (3, 24, 24), (3, 20, 20), (3, 24, 24)]
    for wrong in ("NoSuch", {"name": "RandomCrop", "sizze": 3}, 5):
        with pytest.raises(augsynth.ConfigError, match="transforms"):
            create("torchvision", transforms=wrong)


@pytest.mark.parametrize("name", ["autoaugment", "randaugment", "augmix"])
def test_policies_change_images_and_need_one_or_three_channels(name):
    made = [create(name)(IMAGE, seed=seed) for seed in range(6)]
    assert any(not torch.equal(one, IMAGE) for one in made) and any(not torch.equal(one, made[0]) for one in made)
    with pytest.raises(augsynth.DataError, match="channels"):
        create(name)(IMAGE[:2], seed=0)
    with pytest.raises(augsynth.ConfigError, match="imagenet, cifar10, svhn"):
        create("autoaugment", policy="mine")


def test_albumentations_from_objects_dicts_and_files(tmp_path):
    import albumentations
    import yaml

    pipeline = albumentations.Compose(
        [albumentations.RandomBrightnessContrast(p=1.0), albumentations.Affine(rotate=(-30, 30), p=1.0)]
    )
    expected = create("albumentations", pipeline=pipeline)(IMAGE, seed=5)
    data = albumentations.to_dict(pipeline)
    (tmp_path / "p.json").write_text(json.dumps(data))
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(data))
    for way in (data, str(tmp_path / "p.json"), tmp_path / "p.yaml"):
        assert torch.equal(create("albumentations", pipeline=way)(IMAGE, seed=5), expected)
    single = create("albumentations", pipeline=albumentations.HorizontalFlip(p=1.0))(IMAGE, seed=0)
    assert torch.equal(single, IMAGE.flip(-1))
    (tmp_path / "bad.json").write_text("{not json")
    for wrong in (tmp_path / "none.yaml", tmp_path / "bad.json", {"a": 1}, 3):
        with pytest.raises(augsynth.ConfigError, match="pipeline"):
            create("albumentations", pipeline=wrong)


def test_opencv_denoises_inpaints_equalises_and_blurs():
    clean = np.zeros((32, 32), np.uint8)
    clean[8:24, 8:24] = 180
    noisy = (clean + np.random.default_rng(0).normal(0, 12, clean.shape)).clip(0, 255).astype(np.uint8)
    denoised = create("opencv", denoise=20.0, blur=0)(noisy, seed=0)
    before, after = (float(np.abs(image.astype(int) - clean).mean()) for image in (noisy, denoised))
    assert after < 0.7 * before
    scratched, mask = clean.copy(), np.zeros(clean.shape, bool)
    mask[14:17, 4:28] = True
    scratched[mask] = 255
    filled = create("opencv", inpaint=mask, blur=0)(scratched, seed=0)
    assert np.abs(filled.astype(int) - clean)[mask].mean() < 25
    dull = (clean // 6 + 100).astype(np.uint8)
    assert create("opencv", clahe=4.0, blur=0)(dull, seed=0).std() > dull.std()
    assert create("opencv", blur=2.0)(clean, seed=0).std() < clean.std()
    random_holes = create("opencv", inpaint=0.2, blur=0)
    assert not np.array_equal(random_holes(noisy, seed=0), random_holes(noisy, seed=1))
    for wrong in ({"denoise": -1.0}, {"inpaint": 0.9}, {"blur": (2, 1)}, {"clahe": float("nan")}):
        with pytest.raises(augsynth.ConfigError, match=next(iter(wrong))):
            create("opencv", **wrong)
    with pytest.raises(augsynth.DataError, match="mask"):
        create("opencv", inpaint=mask)(IMAGE, seed=0)


def test_pillow_sharpens_contrasts_and_keeps_transparency():
    grey = Image.fromarray((np.random.default_rng(0).random((16, 16)) * 60 + 90).astype(np.uint8))
    fixed = {"sharpen": 1.0, "contrast": 1.0}
    assert np.asarray(create("pillow", **{**fixed, "contrast": 2.0})(grey, seed=0)).std() > np.asarray(grey).std() * 1.5
    assert np.asarray(create("pillow", **{**fixed, "sharpen": 3.0})(grey, seed=0)).std() > np.asarray(grey).std() * 1.2
    stretched = np.asarray(create("pillow", **fixed, autocontrast=0.0)(grey, seed=0))
    assert stretched.min() == 0 and stretched.max() == 255
    rgba = Image.merge("RGBA", [grey, grey, grey, grey])
    assert np.array_equal(np.asarray(create("pillow", autocontrast=0.0)(rgba, seed=0))[..., 3], np.asarray(grey))
    for wrong in ({"sharpen": -1.0}, {"contrast": (2, 1)}, {"autocontrast": 50.0}):
        with pytest.raises(augsynth.ConfigError, match=next(iter(wrong))):
            create("pillow", **wrong)


def test_floats_outside_the_range_are_refused_rather_than_clipped():
    with pytest.raises(augsynth.DataError, match=r"value_range=\(0.0, 1.0\)"):
        create("pillow")(torch.randn(1, 8, 8) * 3, seed=0)
    with pytest.raises(augsynth.ConfigError, match="low < high"):
        create("pillow", value_range=(1, 0))
    normalised = torch.rand(1, 8, 8) * 4 - 2
    assert create("torchvision", value_range=(-2, 2))(normalised, seed=0).dtype == torch.float32


def test_without_a_seed_torchs_rng_is_followed():
    transform = create("pillow", sharpen=(0.0, 3.0))
    torch.manual_seed(1)
    first = transform(IMAGE)
    torch.manual_seed(1)
    assert torch.equal(first, transform(IMAGE)) and not torch.equal(first, transform(IMAGE))


def test_objects_with_augment_are_called_as_nlpaug_augmenters_are():
    class Augmenter:
        def augment(self, text):
            import random

            return [text + random.choice("abcdefgh")]

    seeds = torch.arange(8)
    first = apply_seeded(Augmenter(), ["x"] * 8, seeds)
    assert first == apply_seeded(Augmenter(), ["x"] * 8, seeds) and len(set(first)) > 1


def test_the_parts_of_a_list_draw_differently():
    made = apply_seeded(
        [lambda x: x + torch.rand(()), lambda x: x - torch.rand(())], [torch.zeros(())] * 4, torch.arange(4)
    )
    assert all(value != 0 for value in made)
