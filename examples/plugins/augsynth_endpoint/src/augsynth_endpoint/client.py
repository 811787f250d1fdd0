"""Requests to a server that may be slow, busy, or wrong: several at once, again, within a budget, and once only."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

import augsynth
from augsynth import authoring

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # seconds
_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504}


class EndpointError(augsynth.AugsynthError, RuntimeError):
    """The server did not give what was asked for; what it gave before is kept."""


class BudgetSpentError(EndpointError):
    """The budget is spent; what was made is kept, and the same call with a larger one goes on."""


@dataclass
class Client:
    """Chat completions of a server.

    Args:
        url: of the API, such as ``http://localhost:8000/v1``.
        key_env: environment variable with the key; none is sent where it is not set. No key is written anywhere.
        timeout: seconds until a request counts as hung.
        tries: how often a request is made, at most; between them waits grow, or are what the server asks for.
        parallel: requests at once.
        budget: tokens of prompts and answers that may be spent; None for no limit. Requests that are under way when it
            is reached are still paid for.
    """

    url: str
    key_env: str = "OPENAI_API_KEY"
    timeout: float = 60.0
    tries: int = 4
    parallel: int = 8
    budget: int | None = None
    spent: dict[str, int] = field(
        default_factory=lambda: {"prompt": 0, "answer": 0, "requests": 0, "from the cache": 0}
    )

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def answers(self, requests: Sequence[dict[str, Any]]) -> list[str]:
        """The answer to each of n requests, from the cache where it was asked before.

        Raises:
            EndpointError: one could not be had; all others were waited for, and are kept.
        """
        with httpx.Client(timeout=self.timeout) as http, ThreadPoolExecutor(self.parallel) as pool:
            running = [pool.submit(self._answer, http, one) for one in requests]
        failed = [one.exception() for one in running if one.exception() is not None]
        if failed:
            error = next((one for one in failed if isinstance(one, BudgetSpentError)), failed[0])
            made = len(requests) - len(failed)
            if isinstance(error, EndpointError):
                raise type(error)(
                    f"{error}; {made} of {len(requests)} answers are kept, and need not be paid for again"
                )
            raise error
        return [one.result() for one in running]

    def _answer(self, http: httpx.Client, request: dict[str, Any]) -> str:
        file = self._file(request)
        if file.is_file():
            try:
                text: str = json.loads(file.read_text(encoding="utf-8"))["text"]
            except (ValueError, KeyError, TypeError):
                file.unlink(missing_ok=True)  # torn: it is only a cache
            else:
                self._count(0, 0, cached=True)
                return text
        self._check_budget()
        text, usage = self._asked(http, request)
        self._count(*usage)
        with authoring.atomic_file(file) as draft:
            told = {"text": text, "usage": usage, "request": request}
            draft.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        return text

    def _asked(self, http: httpx.Client, request: dict[str, Any]) -> tuple[str, tuple[int, int]]:
        key = os.environ.get(self.key_env)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        wait, problem = _FIRST_WAIT, ""
        for attempt in range(self.tries):
            if attempt:
                time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
            try:
                reply = http.post(f"{self.url.rstrip('/')}/chat/completions", json=request, headers=headers)
            except httpx.TimeoutException:
                problem = f"no answer within {self.timeout:g} s"
                continue
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if reply.status_code in _AGAIN:
                problem = f"status {reply.status_code}"
                wait = _asked_to_wait(reply, wait)
                continue
            if reply.is_error:
                raise EndpointError(f"{self.url} refused: status {reply.status_code}, {reply.text[:300]!r}")
            try:
                said = reply.json()
                text = said["choices"][0]["message"]["content"]
                used = said.get("usage") or {}
                usage = (int(used.get("prompt_tokens", 0)), int(used.get("completion_tokens", 0)))
            except (ValueError, KeyError, IndexError, TypeError, AttributeError):
                problem = f"an answer that is none: {reply.text[:120]!r}"
                continue
            if isinstance(text, str) and text.strip():
                return text.strip(), usage
            problem = "an empty answer"
            self._count(*usage)
        raise EndpointError(f"{self.url}: {problem}, {self.tries} times in a row")

    def _check_budget(self) -> None:
        with self._lock:
            used = self.spent["prompt"] + self.spent["answer"]
        if self.budget is not None and used >= self.budget:
            raise BudgetSpentError(f"the budget of {self.budget:,} tokens is spent ({used:,})")

    def _count(self, prompt: int, answer: int, cached: bool = False) -> None:
        with self._lock:
            self.spent["prompt"] += prompt
            self.spent["answer"] += answer
            self.spent["from the cache" if cached else "requests"] += 1

    def _file(self, request: dict[str, Any]) -> Path:
        told = json.dumps({"url": self.url, **request}, sort_keys=True, ensure_ascii=False)
        return authoring.cache_folder("endpoint", sha256(told.encode("utf-8")).hexdigest() + ".json")

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def _asked_to_wait(reply: httpx.Response, usual: float) -> float:
    try:
        return min(max(float(reply.headers["Retry-After"]), 0.0), _LONGEST_WAIT)
    except (KeyError, ValueError):
        return usual
