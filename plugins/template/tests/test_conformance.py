"""The contract's promises, run on this plugin."""

import pytest

from augsynth.testing import checks


@pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
def test_generator(check):
    check("augsynth-template/gaussian")


@pytest.mark.parametrize("check", checks("transform"), ids=lambda check: check.__name__)
def test_transform(check):
    check("augsynth-template/speckle")
