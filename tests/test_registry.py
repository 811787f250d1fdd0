"""Discovery and look-up, with planted plugins: nothing global is touched."""

import json
import subprocess
import sys
import types
import warnings
from dataclasses import dataclass, field

import pytest

import augsynth
from augsynth import GeneratorSpec, Registry, TransformSpec, authoring


@dataclass
class Dist:
    name: str
    version: str = "1.0"
    requires: list = field(default_factory=list)


@dataclass
class Planted:
    """An entry point whose plugin is given, or an exception to raise on import."""

    name: str
    plugin: object
    dist: Dist
    value: str = ""
    group: str = "augsynth"

    def __post_init__(self):
        self.value = self.value or f"{self.dist.name}.{self.name}"

    def load(self):
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        return self.plugin


def spec(name="thing", factory="tests_planted:Thing", cls=GeneratorSpec):
    return cls(name=name, factory=factory, modality="image")


def plugin(*specs, hook="augsynth_generators"):
    module = types.ModuleType("planted")

    def implementation():
        yield from specs

    implementation.__name__ = hook
    setattr(module, hook, authoring.hookimpl(implementation))
    return module


def registry(*entry_points):
    return Registry(entry_points=entry_points)


def names(reg):
    return [info.qualified for info in reg.plugins() if info.error is None]


GOOD = Planted("good", plugin(spec("good")), Dist("good-dist"))


def broken(reg):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        infos = [info for info in reg.plugins() if info.error]
        reg.plugins()
    told = [str(one.message) for one in caught if one.category is augsynth.PluginWarning]
    assert len(told) == len(infos), "each broken plugin is warned of exactly once"
    return infos


# pluggy's own loader: one failing import aborts the group
@pytest.mark.parametrize("failure", [ImportError("no foo"), RuntimeError("boom"), SystemExit(3), SyntaxError("bad")])
def test_a_failing_import_leaves_the_others_alone(failure):
    reg = registry(Planted("bad", failure, Dist("bad-dist", "2.1")), GOOD)
    (info,) = broken(reg)
    assert (info.name, info.distribution, info.version) == ("bad", "bad-dist", "2.1")
    assert type(failure).__name__ in info.error
    assert names(reg) == ["good-dist/good"]


# pluggy's own loader: of two equal entry-point names one is silently skipped
def test_equal_entry_point_names_of_two_distributions_both_load():
    reg = registry(Planted("same", plugin(spec("a")), Dist("one")), Planted("same", plugin(spec("b")), Dist("two")))
    assert names(reg) == ["one/a", "two/b"]


# pluggy: a failed register leaves hooks behind
def test_a_plugin_that_fails_after_registration_leaves_nothing_behind():
    module = plugin(spec("left"))

    def misspelled():
        yield spec("never")

    module.augsynth_generatorz = authoring.hookimpl(misspelled)
    reg = registry(Planted("bad", module, Dist("bad-dist")), GOOD)
    (info,) = broken(reg)
    assert "augsynth_generatorz" in info.error
    assert names(reg) == ["good-dist/good"]


# pluggy: a hook with arguments that do not exist fails at register
def test_a_hook_with_arguments_is_refused():
    module = types.ModuleType("planted")

    @authoring.hookimpl
    def augsynth_generators(config):
        yield spec()

    module.augsynth_generators = augsynth_generators
    (info,) = broken(registry(Planted("bad", module, Dist("bad-dist")), GOOD))
    assert "config" in info.error


# pluggy: a generator hook fails only when it is consumed
def test_a_hook_that_fails_when_consumed_is_refused_whole():
    module = types.ModuleType("planted")

    @authoring.hookimpl
    def augsynth_generators():
        yield spec("first")
        raise ValueError("second went wrong")

    module.augsynth_generators = augsynth_generators
    reg = registry(Planted("bad", module, Dist("bad-dist")), GOOD)
    (info,) = broken(reg)
    assert "second went wrong" in info.error
    assert names(reg) == ["good-dist/good"], "its first spec must not stay"


@pytest.mark.parametrize("yielded", [None, "gan", spec(), 7])
def test_a_hook_must_yield_specs(yielded):
    module = types.ModuleType("planted")
    module.augsynth_generators = authoring.hookimpl(lambda: yielded)
    module.augsynth_generators.__name__ = "augsynth_generators"
    (info,) = broken(registry(Planted("bad", module, Dist("bad-dist"))))
    assert "must yield GeneratorSpec" in info.error


def test_a_spec_under_the_wrong_hook_is_refused():
    (info,) = broken(registry(Planted("bad", plugin(spec(cls=TransformSpec)), Dist("bad-dist"))))
    assert "TransformSpec" in info.error


def test_a_module_without_hooks_is_refused():
    (info,) = broken(registry(Planted("bad", types.ModuleType("empty"), Dist("bad-dist"))))
    assert "implements no hook" in info.error


