"""On a GPU: what is fitted and sampled there agrees with the CPU. CI has none; these run wherever there is one."""

import subprocess
import sys

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.testing import tiny_fits
from tests.language_model import SENTENCES, tiny_model
from tests.support import quick_fit

DEVICE = "cuda"
pytestmark = [
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="needs a GPU"),
    pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning"),
]
NEED_A_MODEL = {"transformers", "lora"}  # they have tests of their own, on a model fitted there
NO_STEPS = {"merf", "phrase_mix"}  # they read their data once
GENERATORS = sorted(
    i.qualified
    for i in augsynth.plugins()
    if i.kind == "generator" and i.distribution == "augsynth" and i.name not in NEED_A_MODEL
)
DATA = TinyImages(96, form="tensor-float")


def fitted(name, **options):
    few = {} if name.split("/")[-1] in NO_STEPS else {"steps": 6, "batch_size": 8}
    data = tiny_fits.small(augsynth.create("generator", name))
    return data, quick_fit(name, data, device=DEVICE, **few, **options)


def assert_alike(there, here, atol=3e-2):
    """As near as convolutions in TF32, which are torch's default on a GPU, are to those in float32."""
    if isinstance(here, torch.Tensor):
        torch.testing.assert_close(there.cpu(), here, atol=atol, rtol=0)
    else:  # a word of a text may fall to the other side of a rounding
        assert sum(a == b for a, b in zip(there, here, strict=True)) >= 0.75 * len(here)


@pytest.mark.parametrize("name", GENERATORS)
def test_what_was_fitted_there_samples_alike_on_the_cpu(name, tmp_path):
    _, gen = fitted(name)
    assert gen.device.type == DEVICE or not list(gen.parameters())
    here = augsynth.load(gen.save(tmp_path / "model"), device="cpu")
    assert here.device.type == "cpu"
    a, b = gen.sample(12, seed=3), here.sample(12, seed=3)
    if isinstance(b.model_x, torch.Tensor):
        assert_alike(a.model_x, b.model_x)
    else:
        assert_alike(a.x, b.x)


@pytest.mark.parametrize("name", [n for n in GENERATORS if n.split("/")[-1] not in NO_STEPS])
def test_a_fit_there_can_be_resumed_and_use_lower_precision(name, tmp_path):
    data, _ = fitted(name, checkpoint_dir=tmp_path / "run", precision="bf16-mixed")
    gen = quick_fit(
        name, data, device=DEVICE, steps=10, batch_size=8, checkpoint_dir=tmp_path / "run", resume=True,
        precision="bf16-mixed",
    )  # fmt: skip
    assert gen.fit_info["steps"] == 10
    made = gen.sample(4, seed=0).model_x
    assert not isinstance(made, torch.Tensor) or made.isfinite().all()


@pytest.mark.parametrize("name", ["vae", "autoencoder", "vaegan", "flow"])
def test_variations_are_alike(name):
    gen = quick_fit(name, DATA, steps=20, width=16)
    x, y = gen.sample(8, labels=[0, 1, 2, 0, 1, 2, 0, 1], seed=1).x, [0, 1, 2, 0, 1, 2, 0, 1]
    here = gen.vary(x, y, strength=0.5, seed=2).model_x
    assert_alike(gen.to(DEVICE).vary(x, y, strength=0.5, seed=2).model_x, here)


def test_private_steps_keep_to_the_budget_there():
    gen = quick_fit(
        "vae", DATA, steps=6, batch_size=16, width=8, latent_dim=4, device=DEVICE, privacy=augsynth.Privacy(8.0, 1e-4)
    )
    assert 0 < gen.fit_info["privacy"]["epsilon"] <= 8.0
    assert gen.sample(4, seed=0).model_x.isfinite().all()


@pytest.mark.parametrize("name", ["transformers", "lora"])
def test_language_models_write_alike_on_the_cpu(name, tmp_path):
    pytest.importorskip("transformers")
    data = [(text, ("even", "odd")[i % 2]) for i, text in enumerate(SENTENCES[:40])]
    steps = {"steps": 10} if name == "lora" else {}
    gen = augsynth.fit(name, data, model=str(tiny_model()), device=DEVICE, progress=False, **steps)
    here = augsynth.load(gen.save(tmp_path / "model"), device="cpu")
    assert_alike(gen.sample(12, seed=3).x, here.sample(12, seed=3).x)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_blend_of_a_generator_there_is_that_of_the_cpu(num_workers, tmp_path):
    gen = quick_fit("vae", DATA, steps=10, width=8)
    there = augsynth.load(gen.save(tmp_path / "model"), device=DEVICE)

    def batches(gen):
        blended = augsynth.SyntheticDataset(DATA, gen, ratio=0.5, seed=0, progress=False)
        return list(DataLoader(blended, batch_size=16, num_workers=num_workers))

    for (a, y), (b, z) in zip(batches(there), batches(gen), strict=True):
        assert torch.equal(y, z)
        assert_alike(a, b)


def test_verdicts_can_be_had_there():
    gen = quick_fit("vae", DATA, steps=30, width=8)
    result = augsynth.uplift(
        DATA, TinyImages(30, form="tensor-float", seed=1), gen.to(DEVICE), seeds=2, steps=20, device=DEVICE,
        progress=False,
    )  # fmt: skip
    assert result.settings["device"] == DEVICE and all(len(arm.scores) == 2 for arm in result.arms.values())


def test_work_on_the_cpu_leaves_the_gpu_alone(tmp_path):
    # a process that is forked from one that has begun to use CUDA cannot use it
    folder = quick_fit("vae", DATA, steps=2, width=8).save(tmp_path / "model")
    code = (
        "import augsynth, torch\n"
        "from augsynth.modalities.image.tiny import TinyImages\n"
        f"gen = augsynth.load({str(folder)!r}, device='cpu')\n"
        "gen.sample(2, seed=0)\n"
        "data = TinyImages(32, form='tensor-float')\n"
        "augsynth.fit('vae', data, steps=2, width=8, progress=False, device='cpu')\n"
        "augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0, progress=False)[0]\n"
        "assert not torch.cuda.is_initialized()\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_a_batch_is_written_into_pinned_memory_and_not_copied_there():
    gen = quick_fit("vae", DATA, steps=5, width=8)
    x, y = torch.stack([x for x, _ in DATA]), torch.tensor([int(y) for _, y in DATA])
    blended = augsynth.SyntheticDataset(torch.utils.data.TensorDataset(x, y), gen, ratio=0.5, seed=0)
    made = augsynth.loader(blended, 16, num_workers=0, pin_memory=True)
    written = []

    def watched(batch, own=made.collate_fn):
        written.append(own(batch))
        return written[-1]

    watching = DataLoader(blended, 16, pin_memory=True, collate_fn=watched)
    for batch, plain in zip(watching, DataLoader(blended, 16), strict=True):
        assert all(one.is_pinned() for one in written[-1])
        assert [one.data_ptr() for one in batch] == [one.data_ptr() for one in written[-1]]
        assert all(torch.equal(a, b) for a, b in zip(batch, plain, strict=True))


def test_variations_made_before_are_read_by_forked_workers():
    gen = quick_fit("vae", DATA, device=DEVICE, steps=6)
    blended = augsynth.SyntheticDataset(DATA, gen, ratio=1.0, mode="vary", variations=2, seed=0).make_ahead(
        progress=False
    )
    read = [x for x, _ in DataLoader(blended, batch_size=16, num_workers=2, multiprocessing_context="fork")]
    assert torch.equal(torch.cat(read), torch.stack([x for x, _ in blended.__getitems__(list(range(len(DATA))))]))
