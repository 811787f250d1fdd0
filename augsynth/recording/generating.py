"""Write very many samples, in several processes or on a cluster, by Ray Data."""

from __future__ import annotations

import logging
import math
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from augsynth._cores import usable_cores
from augsynth._filtering import Filter, filters_of
from augsynth._numbers import check_whole
from augsynth._optional import import_optional
from augsynth._progress import progress_bar
from augsynth.errors import BrokenPluginError, ConfigError
from augsynth.generator.generator import Generator
from augsynth.recording.request import Request, opened
from augsynth.recording.storage import Storage

_PART = 16 * 2**20  # bytes of a part, so that what a process holds is bounded, and little is lost with it
_LEAST, _MOST = 100, 50_000  # samples of a part
_STORE = 256 * 2**20  # bytes that Ray shares among processes; only the generator goes through it
_PATIENCE = 10.0  # seconds in which a cluster has to answer
_WRITE_EVERY = 2.0  # seconds between two writings of the manifest


def generate(
    gen: Generator,
    n: int,
    out: str | Path,
    *,
    labels: Any = None,
    topics: Any = None,
    filters: Filter | Sequence[Filter] = (),
    seed: int = 0,
    format: str = "parquet",
    shard_size: int | None = None,
    num_workers: int | None = None,
    licence: str | None = None,
    progress: bool = True,
    **options: Any,
) -> str:
    """Write very many samples, in several processes: :func:`record` on Ray Data.

    Sample i follows from the seed and i alone, whatever the number of processes, so the files are those that one
    process writes. A part whose process died is made again; what was written stays when all is interrupted, and the
    same call goes on from there, without a gap or a duplicate. ``recording.json`` has the SHA-256 of every file.

    Where Ray is connected to a cluster already (``ray.init(address=...)``, or ``RAY_ADDRESS``) the work is done there,
    and ``out`` has to be a place that all of its machines reach; otherwise on this machine. A process holds one part
    at a time, whatever n is.

    Args:
        gen: a fitted generator. On a GPU, each process asks Ray for one.
        n: samples to ask for; with filters, fewer are kept.
        out: a folder, or a URL that fsspec knows, such as ``"s3://bucket/samples"``.
        labels, topics: one for all, or a sequence of n, as of :meth:`Generator.sample`.
        filters: one or several; each takes a :class:`SampleBatch` and gives (n,) bool; what one rejects is left out.
        seed: everything random follows it.
        format: ``"parquet"``, which :func:`recorded` and Hugging Face ``datasets`` read, or ``"webdataset"``: tar files
            with a file for each sample, its class and its provenance.
        shard_size: requests a file; None takes about 16 MiB of samples.
        num_workers: processes; None takes a core each.
        licence: of the samples, for those who get them.
        progress: show a progress bar on a terminal.
        options: of sampling.

    Returns:
        ``out``.

    Raises:
        ConfigError: an argument cannot be used, ``out`` holds a recording of other settings (says which), or cannot be
            written.
        BrokenPluginError: the generator or a filter failed; says on which samples.
        CapabilityError: its targets are no classes.
        MissingDependencyError: the extra ``ray`` is not installed.
    """
    check_whole(or_none=True, num_workers=num_workers)
    size = _usual_size(gen._fitted_spec()) if shard_size is None else shard_size
    request = Request(n, size, seed, labels, topics, filters_of(filters), options, format)
    ray = import_optional("ray", extra="ray", purpose="generating in several processes")
    import_optional("ray.data", extra="ray", purpose="generating in several processes")
    storage, manifest, missing = opened(gen, request, out, licence)
    written = time.monotonic()
    with progress_bar("generating", n, show=progress) as bar:
        bar.update(manifest.asked)
        if missing:
            with _quiet(), _cluster(ray, num_workers) as processes:
                try:
                    for row in _made(ray, gen, request, storage, missing, min(processes, len(missing))):
                        if row["error"]:
                            raise _raised(row, request)
                        manifest.add({key: row[key] for key in ("file", "rows", "asked", "sha256")})
                        bar.update(manifest.asked, f"{manifest.rows:,} kept")
                        if time.monotonic() - written > _WRITE_EVERY:
                            manifest.write(storage)
                            written = time.monotonic()
                except ray.exceptions.RayError as error:
                    raise ConfigError(f"Ray gave up: {error}") from error
                finally:  # what is there is not made again
                    manifest.write(storage)
    manifest.finish(storage)
    return str(out)


