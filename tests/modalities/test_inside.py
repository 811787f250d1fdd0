"""What lies in an image: masks are made together with it, and masks, boxes and keypoints move when it does."""

import albumentations
import kornia.augmentation
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import augsynth
from augsynth.structure import Structure
from tests.support import quick_fit

tv = augsynth.import_torchvision("torchvision.tv_tensors")
v2 = augsynth.import_torchvision("torchvision.transforms.v2")
SIDE = 16


def picture(i, classes=2):
    """An image (1, 16, 16) with a bright square, whose place is its number, and the square as a mask."""
    top, left = 2 + i % 5, 3 + i % 7
    mask = torch.zeros(SIDE, SIDE, dtype=torch.int64)
    mask[top : top + 6, left : left + 6] = 1 + i % (classes - 1)
    image = 0.1 + 0.8 * (mask > 0).float() / (1 + i % (classes - 1))
    return image[None], mask, torch.tensor([[left, top, left + 6, top + 6]])


class Segmented(Dataset):
    """Images with masks, in one of several structures."""

    def __init__(self, form="tuple", n=48, classes=2):
        self.form, self.n, self.classes_of_mask = form, n, classes

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        image, mask, boxes = picture(i, self.classes_of_mask)
        return {
            "tuple": lambda: (image, mask),
            "labelled": lambda: (image, mask, i % 3),
            "dict": lambda: {"image": image, "mask": mask, "label": i % 3},
            "nested": lambda: (image, {"mask": mask, "label": i % 3}),
            "numpy": lambda: (image[0].numpy(), mask.numpy().astype(np.uint8)),
            "pil": lambda: (pil(image), pil(mask[None])),
            "tv": lambda: (tv.Image(image), {"masks": tv.Mask(mask), "label": i % 3}),
            "boxes": lambda: (image, {"boxes": tv.BoundingBoxes(boxes, format="XYXY", canvas_size=(SIDE, SIDE)),
                                      "labels": torch.tensor([1])}),
            "named": lambda: {"image": image, "corners": boxes, "points": boxes[:, :2].float()},
        }[self.form]()  # fmt: skip


def pil(x):
    return Image.fromarray((x[0].numpy() * (255 if x.is_floating_point() else 1)).astype(np.uint8))


@pytest.fixture(scope="module")
def gen():
    return quick_fit("vae", Segmented(n=96), steps=250, width=8)


@pytest.mark.parametrize(
    ("form", "y", "inside"),
    [
        ("tuple", None, (("mask", (1,)),)),
        ("labelled", 2, (("mask", (1,)),)),
        ("dict", "label", (("mask", ("mask",)),)),
        ("nested", (1, "label"), (("mask", (1, "mask")),)),
        ("pil", None, (("mask", (1,)),)),
        ("tv", (1, "label"), (("mask", (1, "masks")),)),
        ("boxes", None, (("boxes", (1, "boxes")),)),
    ],
)
def test_targets_are_found_where_they_are(form, y, inside):
    from augsynth.modalities.image.spec import ImageSpec

    found = Structure.of(Segmented(form)[0], None, [ImageSpec])
    assert (found.y, found.inside) == (y, inside)


@pytest.mark.parametrize("form", ["tuple", "labelled", "dict", "nested", "numpy", "pil", "tv"])
def test_image_and_mask_are_generated_together_in_every_structure(form):
    data = Segmented(form)
    gen = quick_fit("vae", data, steps=20, width=8)
    assert gen.spec.shape == (2, SIDE, SIDE)
    blended = augsynth.SyntheticDataset(data, gen, ratio=1.0, seed=0)
    made, real = blended[0], data[0]
    assert type(made) is type(real)
    if form not in ("pil", "numpy"):
        for one in DataLoader(blended, batch_size=8):
            assert one is not None
            break
    parts = made.values() if isinstance(made, dict) else made
    assert len(list(parts)) == len(real)


def test_masks_fit_their_images(gen):
    batch = gen.sample(32, seed=0)
    agreement = []
    for joint in batch.x:
        assert set(joint.inside["mask"].unique().tolist()) <= {0, 1}
        agreement.append(float(((joint.x[0] > 0.5) == (joint.inside["mask"] == 1)).float().mean()))
    assert np.mean(agreement) > 0.95, "the mask marks what is bright"


def test_vary_moves_the_mask_with_the_image(gen):
    blended = augsynth.SyntheticDataset(Segmented(), gen, ratio=1.0, mode="vary", seed=0)
    same = [bool(torch.equal(blended[i][1], Segmented()[i][1])) for i in range(20)]
    close = [float(((blended[i][0][0] > 0.5) == (blended[i][1] == 1)).float().mean()) for i in range(20)]
    assert not all(same) and np.mean(close) > 0.9


def test_masks_of_several_classes(tmp_path):
    data = Segmented(n=60, classes=4)
    gen = quick_fit("vae", data, steps=60, width=8)
    assert gen.spec.shape == (1 + 4, SIDE, SIDE) and gen.spec.mask.values == (0, 1, 2, 3)
    again = augsynth.load(gen.save(tmp_path / "several"))
    a, b = gen.sample(3, seed=1).x, again.sample(3, seed=1).x
    assert all(torch.equal(x.inside["mask"], y.inside["mask"]) for x, y in zip(a, b, strict=True))
    assert (tmp_path / "several" / "preview.png").is_file()


MOVES = {
    "torchvision": v2.RandomHorizontalFlip(p=1.0),
    "albumentations": albumentations.HorizontalFlip(p=1.0),
    "kornia": kornia.augmentation.RandomHorizontalFlip(p=1.0),
}


