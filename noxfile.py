"""What is held to besides `make check`: other versions of Python and torch, extras alone, the package, strict types.

nox                     all that this machine has the interpreters for
nox -s package          wheel and sdist, installed outside of the checkout and used
nox -s supply           whether the wheel is reproducible, bill of materials, licences, known holes (build/supply)
nox -s "tests-3.13"
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "package", "typing"]
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
TORCHES = {"oldest": ["torch==2.6.0", "torchvision==0.21.0"], "newest": ["torch", "torchvision"]}
EXTRAS = ["report", "datasets", "evaluate", "tune", "audio", "tensorboard", "clean", "prepare", "kornia", "imblearn"]
# what needs no extra, and is quick: the paths that everybody takes
CORE = ["tests/blending", "tests/pool", "tests/test_seeding.py", "tests/test_checkpoint.py", "tests/test_fitting.py"]
PINNED = ["-c", "constraints.txt"]
TESTED = ["-e", ".[kornia]", "-e", "plugins/template", "lightning>=2.4", "torchdata>=0.10"]
PYTEST = ["pytest>=8", "pytest-xdist>=3.6", "hypothesis>=6.100"]
USE = """
import torch, augsynth
from torch.utils.data import DataLoader
data = [(torch.rand(1, 8, 8), i % 2) for i in range(60)]
gen = augsynth.fit("vae", data, steps=20, progress=False, device="cpu")
blended = augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0)
x, y = next(iter(DataLoader(blended, batch_size=30, num_workers=2)))
assert x.shape == (30, 1, 8, 8) and x.dtype == torch.float32, x.shape
gen.save("vae")
assert torch.equal(augsynth.load("vae").sample(2, seed=0).x, gen.sample(2, seed=0).x)
assert "site-packages" in augsynth.__file__, augsynth.__file__
print("augsynth", augsynth.__version__, "with torch", torch.__version__, "works")
"""


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The core's tests on each Python; constraints.txt pins what 3.11 was tested with."""
    session.install(*PINNED, *TESTED, *PYTEST)
    session.run("python", "-m", "pytest", "-q", "-n", "2", *(session.posargs or CORE), env={"OMP_NUM_THREADS": "1"})


@nox.session(python="3.11")
@nox.parametrize("torch", list(TORCHES))
def torch(session: nox.Session, torch: str) -> None:
    """The core's tests with the oldest and the newest torch that is supported."""
    session.install(*TORCHES[torch], *TESTED, *PYTEST)
    session.run("python", "-m", "pytest", "-q", "-n", "2", *(session.posargs or CORE), env={"OMP_NUM_THREADS": "1"})


@nox.session(python="3.11")
def without_extras(session: nox.Session) -> None:
    """What needs an extra names it, and nothing else breaks."""
    session.install(*PINNED, "-e", ".", "-e", "plugins/template", *PYTEST)
    session.run("python", "-m", "pytest", "-q", "tests/test_optional.py", "tests/test_registry.py")


@nox.session(python="3.11")
@nox.parametrize("extra", EXTRAS)
def extras(session: nox.Session, extra: str) -> None:
    """Each extra alone is enough for what it is for."""
    session.install(*PINNED, "-e", f".[{extra}]")
    session.run("augsynth", "plugins")
    session.run("python", "-c", USE.replace('assert "site-packages"', '0 and "site-packages"'))


@nox.session(python="3.11")
def albumentationsx(session: nox.Session) -> None:
    """albumentationsx in place of albumentations."""
    session.install(*PINNED, "-e", ".", *PYTEST)
    session.run("pip", "uninstall", "-q", "-y", "albumentations")
    session.install("albumentationsx")
    session.run("python", "-m", "pytest", "-q", "tests/test_transforms.py", "-k", "albumentations")


@nox.session(python="3.11")
def package(session: nox.Session) -> None:
    """Wheel and sdist, each installed in an environment of its own outside of the checkout, and used."""
    session.install(*PINNED, "build", "hatchling")
    dist = Path(session.create_tmp()) / "dist"
    session.run("python", "-m", "build", "-q", "--no-isolation", "-o", str(dist), ".")
    for kind in ("*.whl", "*.tar.gz"):
        (built,) = dist.glob(kind)
        session.run("pip", "uninstall", "-q", "-y", "augsynth")
        session.install(*PINNED, "--no-build-isolation", str(built))
        session.chdir(session.create_tmp())
        session.run("python", "-c", USE)
        session.run("augsynth", "plugins", "--json", silent=True)
        session.chdir(Path(__file__).parent)


@nox.session(python="3.11")
def supply(session: nox.Session) -> None:
    """What comes with an installation: the wheel, the same from two copies of the source; of all dependencies a bill of
    materials, the licences and the known holes, in build/supply."""
    out = Path("build/supply").absolute()
    out.mkdir(parents=True, exist_ok=True)
    session.install(*PINNED, "-e", ".[dev]")
    wheels = []
    for number in range(2):
        copy = Path(session.create_tmp()) / f"copy{number}" / ("of" * number) / "source"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(".", copy, copy_function=shutil.copy, ignore=shutil.ignore_patterns(".git", ".venv", ".nox"))
        dist = copy / "made"
        session.run("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(dist), str(copy))
        (wheel,) = dist.glob("*.whl")
        wheels.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
    if len({*wheels}) != 1:
        session.error(f"two copies of one source made two wheels: {wheels}")
    session.log(f"the wheel is reproducible: {wheels[0]}")
    session.install(*PINNED, "cyclonedx-bom", "pip-licenses", "pip-audit")
    session.run("cyclonedx-py", "environment", "--of", "JSON", "-o", str(out / "sbom.json"))
    session.run("pip-licenses", "--format=markdown", "--order=license", f"--output-file={out / 'licences.md'}")
    # where the registry does not tell of holes, it says so of each package and passes
    session.run("pip-audit", "--local", "--skip-editable", "--progress-spinner=off")


@nox.session(python="3.11")
def typing(session: nox.Session) -> None:
    """As a user's strict type checkers see it: mypy and pyright on a program that uses the public names."""
    session.install(*PINNED, "-e", ".", "mypy>=1.14", "pyright")
    session.run("mypy", "--strict", "tests/typed_use.py")
    session.run("pyright", "tests/typed_use.py")
