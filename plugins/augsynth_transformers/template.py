"""Prompts as data: what stands before the examples, how each is written, and what ends it."""

from __future__ import annotations

import difflib
import string
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import augsynth


@dataclass(frozen=True)
class Template:
    """How a prompt is written. A base model goes on with a list that it is given; it need not follow instructions.

    Args:
        header: the first line, with ``{label}``, and ``{topic}`` where data have topics.
        example: each example, and what the new text begins with: it ends in ``{text}``.
        stop: what ends a text.
        about: what ``{topic}`` becomes, with the topic in place of ``{name}``; nothing where there is none.
        unlabelled: what ``{label}`` becomes where there are no labels.
        named: what it becomes where the label has no description, with the label in place of ``{name}``.
    """

    header: str = "A list of different examples of {label}{topic}:\n"
    example: str = "- {text}"
    stop: str = "\n"
    about: str = ", on the topic of {name}"
    unlabelled: str = "such texts"
    named: str = 'texts of the kind "{name}"'

    @classmethod
    def of(cls, given: Mapping[str, str] | None, *, labelled: bool, topics: bool) -> Template:
        """From plain data, checked. Raises ConfigError for an unknown part or a missing placeholder."""
        known = asdict(cls())
        for key, value in (given or {}).items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                raise augsynth.ConfigError(
                    f"template has no part {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"it has {[*known]}")
                )
            if not isinstance(value, str):
                raise augsynth.ConfigError(f"template: {key} is {value!r}, expected a str")
        made = cls(**{**known, **(given or {})})
        wanted = {"header": ["label"] * labelled + ["topic"] * topics, "example": ["text"], "about": ["name"]}
        for part, names in {**wanted, "named": ["name"]}.items():
            _check(part, getattr(made, part), names)
        if not made.example.endswith("{text}"):
            raise augsynth.ConfigError(f"template: example={made.example!r} must end in {{text}}, where a text begins")
        if not made.stop:
            raise augsynth.ConfigError("template: stop is empty: nothing would end a text")
        return made

    def head(self, label: str | None, topic: str | None, described: Mapping[str, str]) -> str:
        """The first line, for a label and a topic by name."""
        what = self.unlabelled
        if label is not None:
            what = described.get(label) or self.named.format(name=label)
        about = "" if topic is None else self.about.format(name=topic)
        return self.header.format(label=what, topic=about)

    def prompt(self, head: str, examples: Sequence[str]) -> str:
        """All of it, up to where a new text begins. No blank ends it: the first word of a text brings its own."""
        shown = "".join(self.example.format(text=flat(text)) + self.stop for text in examples)
        return head + shown + self.example.removesuffix("{text}").rstrip(" ")

    def continuation(self, text: str) -> str:
        """A text as it follows a prompt, with its end."""
        lead = self.example.removesuffix("{text}")
        return lead[len(lead.rstrip(" ")) :] + (flat(text) if self.stop == "\n" else text) + self.stop


def flat(text: str) -> str:
    """On one line, as examples stand in a list."""
    return " ".join(text.split())


def checked_descriptions(given: Mapping[str, str] | None, names: Sequence[str]) -> dict[str, str]:
    """Descriptions of classes that there are; a :class:`augsynth.FitWarning` names others, of which a part of a dataset
    may have no sample.

    Raises:
        ConfigError: one of a class whose name is nearly that of another, or that is no text.
    """
    made = {}
    for name, description in (given or {}).items():
        if not isinstance(description, str) or not description.strip():
            raise augsynth.ConfigError(f"descriptions: that of {name!r} is {description!r}, expected words")
        if name in names:
            made[name] = description
            continue
        near = difflib.get_close_matches(name, [one for one in names if one not in (given or {})], 1)
        if near:
            raise augsynth.ConfigError(f"descriptions: there is no class {name!r}; did you mean {near[0]!r}?")
        known = ", ".join(names[:20]) or "none"
        warnings.warn(
            f"descriptions: there is no class {name!r} among the samples; classes: {known}",
            augsynth.FitWarning,
            stacklevel=2,
        )
    return made


def says_nothing(name: str) -> bool:
    """Whether the name of a class tells a language model nothing: ``"0"``, ``"c3"``."""
    return sum(character.isalpha() for character in name) < 2


def _check(part: str, text: str, names: Sequence[str]) -> None:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise augsynth.ConfigError(f"template: {part}={text!r} cannot be read: {error}") from error
    allowed = {"header": {"label", "topic"}, "example": {"text"}}.get(part, {"name"})
    for name in names:
        if name not in found:
            raise augsynth.ConfigError(f"template: {part}={text!r} has no {{{name}}}, where that would stand")
    if unknown := sorted(found - allowed):
        raise augsynth.ConfigError(f"template: {part}={text!r} has {{{unknown[0]}}}; known: {sorted(allowed)}")
