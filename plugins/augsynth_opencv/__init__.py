"""Image processing of OpenCV."""

from collections.abc import Iterator

from augsynth.authoring import TransformSpec, hookimpl


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    yield TransformSpec(
        name="opencv",
        factory="augsynth_opencv.transforms:OpenCV",
        modality="image",
        summary="Denoising, CLAHE, blur, and inpainting of masked regions",
    )
