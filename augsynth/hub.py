"""Checkpoints on the Hugging Face Hub."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from augsynth._optional import import_optional
from augsynth.checkpoint.format import DESCRIPTION, WEIGHTS
from augsynth.errors import CheckpointError

PREFIX = "hf:"
_FILES = [WEIGHTS, DESCRIPTION, "README.md", "preview.*"]
"""All that a checkpoint consists of: nothing else is sent, and nothing else is fetched."""


def push(gen: Any, repo_id: str, *, private: bool, token: str | None, message: str) -> str:
    """Arguments and errors as of :meth:`augsynth.Generator.push_to_hub`."""
    hub = import_optional("huggingface_hub", extra="hub", purpose="the Hugging Face Hub")
    with tempfile.TemporaryDirectory() as folder:
        path = gen.save(Path(folder) / "checkpoint")
        try:
            api = hub.HfApi(token=token)
            api.create_repo(repo_id, private=private, exist_ok=True)
            done = api.upload_folder(
                repo_id=repo_id, folder_path=str(path), commit_message=message, allow_patterns=_FILES
            )
        except Exception as error:  # the client raises many kinds
            raise CheckpointError(f"{repo_id!r} cannot be written to: {error}") from error
    return str(getattr(done, "commit_url", done))


def fetched(name: str) -> Path:
    """The folder that ``hf:owner/name`` or ``hf:owner/name@revision`` is brought to.

    Raises:
        CheckpointError: there is no such repository, or it cannot be reached.
        MissingDependencyError: without the extra ``hub``.
    """
    hub = import_optional("huggingface_hub", extra="hub", purpose="the Hugging Face Hub")
    repo_id, _, revision = name.removeprefix(PREFIX).partition("@")
    try:
        return Path(hub.snapshot_download(repo_id, revision=revision or None, allow_patterns=_FILES))
    except Exception as error:  # as above
        raise CheckpointError(f"{name!r} cannot be fetched from the Hugging Face Hub: {error}") from error