def test_strict_mode_raises_and_names_the_plugin(monkeypatch):
    monkeypatch.setenv("AUGSYNTH_STRICT_PLUGINS", "1")
    with pytest.raises(augsynth.BrokenPluginError, match="bad-dist/bad 1.0.*no foo"):
        registry(Planted("bad", ImportError("no foo"), Dist("bad-dist"))).plugins()


def test_the_environment_limits_what_is_loaded(monkeypatch):
    script = "import augsynth; print({i.distribution for i in augsynth.plugins()})"

    def seen(value):
        env = {**__import__("os").environ, "AUGSYNTH_PLUGINS": value}
        return subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        ).stdout

    assert "augsynth-template" not in seen("")
    assert "augsynth-template" not in seen("other")
    assert "augsynth-template" in seen("other,augsynth_template")


def test_a_plugin_that_excludes_this_version_is_refused_with_both_versions():
    reg = registry(Planted("old", plugin(spec()), Dist("old-dist", "0.3", ["numpy", "augsynth<0.1"])), GOOD)
    (info,) = broken(reg)
    assert "<0.1" in info.error and augsynth.__version__ in info.error


def test_a_plugin_that_admits_this_version_is_loaded():
    reg = registry(Planted("new", plugin(spec()), Dist("new-dist", "0.3", ["augsynth>=0.1,<1", "augsynth-other<0.0"])))
    assert names(reg) == ["new-dist/thing"]


def test_an_unknown_name_quotes_the_nearest_and_what_was_left_out():
    reg = registry(GOOD, Planted("godo", ImportError("no foo"), Dist("bad-dist")))
    with pytest.warns(augsynth.PluginWarning), pytest.raises(augsynth.PluginNotFoundError) as error:
        reg.create("generator", "godo")
    assert "did you mean 'good'" in str(error.value)
    assert "bad-dist/godo" in str(error.value) and "no foo" in str(error.value)


def test_an_ambiguous_name_lists_the_qualified_ones_which_resolve():
    reg = registry(
        Planted("a", plugin(spec("gan", "collections:OrderedDict")), Dist("augsynth")),
        Planted(
            "b", plugin(spec("gan", "collections:Counter", TransformSpec), hook="augsynth_transforms"), Dist("two")
        ),
        Planted("c", plugin(spec("gan", "collections:deque")), Dist("Three.X")),
    )
    with pytest.raises(augsynth.AmbiguousPluginError, match="augsynth/gan, three-x/gan"):
        reg.create("generator", "gan")
    assert reg.qualified_name("generator", "three_x/gan") == "three-x/gan"
    assert reg.qualified_name("transform", "gan") == "two/gan"


def test_the_same_code_seen_twice_is_no_conflict():
    module = plugin(spec("gan"))
    reg = registry(
        Planted("a", module, Dist("one")), Planted("a", module, Dist("one")), Planted("b", module, Dist("one"))
    )
    assert names(reg) == ["one/gan"]


def test_one_distribution_cannot_declare_a_name_twice():
    (info,) = broken(registry(Planted("a", plugin(spec("x"), spec("x", "other:Thing")), Dist("one"))))
    assert "declared twice" in info.error


def test_order_does_not_depend_on_the_order_of_entry_points():
    points = [Planted("a", plugin(spec("p")), Dist("zz")), Planted("b", plugin(spec("q")), Dist("aa"))]
    assert registry(*points).plugins() == registry(*reversed(points)).plugins()


def test_a_factory_that_is_not_there_is_named():
    reg = registry(Planted("a", plugin(spec("x", "collections:Nothing"), spec("y", "no_such_module:Z")), Dist("one")))
    with pytest.raises(augsynth.BrokenPluginError, match="collections has no 'Nothing'"):
        reg.create("generator", "x")
    with pytest.raises(augsynth.BrokenPluginError, match="cannot import no_such_module"):
        reg.create("generator", "y")


def test_a_missing_dependency_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "planted_factory.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    given = GeneratorSpec(name="x", factory="planted_factory:X", modality="image", extra="fancy")
    with pytest.raises(augsynth.MissingDependencyError, match=r"pip install 'one\[fancy\]'"):
        registry(Planted("a", plugin(given), Dist("one"))).create("generator", "x")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "Not Good"}, "plugin name"),
        ({"factory": "no-colon"}, "package.module:Name"),
        ({"modality": "Sweet smell"}, "modality"),
        ({"conditions": "label"}, "set of names"),
    ],
)
def test_specs_check_themselves(wrong, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        GeneratorSpec(**{"name": "x", "factory": "a:B", "modality": "image", **wrong})


def test_specs_are_frozen():
    with pytest.raises(AttributeError):
        spec().name = "other"


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(augsynth.ConfigError, match="generator, transform"):
        augsynth.create("gizmo", "x")


def test_the_command_lists_plugins_as_json():
    done = subprocess.run(
        [sys.executable, "-m", "augsynth", "plugins", "--json"], capture_output=True, text=True, check=True
    )
    listed = json.loads(done.stdout)
    assert {"name": "gan", "kind": "generator"}.items() <= next(i for i in listed if i["name"] == "gan").items()
