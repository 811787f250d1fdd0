"""The conformance suite: what the contract promises, as checks that any plugin author can run.

In a plugin's tests::

    from augsynth.testing import parametrize_with_checks

    @parametrize_with_checks("generator", "my-distribution/my-generator")
    def test_generator(check):
        check()

or on the command line ``augsynth check my-distribution/my-generator``.

:func:`checks` are plain functions: a check takes the name of an installed plugin, or a class or factory (of filters
and metrics also the callable itself, of sources the fitted object), and raises an ``AssertionError`` that says which
promise is broken, or a ``unittest.SkipTest`` that says why it does not apply.
"""

from augsynth.testing.running import Outcome, parametrize_with_checks, run_checks
from augsynth.testing.suite import checks

__all__ = ["Outcome", "checks", "parametrize_with_checks", "run_checks"]
