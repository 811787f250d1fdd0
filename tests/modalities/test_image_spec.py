"""From what a dataset yields to the space of the models, and back without loss."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import augsynth
from augsynth.labels.classes import LabelSpec
from augsynth.modalities.image.spec import ImageSpec
from augsynth.modalities.image.tiny import TinyImages

FORMS = ("tensor", "tensor-float", "numpy-hwc", "numpy-chw", "numpy-hw", "pil")
SIZES = st.tuples(st.integers(1, 4), st.integers(8, 20), st.integers(8, 20))


@given(SIZES, st.sampled_from(FORMS), st.integers(0, 100))
def test_there_and_back(shape, form, seed):
    shape = (1, *shape[1:]) if form == "numpy-hw" else shape
    for x in TinyImages(2, shape, form=form, structure="bare", seed=seed):
        spec = ImageSpec.of(x)
        assert spec.shape == shape
        model = spec.raw_to_model(spec.to_raw(x)[None])[0]
        assert model.dtype == torch.float32 and model.shape == shape and model.min() >= -1 and model.max() <= 1
        (again,) = spec.batched(model[None])
        a, b = np.asarray(x), np.asarray(again)
        assert a.dtype == b.dtype and np.allclose(a.astype(float), b.astype(float), atol=1e-6)
        if form == "pil":
            assert again.mode == x.mode
        assert ImageSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_pil_modes(mode):
    image = Image.fromarray((np.random.default_rng(0).random((9, 12, 3)) * 255).astype(np.uint8)).convert(
        "RGB" if mode in ("YCbCr", "HSV") else mode
    )
    image = image if image.mode == mode else image.convert(mode)
    spec = ImageSpec.of(image)
    (again,) = spec.batched(spec.raw_to_model(spec.to_raw(image)[None]))
    assert again.mode == mode and again.tobytes() == image.tobytes()


@pytest.mark.parametrize(("image", "how"), [(torch.ones(1, 8, 8) > 0, "x.to"), (np.ones((8, 8)) > 0, "x.astype")])
def test_binary_images_of_booleans_say_what_makes_them_integers(image, how):
    with pytest.raises(augsynth.DataError, match=rf"dtype bool.*as integers, {how}"):
        ImageSpec.of(image)


def test_ranges_are_standard_or_observed():
    assert ImageSpec.of(torch.rand(1, 8, 8)).high == (1.0,)
    assert ImageSpec.of(torch.rand(1, 8, 8) * 2 - 1).low == (-1.0,)
    assert ImageSpec.of(torch.rand(1, 8, 8) * 255).high == (255.0,)
    # as scikit-learn has its digits: 255 would make them all black
    scores = torch.randint(0, 17, (50, 1, 8, 8)).float()
    spec = ImageSpec.of(scores[0]).refined(scores)
    assert (spec.low, spec.high) == ((0.0,), (16.0,)) and spec.raw_to_model(scores).max() == 1
    # the same as integers, and binary images: as 0 to 255 they would be black
    for dtype, most in ((torch.uint8, 16.0), (torch.int64, 16.0), (torch.uint8, 1.0)):
        whole = scores.clamp(max=most).to(dtype)
        spec = ImageSpec.of(whole[0])
        assert spec.high == (255.0,), "one image may be dark"
        spec = spec.refined(whole)
        assert (spec.low, spec.high) == ((0.0,), (most,))
        assert torch.equal(spec.model_to_raw(spec.raw_to_model(whole)), whole)
    assert ImageSpec.of(scores[0].byte()).refined(torch.cat([scores.byte(), scores[:1].byte() + 60])).high == (255.0,)
    dark = torch.rand(50, 1, 8, 8) * 20
    dark[7, 0, 0, 0] = 200
    assert ImageSpec.of(dark[0]).refined(dark).high == (255.0,)
    odd = torch.stack([torch.linspace(-3, 2, 64), torch.linspace(0, 400, 64)]).view(2, 8, 8)
    spec = ImageSpec.of(odd)
    assert spec.low == (-3.0, 0.0) and spec.high == (2.0, 400.0)
    assert ImageSpec.of(torch.full((1, 8, 8), 700.0)).high[0] > 700, "a constant image has a width, too"


def test_labels_in_every_form():
    labels = LabelSpec.of(torch.tensor([4]), [4, 7, 4], ["a"] * 9)
    assert labels.names is None, "names that repeat tell nothing"
    assert torch.equal(labels.yielded(1), torch.tensor([7])) and labels.counts == (2, 1)
    named = LabelSpec.of(np.int32(1), [1, 0], ["cat", "dog"])
    assert named.index("dog") == 1 and named.index(0) == 0 and named.index("1") == 1
    assert named.yielded(1).dtype == np.int32
    strings = LabelSpec.of("b", ["b", "a"])
    assert strings.batched(torch.tensor([0, 1])) == ["a", "b"] and strings.indices(["b", "a"]).tolist() == [1, 0]
    with pytest.raises(
        augsynth.UnknownLabelError, match=r"'dgo'; did you mean 'dog'\? The classes are: 0 \(cat\), 1 \(dog\)"
    ):
        named.index("dgo")
    with pytest.raises(augsynth.UnknownLabelError, match="no class 2"):
        named.indices(torch.tensor([0, 2]))
    with pytest.raises(augsynth.DataError, match=r"label 0\.5"):
        LabelSpec.of(0.5, [0.5]) and named.indices([0.5])


@pytest.mark.parametrize("mode", ["P", "1", "I;16", "F"])
def test_pil_modes_that_are_not_understood_say_what_to_do(mode):
    with pytest.raises(augsynth.DataError, match=r"convert\('RGB'\)"):
        ImageSpec.of(Image.new(mode, (8, 8)))


def test_descriptions_for_messages():
    assert ImageSpec.of(torch.rand(1, 28, 28)).described == "tensor (1, 28, 28) float32 in [0, 1]"
    assert ImageSpec.of(Image.new("RGB", (8, 9))).described == "PIL images of mode RGB and size 8×9"
