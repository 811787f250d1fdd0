"""Pictures by a pretrained pipeline, each class by its prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import augsynth
from augsynth import authoring
from augsynth_diffusers import folder

_BOX = 121  # stream
_METHODS = ("image_to_image", "inpaint")


class Diffusers(authoring.Generator):
    """Any pipeline of diffusers that makes a picture of a text (Stable Diffusion and its like), of a class (DiT), or of
    nothing, from a local folder. Nothing is trained; what it is asked is data: a prompt for each class.

    Pictures are made at a size that the pipeline can make, and brought to that of the dataset. ``vary`` is image to
    image (SDEdit, Meng et al. 2022), or paints a region anew. A checkpoint names the folder, with a digest of its
    weights, and holds none. The licence of the pipeline holds for what it makes.
    """

    modality = "image"
    conditions = frozenset({"label"})
    costly = True
    micro_batch = {"cpu": 4, "cuda": 16}  # noqa: RUF012 - a constant of the class

    identity: Tensor

    def build(
        self,
        spec: authoring.ImageSpec,
        *,
        pipeline: str = "",
        prompt: str = "a photo of a {label}",
        prompts: Mapping[str, str] | None = None,
        class_ids: Mapping[str, int] | None = None,
        num_inference_steps: int = 30,
        guidance: float = 7.5,
        dtype: str = "float32",
        digest: str = "",
    ) -> None:
        """
        Args:
            pipeline: a folder as of ``save_pretrained``.
            prompt: what is asked for, with ``{label}``; as it is where there are no labels.
            prompts: class → what is asked for in its place.
            class_ids: class → number, for a pipeline that was trained on numbered classes; None takes positions.
            num_inference_steps: of the sampler, as diffusers names them.
            guidance: scale of classifier-free guidance (Ho & Salimans 2022); 7.5 is what diffusers takes.
            dtype: of the weights.
            digest: of the pipeline; found.
        """
        authoring.check_whole(num_inference_steps=num_inference_steps)
        if dtype not in ("float32", "float16", "bfloat16"):
            raise augsynth.ConfigError(f"dtype={dtype!r}: expected 'float32', 'float16' or 'bfloat16'")
        names = [] if spec.classes is None else spec.classes.displayed
        if names and "{label}" not in prompt and set(names) - set(prompts or {}):
            raise augsynth.ConfigError(f"prompt={prompt!r} has no {{label}}, so that all classes would look the same")
        self.folder = folder.found(pipeline)
        said = folder.fingerprint(self.folder)
        if digest and digest != said:
            raise augsynth.CheckpointError(
                f"{self.folder} is another pipeline than the one that this generator was made with (sha256 "
                f"{said[:12]}..., expected {digest[:12]}...): put that one there, or fit anew"
            )
        self.prompts = [(prompts or {}).get(name) or prompt.replace("{label}", name) for name in names] or [prompt]
        self.numbers = [(class_ids or {}).get(name, i) for i, name in enumerate(names)] or [0]
        self.steps, self.guidance, self.dtype = num_inference_steps, guidance, dtype
        parts = [int(said[i : i + 15], 16) for i in (0, 15, 30, 45)]
        self.register_buffer("identity", torch.tensor(parts, dtype=torch.int64))

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"digest": folder.fingerprint(folder.found(config.get("pipeline", "")))}

    def learn(self, data: Any) -> None:
        pipe = self._pipe()
        self.fit_info["pipeline"] = {"folder": self.folder.name, "class": type(pipe).__name__, "asks": self.prompts}

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Any:
        """``temperature`` scales the noise that pictures are made of, where the pipeline takes latents; ``truncation``
        bounds it, in standard deviations."""
        pipe = self._pipe()
        size = self._size(pipe)
        given: dict[str, Any] = self._asked(pipe, labels, len(seeds))
        if folder.asks_for(pipe) == "prompt":
            given |= {"height": size[0], "width": size[1]}
            scale = pipe.vae_scale_factor
            shape = (pipe.unet.config.in_channels, size[0] // scale, size[1] // scale)
            noise = authoring.noise(seeds, shape) * temperature
            if truncation is not None:
                noise = noise.clamp(-truncation, truncation)
            given["latents"] = noise.to(pipe.unet.dtype)
        made = pipe(**given, generator=_generators(seeds), num_inference_steps=self.steps, output_type="pt").images
        return self._fitting(made)

    def vary_batch(
        self,
        x: Tensor,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        strength: float,
        method: str = "image_to_image",
        amount: float = 0.5,
    ) -> Tensor:
        """
        Options:
            method: ``"image_to_image"``, or ``"inpaint"``, which paints a region anew, a box of ``amount`` of the sides
                whose place follows the seed.
            amount: how much of the way to noise strength 1 goes.
        """
        if method not in _METHODS:
            raise augsynth.ConfigError(f"method={method!r}: expected one of {', '.join(map(repr, _METHODS))}")
        if strength == 0.0:
            return x
        pipe = self._pipe()
        if folder.asks_for(pipe) != "prompt":
            raise augsynth.CapabilityError(f"{type(pipe).__name__} takes no pictures: variations need text to image")
        size = self._size(pipe)
        shown = (x[:, : 1 if x.shape[1] < 3 else 3].expand(-1, 3, -1, -1) + 1) / 2
        shown = F.interpolate(shown, size=size, mode="bilinear", antialias=True).clamp(0, 1)
        given = {**self._asked(pipe, labels, len(x)), "image": shown, "num_inference_steps": self.steps}
        far = min(1.0, amount * strength)
        # a very short way would have no step at all
        given |= {"strength": max(far, 1.0 / self.steps), "generator": _generators(seeds), "output_type": "pt"}
        if method == "inpaint":
            return self._painted(pipe, given, x, seeds, size, amount)
        from diffusers import AutoPipelineForImage2Image

        return self._fitting(_quiet(AutoPipelineForImage2Image.from_pipe(pipe))(**given).images)

    # ------------------------------------------------------------------ private

    def _painted(
        self, pipe: Any, given: dict[str, Any], x: Tensor, seeds: Tensor, size: tuple[int, int], amount: float
    ) -> Tensor:
        from diffusers import AutoPipelineForInpainting

        height, width = (max(1, round(amount * side)) for side in size)
        corner = authoring.uniform(seeds, (2,), stream=_BOX)
        mask = torch.zeros(len(seeds), 1, *size)
        for row, (down, right) in zip(mask, corner.tolist(), strict=True):
            top, left = int(down * (size[0] - height + 1)), int(right * (size[1] - width + 1))
            row[:, top : top + height, left : left + width] = 1.0
        given |= {"mask_image": mask, "height": size[0], "width": size[1], "strength": 1.0}
        made = self._fitting(_quiet(AutoPipelineForInpainting.from_pipe(pipe))(**given).images)
        # what lies outside of the box is the picture itself, not what the pipeline made of it
        inside = F.interpolate(mask.to(x), size=x.shape[-2:], mode="nearest")
        return made * inside + x * (1 - inside)

    def _asked(self, pipe: Any, labels: Tensor | None, n: int) -> dict[str, Any]:
        rows = [0] * n if labels is None else labels.tolist()
        asks = folder.asks_for(pipe)
        if asks == "prompt":
            return {"prompt": [self.prompts[c] for c in rows], "guidance_scale": self.guidance}
        if asks == "class_labels":
            return {"class_labels": [self.numbers[c] for c in rows], "guidance_scale": self.guidance}
        if labels is not None and len(self.prompts) > 1:
            raise augsynth.CapabilityError(
                f"{type(pipe).__name__} cannot be asked for a class; fit on data without labels"
            )
        return {"batch_size": n}

    def _size(self, pipe: Any) -> tuple[int, int]:
        """That of the images, rounded to what the pipeline can make."""
        step = 8 * getattr(pipe, "vae_scale_factor", 1)
        height, width = (max(step, -(-side // step) * step) for side in self.spec.shape[1:])
        return height, width

    def _fitting(self, made: Any) -> Tensor:
        """(n, C, H, W) in [-1, 1] of the dataset's size, of pictures (n, 3, H, W) in [0, 1]."""
        x = torch.as_tensor(made).float()
        if x.shape[-1] in (1, 3) and x.shape[1] not in (1, 3):  # some pipelines put channels last
            x = x.movedim(-1, 1)
        channels = self.spec.shape[0]
        if channels < 3:
            x = x.mean(1, keepdim=True)
        if channels in (2, 4):  # grey or colour, and opacity: a pipeline knows none
            x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
        if x.shape[-2:] != self.spec.shape[1:]:
            x = F.interpolate(x, size=tuple(self.spec.shape[1:]), mode="bilinear", antialias=True)
        return x.clamp(0, 1) * 2 - 1

    def _pipe(self) -> Any:
        return folder.loaded(self.folder, self.dtype).to(self.device)


def _generators(seeds: Tensor) -> list[torch.Generator]:
    """One for each picture, so that it does not depend on those beside it."""
    return [torch.Generator().manual_seed(seed % 2**63) for seed in seeds.tolist()]


def _quiet(pipe: Any) -> Any:
    pipe.set_progress_bar_config(disable=True)
    return pipe
