"""A pool in a stock DataLoader, beside what one would do without: throughput, and memory over a million samples.

All cases read 28×28 images in batches of 256 with 2 workers, half of them synthetic. Every ratio is of neighbouring
runs in turns. The alternatives: the real samples alone; one sample at a time in ``__getitem__``; samples made
beforehand, on disk, in a ``ConcatDataset`` (shuffled, of the same length), read through a memory map; Hugging Face
``interleave_datasets`` of the two; webdataset's ``RandomMix`` of two shards. The last three never see a new sample.

``live`` makes a new pool in every epoch, and is held against two bounds: the generator's, as an epoch cannot be
shorter than it takes to make its samples, on all cores, by itself (in a pool or by ``gen.sample``, whichever is
faster); and that of all the work, as the real samples are read on the same cores.
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import os
import statistics
import tarfile
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from bench_loader import Naive
from common import in_turns, median_ratio, record
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset, RandomSampler, TensorDataset

import augsynth
from augsynth.pool.filler import Filler

N, BATCH, RATIO, WORKERS = 40_000, 256, 0.5, 2


class Decoded(Dataset):
    """Images as most datasets have them: bytes, a PIL image, a transform to a tensor."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        v2 = augsynth.import_torchvision("torchvision.transforms.v2")
        self.inputs, self.targets = (images[:, 0] * 255).to(torch.uint8).numpy(), labels.tolist()
        self.to_tensor = v2.Compose([v2.RandomCrop(28, padding=2), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index):
        return self.to_tensor(Image.fromarray(self.inputs[index])).as_subclass(torch.Tensor), self.targets[index]


class OnDisk(Dataset):
    """Samples made beforehand, in a memory-mapped file."""

    def __init__(self, path: Path, labels: torch.Tensor) -> None:
        self.path, self.labels, self._file = path, labels, None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index):
        if self._file is None:
            self._file = np.load(self.path, mmap_mode="r")
        return torch.from_numpy(self._file[index].copy()), self.labels[index]


def epoch_of(loader, before=lambda: None):
    def run():
        before()
        for _ in loader:
            pass

    return run


def stock(dataset, **options):
    return DataLoader(dataset, batch_size=BATCH, num_workers=WORKERS, persistent_workers=True, **options)


def hugging_face(real, made):
    import datasets

    def rows(x, y):
        form = datasets.Features({"x": datasets.Array3D((1, 28, 28), "float32"), "y": datasets.Value("int64")})
        return datasets.Dataset.from_dict({"x": x.numpy(), "y": y.numpy()}, features=form).with_format("torch")

    both = datasets.interleave_datasets([rows(*real.tensors), rows(*made)], probabilities=[0.5, 0.5], seed=0)
    return stock(both)


def web(real, made, folder: Path):
    import webdataset

    paths = []
    for name, (x, y) in (("real", real.tensors), ("made", made)):
        for part in range(WORKERS):
            path = folder / f"{name}-{part}.tar"
            paths.append(path)
            with tarfile.open(path, "w") as tar:
                for i in range(part, len(x), WORKERS):
                    for suffix, array in (("x.npy", x[i].numpy()), ("y.npy", np.asarray(y[i]))):
                        raw = io.BytesIO()
                        np.save(raw, array)
                        info = tarfile.TarInfo(f"{i:08d}.{suffix}")
                        info.size = raw.tell()
                        raw.seek(0)
                        tar.addfile(info, raw)

    def shards(name):
        urls = [str(folder / f"{name}-{part}.tar") for part in range(WORKERS)]
        return webdataset.WebDataset(urls, shardshuffle=False).decode().to_tuple("x.npy", "y.npy")

    return stock(webdataset.RandomMix([shards("real"), shards("made")]))


def fill_elsewhere(folder, slots, board, classes, seed, ready) -> None:
    """The producer as a process of its own: what the thread is measured against."""
    filler = Filler(
        augsynth.load(folder),
        slots,
        board,
        classes,
        {},
        topics=None,
        seed=seed,
        continuous=False,
        ahead=True,
        reuse=None,
        batch=1024,
    )
    ready.set()
    filler._run()


def live(real, gen, reading: float, producers, folder: Path) -> dict:
    """Samples per second with a new pool in every epoch, made by a thread, or by a process of its own."""
    half = N // 2
    with augsynth.SamplePool(gen, half, start=False).fill() as pool:
        seconds = []
        for turn in range(2, 5):  # the first filling touches new memory; nobody reads these
            began = time.perf_counter()
            while pool.stats()["made"] < turn * half:
                time.sleep(0.01)
            seconds.append(time.perf_counter() - began)
            pool.set_epoch(turn - 1)
    labels = torch.arange(1024) % 10
    direct = in_turns({"": lambda: [gen.sample(labels=labels, seed=i) for i in range(0, half, 1024)]}, repeats=3)[""]
    alone = min(statistics.median(seconds), statistics.median(direct) * half / (1024 * math.ceil(half / 1024)))
    figures: dict = {"bound of the generator": round(N / alone), "bound of all work": round(N / (alone + reading))}
    for producer in producers:
        pool = augsynth.SamplePool(gen, half)
        started = None
        if producer == "process":
            assert pool._filler is not None
            pool._filler.stop()
            context = multiprocessing.get_context("spawn")
            ready = context.Event()
            gen.save(folder / "gen")
            started = context.Process(
                target=fill_elsewhere,
                args=(str(folder / "gen"), pool._slots, pool._board, pool._classes, 0, ready),
                daemon=True,
            )
            started.start()
            ready.wait()
        blended = augsynth.SyntheticDataset(real, pool, ratio=RATIO, seed=0)
        loader, seconds = stock(blended), []
        for epoch in range(6):
            blended.set_epoch(epoch)
            began = time.perf_counter()
            for _ in loader:
                pass
            seconds.append(time.perf_counter() - began)
        rate = N / statistics.median(seconds[1:])  # the first waits for the first filling
        figures[producer] = {
            "samples/s": round(rate),
            "of the generator's bound": rate * alone / N,
            "of the bound of all work": rate * (alone + reading) / N,
        }
        if started is not None:
            started.terminate()
        pool.close()
    return figures


