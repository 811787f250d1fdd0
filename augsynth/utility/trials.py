"""Run trials in parallel processes, keep what is done on disk, and go on after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import torch

from augsynth._atomic import atomic_file
from augsynth._cores import usable_cores
from augsynth._numbers import check_whole
from augsynth._orphaned import orphaned
from augsynth.errors import ConfigError

Key = tuple[str, int]  # arm and number of the seed
Run = Callable[[str, int], dict[str, Any]]

_work: Run | None = None  # what forked processes inherit: arms may be lambdas, which cannot be pickled


class TrialStore:
    """Finished trials, in memory and, given a folder, in ``trials.jsonl`` there: a line each, written when it is done.

    Args:
        folder: where, or None.
        settings: what the trials depend on; trials of others are not taken for these.

    Raises:
        ConfigError: the folder holds trials of other settings, or cannot be written.
    """

    def __init__(self, folder: Path | None, settings: Mapping[str, Any]) -> None:
        self.done: dict[Key, dict[str, Any]] = {}
        self._file = None if folder is None else folder / "trials.jsonl"
        if self._file is None:
            return
        plain = json.loads(json.dumps(dict(settings)))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.exists():
                self._read(plain)
            else:
                with atomic_file(self._file) as draft:
                    draft.write_text(json.dumps({"settings": plain}) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"out={str(folder)!r} cannot be written: {error.strerror or error}") from error

    @classmethod
    def read(cls, folder: Path) -> dict[Key, dict[str, Any]]:
        """The trials in a folder."""
        rows = [json.loads(line) for line in (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()[1:]]
        return {(row["arm"], row["seed"]): row for row in rows}

    def add(self, key: Key, result: dict[str, Any]) -> None:
        self.done[key] = result
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"arm": key[0], "seed": key[1], **result}) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def _read(self, settings: dict[str, Any]) -> None:
        assert self._file is not None
        rows = []
        for line in self._file.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break  # the process died while it wrote this one
        found = rows[0].get("settings", {}) if rows else {}
        if found != settings:
            differ = sorted(k for k in {*found, *settings} if found.get(k) != settings.get(k))
            raise ConfigError(
                f"{self._file.parent} holds trials of other settings (they differ in: {', '.join(differ) or 'all'}); "
                "pass another out=, or delete the folder"
            )
        with atomic_file(self._file) as draft:  # without a torn line at its end
            draft.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        for row in rows[1:]:
            self.done[row.pop("arm"), row.pop("seed")] = row


def run_trials(run: Run, keys: Sequence[Key], jobs: int) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Yield the result of each trial when it is done.

    Args:
        run: arm and number of the seed → result, as plain data.
        keys: the trials.
        jobs: processes; 1 runs in this one.
    """
    if jobs == 1 or len(keys) < 2:
        for key in keys:
            yield key, run(*key)
        return
    global _work
    _work = run
    executor = ProcessPoolExecutor(
        min(jobs, len(keys)),
        mp_context=multiprocessing.get_context("fork"),
        initializer=_end_with_parent,
    )
    try:
        waiting = {executor.submit(_in_process, *key): key for key in keys}
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        _work = None


def usable_jobs(jobs: int | None, device: str) -> int:
    """How many processes to use: all cores on a CPU where processes can be forked, else one.

    Raises:
        ConfigError: ``jobs`` is not a whole number from 1 up.
    """
    check_whole(or_none=True, jobs=jobs)
    can = device == "cpu" and "fork" in multiprocessing.get_all_start_methods()
    if not can:
        return 1
    return jobs or usable_cores()


def _end_with_parent() -> None:
    """End this process soon after its parent is killed: it would wait for work for ever."""

    def watch() -> None:
        while not orphaned():
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _in_process(arm: str, seed: int) -> dict[str, Any]:
    torch.set_num_threads(1)  # one process a core; and no threads of before the fork are waited for
    if _work is None:
        raise RuntimeError("the work was not inherited by this process")
    return _work(arm, seed)
