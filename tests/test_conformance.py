"""Every registered generator and transform, first- and third-party alike, against the contract's promises."""

from functools import lru_cache

import pytest
import torch
from augsynth_flow.transform import Restore
from augsynth_text_transforms.checked import Checked

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from augsynth.testing import checks, filter_checks
from augsynth.testing.kinds import Configured
from tests.support import needs_wordnet, quick_fit


def said_classes(texts):
    words = (("cat", "dog", "fox"), ("red", "blue", "green"), ("one", "two", "three"))
    return [[float(any(word in text for word in own)) for own in words] for text in texts]


# need a model: test_transformers.py and test_rewriting.py run these checks on them
OUTSIDE = {
    "augsynth-endpoint/endpoint",
    "augsynth-diffusers/diffusers",
}  # need a server, or a pipeline: their own tests do
ELSEWHERE = OUTSIDE | {
    f"augsynth/{name}" for name in ("transformers", "lora", "paraphrase", "contextual", "back_translation")
}


def _cases(kind):
    names = [info.qualified for info in augsynth.plugins() if info.kind == kind and info.qualified not in ELSEWHERE]
    return [pytest.param(name, check, id=f"{name}-{check.__name__}") for name in names for check in checks(kind)]


@pytest.mark.parametrize(("name", "check"), _cases("generator"))
def test_generator(name, check):
    check(name)


@lru_cache(maxsize=8)
def tiny_flow(height, width, channels):
    data = [(torch.rand(channels, height, width), i % 2) for i in range(8)]
    return augsynth.fit("flow", data, steps=2, width=16, progress=False, device="cpu")


class TinyRestore(Restore):
    """The transform that needs a generator, with one for images like those that it is given."""

    modality = "image"

    def __init__(self, **config):
        super().__init__(tiny_flow(8, 8, 1), noise=0.1, **config)

    def apply(self, image, seed):
        self.gen = tiny_flow(*image.shape)
        return super().apply(image, seed)


class CheckedMarks(Checked):
    """The transform that needs another one, and a judge, here of whether a text is short."""

    modality = "text"

    def __init__(self):
        super().__init__(transform="aeda", classifier=short_or_long)


def short_or_long(texts):
    return [[1.0, 0.0] if len(text) < 40 else [0.0, 1.0] for text in texts]


@pytest.mark.parametrize(("name", "check"), _cases("transform"))
def test_transform(name, check):
    if made := {"augsynth/restore": TinyRestore, "augsynth/checked": CheckedMarks}.get(name):
        check(made)
        return
    if name in ("augsynth/eda", "augsynth/wordnet"):
        needs_wordnet()
    check(name)


class Alike:
    """A generator whose samples are all near one another."""

    def __init__(self, x):
        self.x = x

    def sample(self, n, *, seed):
        return augsynth.SampleBatch(
            None,
            None,
            [{"seed": -1 - i} for i in range(n)],
            self.x[:1].expand(n, -1, -1, -1) if hasattr(self.x, "expand") else type(self.x)([self.x[0]] * n),
        )


def settings(name, modality):
    """Settings with which the filter takes some of the suite's samples, and rejects others."""
    if name == "augsynth/confidence" and modality == "text":
        return {"classifier": said_classes}
    plain = {"length": {"low": 2, "high": 9}, "repetition": {}, "copying": {"texts": TinyTexts(6).texts}}
    short = name.removeprefix("augsynth/")
    if short in plain:
        return plain[short]
    real = filter_checks.good_samples(modality)
    if short == "similarity":
        return {"texts": [real[0][0]], "low": 0.77, "high": 0.999}
    if short in ("perplexity", "round_trip"):
        gen = augsynth.fit("lstm", real, steps=30, progress=False, device="cpu")
        return {"gen": gen, **({"real": real, "high": 0.6} if short == "perplexity" else {})}
    if short == "distinct":
        return {"gen": Alike(filter_checks.batch_of(modality).model_x[1:]), "number": 30}
    judge = augsynth.Judge(real, steps=100)
    if short == "diversity":
        x = filter_checks.batch_of(modality).model_x
        return {"real": judge, "gen": Alike(x[1:]), "n": 12, "k": 1}
    return {"real": judge, **({"quantile": 0.9} if short == "novelty" else {"k": 1} if short == "density" else {})}


KINDS = [
    (info.qualified, modality)
    for info in augsynth.plugins()
    if info.kind == "filter"
    for modality in (("image", "text") if info.modality == "any" else (info.modality,))
]


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def made_filter(request, tmp_path_factory):
    name, modality = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield augsynth.create("filter", name, **settings(name, modality))


@pytest.mark.parametrize("check", checks("filter"), ids=lambda check: check.__name__)
def test_filter(made_filter, check):
    made = made_filter
    if made.modality == "any":
        made.modality = "text"
    verdicts = made(filter_checks.batch_of(made.modality))
    assert 0 < int(verdicts.sum()) < len(verdicts), "the check's batch has what the filter takes and what it rejects"
    check(made)


@pytest.mark.parametrize(("name", "check"), _cases("modality"))
def test_modality(name, check):
    check(name)


LOGGERS = {
    "augsynth/tensorboard": {},
    "augsynth/wandb": {"mode": "offline"},
}


@pytest.mark.parametrize(("name", "check"), _cases("callback"))
def test_callback(name, check, tmp_path, monkeypatch):
    pytest.importorskip(name.partition("/")[2])
    for variable in ("CACHE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"WANDB_{variable}_DIR", str(tmp_path / variable))
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))  # and not where the tests were started
    monkeypatch.setenv("WANDB_SILENT", "true")
    check(Configured(name, LOGGERS[name]))


@pytest.fixture(scope="module", params=["generator", "pool", "recording"])
def source(request, tmp_path_factory):
    gen = quick_fit("vae", TinyImages(48, form="tensor-float"), width=8)
    if request.param == "pool":
        with augsynth.SamplePool(gen, 200) as pool:
            yield pool
    elif request.param == "recording":
        pytest.importorskip("pyarrow")
        yield augsynth.recorded(augsynth.record(gen, 100, tmp_path_factory.mktemp("made") / "tiny", progress=False))
    else:
        yield gen


@pytest.mark.parametrize("check", checks("source"), ids=lambda check: check.__name__)
def test_source(source, check):
    check(source)


def test_the_template_is_among_them():
    found = {info.qualified for info in augsynth.plugins()}
    assert {"augsynth-template/gaussian", "augsynth-template/speckle", "augsynth/gan", "augsynth/pillow"} <= found
