"""The conformance suite: what the contract promises, as checks that any plugin author can run.

In a plugin's tests::

    import pytest
    from augsynth.testing import checks

    @pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
    def test_generator(check):
        check("my-distribution/my-generator")

A check takes the name of an installed plugin, or a class or factory (of filters, whose settings may need values, the
filter itself), and raises an ``AssertionError`` that says
which promise is broken.
"""

from augsynth.testing.suite import checks

__all__ = ["checks"]
