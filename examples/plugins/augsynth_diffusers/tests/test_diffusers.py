"""A pipeline of random weights: the contract, prompts, variations, and folders that are none."""

import atexit
import json
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
import torch
from augsynth_diffusers.generator import Diffusers

import augsynth
from augsynth.testing import checks

pytestmark = pytest.mark.filterwarnings(
    "ignore::augsynth.AugsynthWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
DATA = [(torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(i)), ("cat", "dog")[i % 2]) for i in range(8)]


@lru_cache(maxsize=1)
def tiny_pipeline() -> str:
    """A Stable Diffusion of a few thousand random weights."""
    augsynth.import_torchvision()
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = Path(mkdtemp(prefix="augsynth-tiny-pipeline-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    letters = [chr(i) for i in range(33, 127)]
    names = [*letters, *(f"{one}</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(names), hidden_size=32, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
                bos_token_id=len(names) - 2, eos_token_id=len(names) - 1, pad_token_id=len(names) - 1,
            )
        )  # fmt: skip
        unet = UNet2DConditionModel(
            block_out_channels=(8, 16), layers_per_block=1, sample_size=16, in_channels=4, out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32, norm_num_groups=4, attention_head_dim=4,
        )  # fmt: skip
        vae = AutoencoderKL(
            block_out_channels=[8, 16], in_channels=3, out_channels=3, latent_channels=4, norm_num_groups=4,
            down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
        )  # fmt: skip
    scheduler = DDIMScheduler(clip_sample=False, set_alpha_to_one=False)
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(folder / "pipeline")
    return str(folder / "pipeline")


class Tiny(Diffusers):
    @classmethod
    def settings_from(cls, data, config):
        given = {"pipeline": tiny_pipeline(), **config}
        return {**given, "pipeline": tiny_pipeline(), "num_inference_steps": 2, **super().settings_from(data, given)}


@pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
def test_it_keeps_what_generators_promise(check):
    check(Tiny)


@pytest.fixture(scope="module")
def gen():
    return augsynth.fit(
        "diffusers", DATA, pipeline=tiny_pipeline(), num_inference_steps=3, progress=False, device="cpu"
    )


def test_pictures_have_the_form_of_the_data(gen):
    made = gen.sample(labels=["cat", "dog", "cat"], seed=0)
    assert made.x.shape == (3, 3, 16, 16) and float(made.x.min()) >= 0 and float(made.x.max()) <= 1
    assert gen.plugin == "augsynth-diffusers/diffusers" and gen.fit_info["pipeline"]["asks"][0] == "a photo of a cat"
    apart = gen.sample(labels=["cat", "dog"], seeds=[5, 5]).x
    assert not torch.equal(apart[0], apart[1]), "another prompt, another picture"


def test_vary_keeps_to_the_picture(gen):
    x, y = torch.stack([one for one, _ in DATA[:3]]), [label for _, label in DATA[:3]]
    assert torch.equal(gen.vary(x, y, strength=0.0, seed=0).x, x)
    assert gen.vary(x, y, seed=0).x.shape == x.shape
    painted = gen.vary(x, y, seed=0, method="inpaint").x
    changed = ((painted - x).abs() > 1e-3).any(1).float().mean((1, 2))
    assert bool((changed > 0.1).all()) and bool((changed < 0.4).all()), "a quarter of the picture is another"
    with pytest.raises(augsynth.ConfigError, match="method='other'"):
        gen.vary(x, y, method="other")


def test_a_checkpoint_holds_no_weights(gen, tmp_path):
    gen.save(tmp_path / "gen")
    assert sum(file.stat().st_size for file in (tmp_path / "gen").iterdir()) < 20_000
    again = augsynth.load(tmp_path / "gen")
    assert torch.equal(again.sample(2, labels="dog", seed=1).x, gen.sample(2, labels="dog", seed=1).x)


def test_numbers_of_classes_and_no_classes_at_all(tmp_path):
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    with torch.random.fork_rng():
        unet = UNet2DModel(
            sample_size=16, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
            down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
        )  # fmt: skip
    DDPMPipeline(unet, DDPMScheduler(num_train_timesteps=10)).save_pretrained(tmp_path / "ddpm")
    plain = [x for x, _ in DATA]
    gen = augsynth.fit("diffusers", plain, pipeline=str(tmp_path / "ddpm"), num_inference_steps=2, progress=False)
    assert gen.sample(2, seed=0).x.shape == (2, 3, 16, 16)
    with pytest.raises(augsynth.CapabilityError, match="DDPMPipeline takes no pictures"):
        gen.vary(plain[:2])
    labelled = augsynth.fit("diffusers", DATA, pipeline=str(tmp_path / "ddpm"), num_inference_steps=2, progress=False)
    with pytest.raises(augsynth.CapabilityError, match="cannot be asked for a class"):
        labelled.sample(1, labels="cat")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"pipeline": "/not/here"}, "expected a folder with model_index.json"),
        ({"prompt": "a photo"}, "has no {label}"),
        ({"num_inference_steps": 0}, "num_inference_steps=0"),
        ({"dtype": "int8"}, "dtype='int8'"),
    ],
)
def test_bad_settings(config, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.fit("diffusers", DATA, progress=False, **{"pipeline": tiny_pipeline(), **config})


def test_folders_that_are_none(tmp_path):
    (tmp_path / "model_index.json").write_text("{broken")
    with pytest.raises(augsynth.ConfigError, match="is damaged"):
        augsynth.fit("diffusers", DATA, pipeline=str(tmp_path), progress=False)
    (tmp_path / "model_index.json").write_text('{"_class_name": "X"}')
    (tmp_path / "weights.bin").write_bytes(b"pickle")
    with pytest.raises(augsynth.ConfigError, match="has no safetensors"):
        augsynth.fit("diffusers", DATA, pipeline=str(tmp_path), progress=False)
