"""What users call to have images mended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_flow.restoring import completed, denoised, from_small, noise_of, where_known


class Restorer(authoring.Generator):
    """A flow that takes out noise, fills in and enlarges. A subclass has the network.

    Attributes:
        size: that the network sees.
        space: a latent space, or None for pixels.
        mean: of the pixels, which the network does not see.
    """

    size: authoring.WorkingSize
    space: Any
    mean: float

    def likely(self, x: Tensor, time: Tensor) -> Tensor:
        """The mean of what may be behind images on their way (n, C, H, W) at times (n,), whatever their label."""
        raise NotImplementedError

    def restore(
        self,
        x: Any,
        *,
        noise: float | str | None = None,
        mask: Any = None,
        scale: int | None = None,
        steps: int = 16,
        draws: int = 4,
        seed: int = 0,
    ) -> Any:
        """Mend images: take out noise, fill in masked regions, or double their size. Needs no labels.

        Args:
            x: n images in the dataset's form: a list, or stacked. With ``scale``, smaller by that factor.
            noise: standard deviation of Gaussian noise to take out, as a share of the range of values (25 grey levels
                of 255 are 0.098); ``"auto"`` estimates it for each image.
            mask: (H, W) or (n, H, W), true where an image is to be filled in.
            scale: 2 doubles height and width; 4 is possible, and vague.
            steps, draws: of filling in and enlarging; the mean of several draws is nearest in squared error.
            seed: of these draws.

        Returns:
            n images in the dataset's form.

        Raises:
            ConfigError: not exactly one of ``noise``, ``mask`` and ``scale`` is given, or it cannot be used.
            CapabilityError: this generator works at another size than the images', or in a latent space.
        """
        spec = self._fitted_spec()
        if self.space is not None:
            raise augsynth.CapabilityError(
                "restoring works on pixels, and this flow works in a latent space: fit with latent=False"
            )
        if not self.size.same:
            raise augsynth.CapabilityError(
                f"restoring works at the size that the network sees, {self.size.shape[1:]}, and images of "
                f"{spec.shape[1:]} would lose their detail: fit with resolution=None"
            )
        if sum(one is not None for one in (noise, mask, scale)) != 1:
            raise augsynth.ConfigError(f"noise={noise!r}, scale={scale!r}: expected one of noise, mask and scale")
        if steps < 1 or draws < 1:
            raise augsynth.ConfigError(f"steps={steps!r}, draws={draws!r}: expected whole numbers from 1 up")
        inputs = self._shrunk_spec(scale).inputs(x)
        hidden = None if mask is None else self._hidden(mask, len(inputs))
        seeds = authoring.derive(seed, torch.arange(len(inputs)))
        made = []
        with self._inference():
            for part in self.parts(len(inputs)):
                own = inputs[part].to(self.device) - self.mean
                own_seeds = seeds[part].to(self.device)
                if noise is not None:
                    made.append(denoised(self.likely, own, self._deviation(noise, own)))
                    continue
                known = where_known(own, hidden[part].to(self.device)) if hidden is not None else None
                known = known or from_small(own, int(scale or 1))
                given: dict[str, int] = {"steps": steps, "draws": draws}
                made.append(completed(self.likely, known, self.size.shape, own_seeds, **given))
        return spec.yielded(spec.model_to_raw((torch.cat(made) + self.mean).cpu()))

    def _shrunk_spec(self, scale: int | None) -> Any:
        if scale is None:
            return self.spec
        height, width = self.spec.height, self.spec.width
        if isinstance(scale, bool) or not isinstance(scale, int) or scale < 2 or height % scale or width % scale:
            raise augsynth.ConfigError(f"scale={scale!r}: expected a divisor of {height}×{width} from 2 up")
        return replace(self.spec, height=height // scale, width=width // scale)

    def _hidden(self, mask: Any, n: int) -> Tensor:
        hidden = torch.as_tensor(mask).bool()
        wanted = (self.spec.height, self.spec.width)
        if tuple(hidden.shape[-2:]) != wanted or hidden.ndim not in (2, 3) or (hidden.ndim == 3 and len(hidden) != n):
            raise augsynth.ConfigError(f"mask of shape {tuple(hidden.shape)}: expected {wanted} or {(n, *wanted)}")
        return hidden.expand(n, *wanted)[:, None]

    def _deviation(self, noise: float | str, x: Tensor) -> Tensor:
        """(n,), on the scale of [-1, 1]."""
        if noise == "auto":
            return noise_of(x)
        if isinstance(noise, (bool, str)) or not 0 <= noise <= 2:
            raise augsynth.ConfigError(f"noise={noise!r}: expected a share of the range of values, or 'auto'")
        return torch.full_like(x[:, 0, 0, 0], 2.0 * float(noise))
