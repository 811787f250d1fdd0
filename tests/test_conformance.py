"""Every registered generator and transform, first- and third-party alike, against the contract's promises."""

import pytest

import augsynth
from augsynth.testing import checks
from tests.support import needs_wordnet


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


def test_the_template_is_among_them():
    found = {info.qualified for info in augsynth.plugins()}
    assert {"augsynth-template/gaussian", "augsynth-template/speckle", "augsynth/gan", "augsynth/pillow"} <= found