class _Writer:
    """Makes parts in a process of Ray."""

    def __init__(self, gen: list[Any], request: Request, storage: Storage) -> None:
        import ray

        torch.set_num_threads(1)  # a process a core
        self.gen, self.request, self.storage = ray.get(gen[0]), request, storage

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        index = int(row["item"])
        told = {"file": "", "rows": 0, "asked": 0, "sha256": "", "error": "", "at": index, "ours": False}
        try:
            data, shard = self.request.made(self.gen, index)
        except Exception as error:  # told by who called: an exception would arrive wrapped in those of Ray
            return {**told, "error": f"{type(error).__name__}: {error}"}
        try:
            self.storage.write(shard["file"], data)
        except ConfigError as error:
            return {**told, "error": str(error), "ours": True}
        return {**told, **shard}


def _made(
    ray: Any, gen: Generator, request: Request, storage: Storage, missing: list[int], processes: int
) -> Iterator[dict[str, Any]]:
    """What the manifest says of each part, as they are done."""
    on_gpu = {"num_gpus": 1} if gen.device.type == "cuda" else {}
    shared = ray.put(gen)  # once, and kept while processes may be started anew
    parts = ray.data.from_items(missing, override_num_blocks=len(missing))
    yield from parts.map(
        _Writer,
        fn_constructor_args=([shared], request, storage),
        compute=ray.data.ActorPoolStrategy(size=processes),
        num_cpus=1,
        **on_gpu,
    ).iter_rows()


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray without its own progress bars and news: there is a bar already."""
    import ray.data

    loggers = [logging.getLogger(name) for name in ("ray", "ray.data")]
    levels, context = [one.level for one in loggers], ray.data.DataContext.get_current()
    bars, context.enable_progress_bars = context.enable_progress_bars, False
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = bars
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


@contextmanager
def _cluster(ray: Any, num_workers: int | None) -> Iterator[int]:
    """Ray as it is connected, or on this machine for as long as this is open; yields the number of processes."""
    own = not ray.is_initialized()
    if own and (address := os.environ.get("RAY_ADDRESS")):
        try:
            _knock(address)
            ray.init(log_to_driver=False)
        except (OSError, RuntimeError) as error:
            raise ConfigError(f"RAY_ADDRESS={address!r}: there is no cluster of Ray ({error})") from error
    elif own:
        ray.init(
            num_cpus=num_workers or usable_cores(),
            include_dashboard=False,
            log_to_driver=False,
            object_store_memory=_STORE,
            address="local",
            logging_level=logging.ERROR,
        )
    try:
        yield num_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if own:
            ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray would go on trying for many minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():  # and not "auto"
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _raised(row: dict[str, Any], request: Request) -> Exception:
    if row["ours"]:
        return ConfigError(row["error"])
    start = row["at"] * request.shard_size
    return BrokenPluginError(
        f"samples {start:,} to {min(start + request.shard_size, request.n) - 1:,} could not be made: {row['error']}"
    )


def _usual_size(spec: Any) -> int:
    """Samples a part: about 16 MiB of what is written."""
    slot = spec.raw_slot()
    if slot is None:
        return 10_000
    shape, dtype = slot
    size = math.prod(shape) * torch.empty(0, dtype=dtype).element_size()
    return int(min(max(_PART // max(size, 1), _LEAST), _MOST))