def memory() -> float:
    """MiB of this process and its children, shared pages counted once."""
    import psutil

    me = psutil.Process()
    return sum(p.memory_full_info().pss for p in [me, *me.children(recursive=True)]) / 2**20


def soak(samples: int, answer) -> None:
    """In a process of its own, so that what the other cases left behind does not count."""
    torch.set_num_threads(1)
    real, gen = fitted(N // 2)
    with augsynth.SamplePool(gen, 5000) as pool:
        blended = augsynth.SyntheticDataset(real, pool, ratio=RATIO, seed=0)
        loader, seen, epoch, first = stock(blended), 0, 0, 0.0
        while seen < samples:
            blended.set_epoch(epoch)
            epoch += 1
            for x, _ in loader:
                seen += len(x)
                if not first and seen >= 50_000:
                    first = memory()
        figures = {"samples": seen, "MiB after 50,000": first, "MiB at the end": memory()}
        answer.put({**figures, "pool MiB": pool.nbytes / 2**20})


def fitted(n: int):
    """n real samples, and a generator."""
    generator = torch.Generator().manual_seed(0)
    real = TensorDataset(torch.rand(n, 1, 28, 28, generator=generator), torch.arange(n) % 10)
    return real, augsynth.fit("vae", TensorDataset(*real[:500]), steps=20, progress=False, device="cpu")


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--soak", type=int, default=1_000_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    real, gen = fitted(N)
    half = N // 2
    made = (torch.as_tensor(gen.sample(labels=torch.arange(half) % 10, seed=0).x), torch.arange(half) % 10)
    figures: dict = {"n": N, "batch": BATCH, "workers": WORKERS, "ratio": RATIO}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "made.npy", made[0].numpy())
        offline = ConcatDataset([TensorDataset(*real[:half]), OnDisk(folder / "made.npy", made[1])])
        pool = augsynth.SamplePool(gen, half).fill()
        while pool.stats()["made"] < 2 * half:  # the next epoch's as well, so that nothing is made while it is timed
            time.sleep(0.1)
        blended = augsynth.SyntheticDataset(real, pool, ratio=RATIO, seed=0)
        direct = augsynth.SyntheticDataset(real, gen, ratio=RATIO, seed=0)
        cases = {
            "real alone": epoch_of(stock(real)),
            "pool, filled before": epoch_of(stock(blended), lambda: blended.set_epoch(0)),
            "pregenerated, on disk": epoch_of(stock(offline, sampler=RandomSampler(offline, num_samples=N))),
            "webdataset RandomMix": epoch_of(web(real, made, folder)),
        }
        try:
            cases["datasets interleave"] = epoch_of(hugging_face(real, made))
        except ImportError:
            print("without Hugging Face datasets: not installed")
        times = in_turns(cases, repeats=options.repeats)
        per_second = {name: N / statistics.median(seconds) for name, seconds in times.items()}
        epochs = iter(range(10**6))
        slow = in_turns(
            {
                "made in the workers": epoch_of(stock(direct), lambda: direct.set_epoch(next(epochs))),
                "naive, 4 batches": epoch_of(stock(Naive(TensorDataset(*real[: 4 * BATCH]), gen))),
            },
            repeats=2,
        )
        per_second["made in the workers"] = N / statistics.median(slow["made in the workers"])
        per_second["naive"] = 4 * BATCH / statistics.median(slow["naive, 4 batches"])
        figures["samples/s"] = {name: round(value) for name, value in per_second.items()}
        figures["pool, filled before, over real alone"] = 1 / median_ratio(
            times["pool, filled before"], times["real alone"]
        )
        figures["pool, filled before, over pregenerated"] = 1 / median_ratio(
            times["pool, filled before"], times["pregenerated, on disk"]
        )
        decoded = Decoded(real.tensors[0], real.tensors[1])
        both = augsynth.SyntheticDataset(decoded, pool, ratio=RATIO, seed=0)
        own = in_turns(
            {"real": epoch_of(stock(decoded)), "pool": epoch_of(stock(both), lambda: both.set_epoch(0))},
            repeats=max(2, options.repeats // 2),
        )
        figures["of images that are decoded and cropped"] = {
            "real alone, samples/s": round(N / statistics.median(own["real"])),
            "pool, filled before, over real alone": 1 / median_ratio(own["pool"], own["real"]),
        }
        pool.close()

        torch.set_num_threads(os.cpu_count() or 1)
        reading = N / per_second["real alone"]
        figures["live"] = {"vae": live(real, gen, reading, ("thread", "process"), folder)}
        wide = augsynth.fit("gan", TensorDataset(*real[:500]), steps=5, width=64, progress=False, device="cpu")
        figures["live"]["gan, width 64"] = live(real, wide, reading, ("thread",), folder)
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    alone_process = context.Process(target=soak, args=(options.soak, answer))
    alone_process.start()
    figures["soak"] = answer.get()
    alone_process.join()
    record("pool", figures)


if __name__ == "__main__":
    main()
