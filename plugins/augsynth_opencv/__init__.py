"""Image processing of OpenCV."""

import augsynth


@augsynth.hookimpl
def augsynth_transforms():
    yield augsynth.TransformSpec(
        name="opencv",
        factory="augsynth_opencv.transforms:OpenCV",
        modality="image",
        summary="Denoising, CLAHE, blur, and inpainting of masked regions",
    )