@pytest.mark.parametrize("library", MOVES)
@pytest.mark.parametrize("form", ["tuple", "nested", "tv"])
def test_a_flip_flips_both(library, form):
    data = Segmented(form)
    moved = augsynth.SyntheticDataset(data, None, ratio=0.0, transform=MOVES[library], seed=0)
    (image, rest), (before, old) = moved[3], data[3]
    mask, was = (rest, old) if form == "tuple" else (rest["mask" if form == "nested" else "masks"],
                                                     old["mask" if form == "nested" else "masks"])  # fmt: skip
    assert torch.equal(torch.as_tensor(image), torch.as_tensor(before).flip(-1))
    assert type(mask) is type(was) and mask.dtype == was.dtype and torch.equal(mask, was.flip(-1))


def test_by_name_as_well_and_seeded():
    flip = augsynth.create("transform", "torchvision", transforms={"name": "RandomAffine", "degrees": 40})
    moved = augsynth.SyntheticDataset(Segmented(), None, ratio=0.0, transform=flip, seed=0)
    image, mask = moved[0]
    assert torch.equal(moved[0][1], mask) and not torch.equal(mask, Segmented()[0][1])
    assert float(((image[0] > 0.5) == (mask == 1)).float().mean()) > 0.9


def test_boxes_and_keypoints_move():
    flip = v2.RandomHorizontalFlip(p=1.0)
    moved = augsynth.SyntheticDataset(Segmented("boxes"), None, ratio=0.0, transform=flip, seed=0)
    (_, target), (_, was) = moved[0], Segmented("boxes")[0]
    left, top, right, bottom = was["boxes"][0].tolist()
    assert target["boxes"].tolist() == [[SIDE - right, top, SIDE - left, bottom]] and target["labels"].tolist() == [1]
    fields = {"x": "image", "y": None, "boxes": "corners", "keypoints": "points"}
    chain = albumentations.Compose(
        [albumentations.HorizontalFlip(p=1.0)],
        bbox_params=albumentations.BboxParams(format="pascal_voc", label_fields=[]),
        keypoint_params=albumentations.KeypointParams(format="xy"),
    )
    for transform in (flip, chain):
        one = augsynth.SyntheticDataset(
            Segmented("named"), None, ratio=0.0, transform=transform, fields=fields, seed=0
        )[0]
        assert one["corners"].tolist() == [[SIDE - right, top, SIDE - left, bottom]]
        assert abs(float(one["points"][0, 0]) - (SIDE - left)) <= 1 and float(one["points"][0, 1]) == top


def test_what_would_tear_them_apart_is_refused():
    with pytest.raises(augsynth.ConfigError, match="image alone, and mask would no longer fit"):
        augsynth.SyntheticDataset(Segmented(), None, ratio=0.0, transform=lambda x: x.flip(-1), seed=0)[0]
    with pytest.raises(augsynth.ConfigError, match="OpenCV.* and mask would no longer fit"):
        opencv = augsynth.create("transform", "opencv")
        augsynth.SyntheticDataset(Segmented(), None, ratio=0.0, transform=opencv, seed=0)[0]
    fields = {"x": "image", "y": None, "boxes": "corners"}
    with pytest.raises(augsynth.ConfigError, match="Compose is given bbox_params="):
        flip = albumentations.Compose([albumentations.HorizontalFlip(p=1.0)])
        augsynth.SyntheticDataset(Segmented("named"), None, ratio=0.0, transform=flip, fields=fields, seed=0)[0]


def test_boxes_are_made_by_no_generator(gen):
    with pytest.raises(augsynth.DataError, match="sample 0: boxes: no generator here makes them.*ratio=0"):
        quick_fit("vae", Segmented("boxes"))
    plain = quick_fit("vae", [(picture(i)[0], i % 3) for i in range(24)], steps=5, width=8)
    for mode in ("replace", "append", "vary"):
        with pytest.raises(augsynth.DataError, match="boxes: no generator here makes them"):
            augsynth.SyntheticDataset(Segmented("boxes"), plain, ratio=0.5, mode=mode)


@pytest.mark.parametrize(
    ("sample", "fields", "message"),
    [
        ((torch.rand(1, 16, 16), torch.zeros(12, 12, dtype=torch.long)), {"x": 0, "y": None, "mask": 1},
         r"sample 0: a mask of \(12, 12\) in an image of \(16, 16\)"),
        ((torch.rand(1, 16, 16), torch.rand(16, 16)), {"x": 0, "y": None, "mask": 1}, "broken numbers"),
        ((torch.rand(1, 16, 16), torch.tensor([[2, 2, 20, 9]])), {"x": 0, "y": None, "boxes": 1},
         r"boxes: number 0 \(\[2.0, 2.0, 20.0, 9.0\]\) lies outside of the image of 16×16"),
        ((torch.rand(1, 16, 16), torch.tensor([[3.0, 3.0], [3.0, -1.0]])), {"x": 0, "y": None, "keypoints": 1},
         "keypoints: number 1"),
    ],
)  # fmt: skip
def test_what_does_not_lie_in_its_image_is_named(sample, fields, message):
    with pytest.raises(augsynth.DataError, match=message):
        quick_fit("vae", [sample] * 20, fields=fields)


def test_masks_of_another_size_are_found_wherever_they_are():
    data = [Segmented()[i] for i in range(20)]
    data[7] = (data[7][0], torch.zeros(9, 9, dtype=torch.long))
    with pytest.raises(augsynth.DataError, match=r"sample 7: a mask of \(9, 9\)"):
        quick_fit("vae", data)


def test_a_generator_of_images_alone_is_refused_for_images_with_masks():
    plain = quick_fit("vae", [(picture(i)[0], i % 3) for i in range(24)], steps=5, width=8)
    with pytest.raises(augsynth.SpecMismatchError, match="mask"):
        augsynth.SyntheticDataset(Segmented(), plain, ratio=0.5)
