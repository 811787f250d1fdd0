"""Settings that suit an amount of data, for generators with a latent space."""

from __future__ import annotations

from typing import Any

from augsynth.modalities.image.spec import ImageSpec
from augsynth.modalities.image.working_size import usual_resolution


def latent_presets(spec: ImageSpec, n: int) -> dict[str, Any]:
    """Steps, batch size and sizes of the networks for ``n`` samples of ``spec``.

    Chosen so that the fit takes a minute or two on two CPU cores at every amount of data: little data needs few steps
    before it is learnt by heart, and a smaller latent space, whose covariance ten samples of a class can carry.
    """
    per_class = n / max(1, spec.num_classes)
    small = spec.height * spec.width <= 256
    if per_class < 30:
        steps, latent_dim = 600, 16
    elif per_class < 300:
        steps, latent_dim = 1200, 32
    elif per_class < 3000:
        steps, latent_dim = 3000, 32
    else:
        steps, latent_dim = 6000, 48
    size = min(latent_dim, 16) if small else latent_dim
    return {"steps": steps, "batch_size": 64, "latent_dim": size, "width": 32, **usual_resolution(spec)}
