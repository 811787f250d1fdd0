"""Every registered generator and transform, first- and third-party alike, against the contract's promises."""

import pytest

import augsynth
from augsynth.testing import TinyTexts, checks, filter_checks
from tests.support import needs_wordnet


def said_classes(texts):
    words = (("cat", "dog", "fox"), ("red", "blue", "green"), ("one", "two", "three"))
    return [[float(any(word in text for word in own)) for own in words] for text in texts]


def _cases(kind):
    names = [info.qualified for info in augsynth.plugins() if info.kind == kind]
    return [pytest.param(name, check, id=f"{name}-{check.__name__}") for name in names for check in checks(kind)]


@pytest.mark.parametrize(("name", "check"), _cases("generator"))
def test_generator(name, check):
    check(name)


@pytest.mark.parametrize(("name", "check"), _cases("transform"))
def test_transform(name, check):
    if name in ("augsynth/eda", "augsynth/wordnet"):
        needs_wordnet()
    check(name)


FILTERS = {
    "augsynth/length": {"low": 2, "high": 9},
    "augsynth/repetition": {},
    "augsynth/copying": {"texts": TinyTexts(6).texts},
    "augsynth/confidence": {"classifier": said_classes, "threshold": 0.5},
}


@pytest.mark.parametrize("check", checks("filter"), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", sorted(info.qualified for info in augsynth.plugins() if info.kind == "filter"))
def test_filter(name, check):
    made = augsynth.create("filter", name, **FILTERS[name])
    verdicts = made(filter_checks._batch(made.modality == "text"))
    assert 0 < int(verdicts.sum()) < len(verdicts), "the check's batch has what the filter takes and what it rejects"
    check(made)


def test_the_template_is_among_them():
    found = {info.qualified for info in augsynth.plugins()}
    assert {"augsynth-template/gaussian", "augsynth-template/speckle", "augsynth/gan", "augsynth/pillow"} <= found
