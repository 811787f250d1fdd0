"""One deliberately wrong plugin for each check: every check catches its own, and says what is broken."""

import pytest

import augsynth
from augsynth.testing import checks, parametrize_with_checks, run_checks
from augsynth.testing.running import EXPECTED, FAILED, NOT_APPLICABLE, PASSED
from tests.mutants import callbacks, filters, generators, metrics, modalities, sources, transforms

KINDS = {
    "generator": generators,
    "transform": transforms,
    "filter": filters,
    "metric": metrics,
    "callback": callbacks,
    "modality": modalities,
    "source": sources,
}
COUNTS = {"generator": 21, "transform": 8, "filter": 5, "metric": 6, "callback": 6, "modality": 14, "source": 7}
CASES = [(kind, name) for kind, module in KINDS.items() for name in module.MUTANTS]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def wrong_curves(installed):
    installed("augsynth_wrong")


@pytest.fixture(scope="module")
def source():
    return sources.fitted()


def test_every_check_has_a_mutant_and_their_number_is_pinned():
    for kind, module in KINDS.items():
        names = [check.__name__ for check in checks(kind)]
        assert set(names) == set(module.MUTANTS) and len(names) == COUNTS[kind], kind


@pytest.mark.parametrize(
    ("kind", "check"),
    [(kind, check) for kind, module in KINDS.items() if kind != "source" for check in checks(kind)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_what_they_are_made_of_is_right(kind, check, wrong_curves):
    right = generators.RIGHTS.get(check.__name__, KINDS[kind].RIGHT) if kind == "generator" else KINDS[kind].RIGHT
    check("augsynth-wrong/right-curve" if check.__name__ == "check_the_whole_road" else right)


@pytest.mark.parametrize("check", checks("source"), ids=lambda check: check.__name__)
def test_so_are_the_sources(check, source):
    check(source)
    check(sources.Wrapped(source))


@pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning")
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_check_catches_its_mutant(kind, name, source, wrong_curves):
    check = next(one for one in checks(kind) if one.__name__ == name)
    mutant = KINDS[kind].MUTANTS[name]
    caught = {"generator": (AssertionError, augsynth.AugsynthError), "source": (AssertionError, TypeError)}
    with pytest.raises(caught.get(kind, AssertionError)) as told:
        check(mutant(source) if kind == "source" else mutant)
    assert str(told.value).strip(), "it says which promise is broken"


class Unconditional(generators.Right):
    conditions = frozenset()


def test_outcomes_are_told():
    found = {one.check: one for one in run_checks("generator", generators.KeepsAnAttribute)}
    assert len(found) == 21 and found["check_checkpoint"].status == FAILED
    assert "it draws otherwise once loaded" in found["check_checkpoint"].told
    assert sum(one.status == PASSED for one in found.values()) >= 15
    expected = {"check_checkpoint": "known", "check_settings": "thought to be"}
    strict = {one.check: one for one in run_checks("generator", generators.KeepsAnAttribute, expected=expected)}
    assert strict["check_checkpoint"].status == EXPECTED and strict["check_settings"].status == FAILED
    assert "expected to fail (thought to be), and passed" in strict["check_settings"].told
    with pytest.raises(augsynth.ConfigError, match="there is no check 'check_nothing'"):
        run_checks("generator", generators.Right, expected={"check_nothing": ""})


def test_what_does_not_apply_says_why():
    found = {one.check: one for one in run_checks("generator", Unconditional)}
    skipped = {name: one.told for name, one in found.items() if one.status == NOT_APPLICABLE}
    assert set(skipped) == {"check_labels_are_kept", *generators.RIGHTS}
    assert "condition 'label'" in skipped["check_labels_are_kept"]
    told = {one.check: one for one in run_checks("modality", modalities.Curves)}
    assert [one.check for one in told.values() if one.status == NOT_APPLICABLE] == ["check_the_whole_road"]


def test_settings_where_defaults_will_not_do():
    names = (
        ("generator", generators.Right, {"components": 5}),
        ("transform", transforms.RightTransform, {"amount": 0.3}),
    )
    for kind, plugin, settings in names:
        assert {one.status for one in run_checks(kind, plugin, settings=settings)} <= {PASSED, NOT_APPLICABLE}
    refused = run_checks("transform", transforms.RightTransform, settings={"amount": 3.0})
    assert all(one.status == FAILED and "amount=3.0" in one.told for one in refused)


@parametrize_with_checks("generator", "augsynth-template/gaussian", settings={"components": 3})
def test_by_the_decorator(check):
    check()
