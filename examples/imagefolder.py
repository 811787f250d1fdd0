"""A folder of images, one subfolder per class, with torchvision's transforms; rare classes are filled up.

    python examples/imagefolder.py [FOLDER]

Without a folder, a small one with few sevens is written to runs/digits-folder first.
"""

import sys
from collections import Counter
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader

import augsynth

# the same as `from torchvision import ...`, but also works where torch and torchvision are not of one build
ImageFolder = augsynth.import_torchvision("torchvision.datasets").ImageFolder
v2 = augsynth.import_torchvision("torchvision.transforms.v2")


def write_folder(folder: Path) -> None:
    """Digits as PNG files: 40 of each class, but five sevens."""
    data, written = load_digits(), Counter()
    for image, label in zip(data.images, data.target, strict=True):
        if written[label] < (5 if label == 7 else 40):
            path = folder / str(label) / f"{written[label]}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((image * 15.9).astype("uint8")).resize((16, 16)).save(path)
            written[label] += 1


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/digits-folder")
    if not folder.exists():
        write_folder(folder)
    real = ImageFolder(folder, transform=v2.Compose([v2.Grayscale(), v2.Resize((16, 16))]))  # yields PIL images
    gen = augsynth.fit("vae", real, steps=600, seed=0)

    # a third of the epoch is synthetic and goes to the rare classes; the transform applies to real and synthetic alike
    blended = augsynth.SyntheticDataset(
        real,
        gen,
        ratio=0.33,
        condition="balance",
        transform=v2.Compose([v2.RandomAffine(degrees=8, translate=(0.06, 0.06)), v2.PILToTensor()]),
        seed=0,
    )
    before, after = Counter(real.targets), Counter(blended.targets)
    for c, name in enumerate(real.classes):
        print(f"class {name}: {before[c]:3d} real, {after[c]:3d} in the epoch")
    for x, y in DataLoader(blended, batch_size=64, shuffle=True, num_workers=2):
        print("a batch:", tuple(x.shape), x.dtype, tuple(y.shape))
        break


if __name__ == "__main__":
    main()
