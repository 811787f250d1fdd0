"""Image processing of OpenCV."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_transforms() -> Iterator[augsynth.TransformSpec]:
    yield augsynth.TransformSpec(
        name="opencv",
        factory="augsynth_opencv.transforms:OpenCV",
        modality="image",
        summary="Denoising, CLAHE, blur, and inpainting of masked regions",
    )
