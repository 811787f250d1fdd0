"""All that is special about images, in one place; each part in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from augsynth.features import values
from augsynth.modalities.image import drawing
from augsynth.modalities.image.classic import candidates
from augsynth.modalities.image.classifier import ImageClassifier
from augsynth.modalities.image.inception import Inception
from augsynth.modalities.image.near import fitted_scores, near_duplicates
from augsynth.modalities.image.readers import READERS
from augsynth.modalities.image.spec import ImageSpec
from augsynth.modalities.image.tiny import FORMS, TRANSFORM_FORMS, TinyImages, shape_of
from augsynth.modality import Extract, Modality, Reader


class ImageModality(Modality):
    """Images: PIL, arrays or tensors."""

    spec_type: ClassVar[type[ImageSpec]] = ImageSpec
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".npz", "")
    forms: ClassVar[tuple[str, ...]] = FORMS
    transform_forms: ClassVar[tuple[str, ...]] = TRANSFORM_FORMS

    def readers(self) -> Sequence[Reader]:
        return READERS

    def classifier(self, spec: ImageSpec, outputs: int) -> nn.Module:
        return ImageClassifier(spec, outputs)

    def classic_candidates(self, spec: ImageSpec) -> dict[str, Any]:
        return candidates(spec)

    def features(self) -> dict[str, Callable[[Any, Any, Any], Extract]]:
        return {**super().features(), "inception": lambda data, reference, judge: Inception()}

    def detail(self, spec: Any, reference: Any) -> tuple[str, Extract]:
        return "pixels", values

    def near_duplicates(self, spec: Any, raw: Any, other: Any) -> tuple[list[tuple[int, int, str]], str | None]:
        return near_duplicates(spec, raw, other)

    def outlier_scores(self, data: Any, *, seed: int, device: str, progress: bool) -> Tensor | None:
        """Squared error of reconstruction by an autoencoder fitted on the data."""
        from augsynth.registry import default_registry

        gen = default_registry().create("generator", "augsynth/autoencoder", latent_dim=8)
        return fitted_scores(gen, data, seed=seed, device=device, progress=progress)

    def picture(self, spec: Any, x: Tensor, columns: int, *, cell: int = 44) -> Any:
        return drawing.picture(drawing.side_by_side(spec, x), columns, cell=cell)

    def html(self, spec: Any, x: Tensor, *, large: bool = False) -> str:
        return drawing.html(drawing.side_by_side(spec, x), large=large)

    def write(self, spec: ImageSpec, batch: Any, out: Path) -> list[Path]:
        return super().write(spec, batch, out) if out.suffix == ".npz" else drawing.write(spec, batch, out)

    def tiny(self, n: int, *, classes: int = 3, form: str | None = None, seed: int = 0) -> TinyImages:
        form = form or "tensor-float"
        own, shape = shape_of(form)
        return TinyImages(n, shape, form=own, classes=classes, structure="tuple" if classes else "bare", seed=seed)

    def transform_settings(self, form: str) -> dict[str, Any]:
        return {"value_range": (-1.0, 1.0)} if form.startswith("numpy-chw") else {}
