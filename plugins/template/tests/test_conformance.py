"""The contract's promises, run on this plugin."""

from augsynth.testing import parametrize_with_checks


@parametrize_with_checks("generator", "augsynth-template/gaussian")
def test_generator(check):
    check()


@parametrize_with_checks("transform", "augsynth-template/speckle")
def test_transform(check):
    check()
