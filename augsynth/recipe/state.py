"""What of a recipe is done: a stage is, while its settings and what it stands on are the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file
from augsynth.errors import ConfigError


class State:
    """``state.json`` in the folder of a run.

    Args:
        folder: of the run.
        plan: name of each stage → what it depends on, as plain data, in the order in which they are run. A stage also
            depends on all before it that it names under ``"after"``.
        redo: do stages anew whose settings have changed, in place of an error.

    Raises:
        ConfigError: settings of a stage that is done, or was begun, have changed; says which.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Mapping[str, Any]], *, redo: bool = False) -> None:
        self.folder, self.file = folder, folder / "state.json"
        self.plan = json.loads(json.dumps(dict(plan)))
        self.stages: dict[str, dict[str, Any]] = self._read()
        changed = self._changed()
        if changed and not redo:
            told = "; ".join(dict.fromkeys(one for differ in changed.values() for one in differ))
            raise ConfigError(
                f"{folder} holds a run with other settings ({told}). Pass another --out, or --redo to do "
                f"{', '.join(changed)} anew"
            )
        for name in changed:
            self.stages.pop(name)
            shutil.rmtree(folder / name, ignore_errors=True)
        self._write()

    def done(self, name: str) -> bool:
        """Whether the stage is finished, with these settings."""
        return bool(self.stages.get(name, {}).get("done"))

    def begin(self, name: str) -> None:
        """Note that a stage has begun: what it leaves behind belongs to these settings."""
        self.stages[name] = {"settings": self._basis(name), "done": False}
        self._write()

    def finish(self, name: str, **facts: Any) -> None:
        """Note that a stage is done, with what is to be known of it."""
        self.stages[name] = {**self.stages[name], **json.loads(json.dumps(facts)), "done": True}
        self._write()

    def facts(self, name: str) -> dict[str, Any]:
        """What was noted of a finished stage."""
        return self.stages[name]

    def _basis(self, name: str) -> dict[str, Any]:
        """The settings of a stage, and of all that it stands on, by stage."""
        own = self.plan[name]
        below = {key: one for other in own.get("after", ()) for key, one in self._basis(other).items()}
        return {**below, name: own}

    def _changed(self) -> dict[str, list[str]]:
        """Stages that were begun with other settings, their own or those of what they stand on → what differs."""
        changed = {}
        for name, row in self.stages.items():
            if name not in self.plan:
                continue
            before, now = row["settings"], self._basis(name)
            if before != now:
                changed[name] = [
                    one for stage in {**before, **now} for one in _told(before.get(stage, {}), now.get(stage, {}))
                ]
        return changed

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.file.exists():
            return {}
        try:
            stages: dict[str, dict[str, Any]] = json.loads(self.file.read_text(encoding="utf-8"))["stages"]
            return {name: row for name, row in stages.items() if "settings" in row}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{self.file} is no state of a run: {error}; delete the folder, or pass another"
            ) from error

    def _write(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(self.file) as draft:
                draft.write_text(json.dumps({"stages": self.stages}, indent=2, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be written: {error.strerror or error}") from error


def _told(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """``generator.steps: 20 there, 10 here`` for each setting that differs."""
    there, here = _flat(before), _flat(now)
    differ = sorted(key for key in {**there, **here} if there.get(key) != here.get(key))
    return [f"{key}: {there.get(key)!r} there, {here.get(key)!r} here" for key in differ]


def _flat(settings: Any, path: str = "") -> dict[str, Any]:
    if isinstance(settings, dict) and settings:
        made: dict[str, Any] = {}
        for key, value in settings.items():
            made |= _flat(value, f"{path}.{key}" if path else str(key))
        return made
    return {path: settings}
