"""No public name, signature or default changes by accident; what is to go is announced."""

import importlib
import inspect
import json
import re
import sys
import warnings
from pathlib import Path

import pytest

import augsynth
from augsynth._deprecation import deprecated, renamed_argument

RECORDED = Path(__file__).parent / "data/public-api.json"
MODULES = ("augsynth", "augsynth.authoring", "augsynth.testing", "augsynth.sklearn")


def signature(value):
    try:
        text = str(inspect.signature(value))
    except (TypeError, ValueError):
        return None
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def described(value):
    """The signature of a function; of a class that, and those of its public methods, attributes and bases."""
    if not inspect.isclass(value):
        return signature(value) if callable(value) else type(value).__name__
    own = {}
    for name in sorted(dir(value)):
        if name.startswith("_") or not any(name in vars(base) for base in value.__mro__ if ours(base)):
            continue
        member = inspect.getattr_static(value, name)
        plain = getattr(member, "__func__", member)
        own[name] = signature(plain) if callable(plain) else type(plain).__name__
    bases = [base.__name__ for base in value.__mro__[1:] if base is not object]
    return {"signature": signature(value), "bases": bases, "members": own}


def ours(base):
    return base.__module__.split(".")[0] == "augsynth"


def public():
    made = {}
    for module in map(importlib.import_module, MODULES):
        names = getattr(module, "__all__", None) or ["Augment"]
        made[module.__name__] = {name: described(getattr(module, name)) for name in sorted(names)}
    return made


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="signatures are printed a little otherwise elsewhere")
def test_what_is_public_is_what_was_recorded():
    recorded, now = json.loads(RECORDED.read_text(encoding="utf-8")), json.loads(json.dumps(public()))
    for module in MODULES:
        changed = [
            f"{module}.{name}: {recorded[module].get(name)} became {now[module].get(name)}"
            for name in sorted({**recorded[module], **now[module]})
            if recorded[module].get(name) != now[module].get(name)
        ]
        assert not changed, (
            "\n".join(changed) + "\nIf that is meant (docs/versions.md says what may change when): "
            "python -m tests.test_compatibility records it, and CHANGELOG.md tells it"
        )


def test_the_record_would_notice():
    def then(a, *, b=1):
        pass

    def now(a, *, b=2):
        pass

    assert described(then) != described(now) and described(then) == "(a, *, b=1)"


def test_what_is_deprecated_works_and_warns():
    @deprecated(since="0.2", until="0.4", instead="augsynth.fit")
    def train(x):
        return x + 1

    @renamed_argument("epochs", "steps", since="0.2", until="0.4")
    def fitted(*, steps=1):
        return steps

    with pytest.warns(
        augsynth.AugsynthDeprecationWarning, match=r"train is deprecated since augsynth 0.2.*0.4 on: use augsynth.fit"
    ):
        assert train(1) == 2
    with pytest.warns(FutureWarning, match=r"epochs= of .*fitted is deprecated.*use steps="):
        assert fitted(epochs=3) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fitted(steps=4) == 4
    with pytest.raises(TypeError, match="its old name 'epochs' as well"):
        fitted(steps=1, epochs=1)


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(public(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
