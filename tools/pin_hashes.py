"""Write hashes.txt: for each package that constraints.txt pins, the SHA-256 of the files that CI may install.

These are the wheels for the Python and the system that this runs on (CI: CPython 3.11 on x86-64 Linux), as the registry
and the folder of --find-links have them. Run again whenever constraints.txt changes; a test holds the two together.

    python tools/pin_hashes.py --find-links /opt/wheels
"""

from __future__ import annotations

import argparse
import hashlib
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

INDEX = "https://pypi.org/simple"
HEAD = """\
# The files that CI installs, by their SHA-256: made by tools/pin_hashes.py from constraints.txt, not by hand.
# For CPython 3.11 on x86-64 Linux; torch is its build for CPUs, of https://download.pytorch.org/whl/cpu.
"""


def pinned(file: Path) -> Iterator[Requirement]:
    """The requirements of a file of pins, in its order."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield Requirement(line)


def fits(filename: str, version: Version) -> bool:
    """Whether it is a wheel of this version that can be installed here."""
    try:
        _, found, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return False
    return found.public == version.public and not tags.isdisjoint(TAGS)


def of_registry(name: str, version: Version) -> set[str]:
    """Hashes of the wheels that the registry has."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{INDEX}/{name}/", headers=accept), timeout=60) as answer:
        files = json.load(answer)["files"]
    return {one["hashes"]["sha256"] for one in files if fits(one["filename"], version)}


def of_folder(folder: Path, name: str, version: Version) -> tuple[Version, str] | None:
    """Version, with what the build is called (2.13.0+cpu), and hash of a wheel in a folder."""
    for one in folder.glob("*.whl"):
        if canonicalize_name(one.name.split("-")[0]) == name and fits(one.name, version):
            return parse_wheel_filename(one.name)[1], hashlib.sha256(one.read_bytes()).hexdigest()
    return None


def main() -> None:
    """Write the file, or exit with the packages of which there is no wheel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    parser.add_argument("--find-links", type=Path, help="a folder of wheels that are taken before the registry's")
    parser.add_argument("--out", type=Path, default=Path("hashes.txt"))
    options = parser.parse_args()
    lines, without = [HEAD.rstrip("\n")], []
    for requirement in pinned(options.constraints):
        name, (pin,) = canonicalize_name(requirement.name), requirement.specifier
        version = Version(pin.version)
        local = of_folder(options.find_links, name, version) if options.find_links else None
        if local is not None:
            requirement.specifier, hashes = SpecifierSet(f"=={local[0]}"), {local[1]}
        else:
            hashes = of_registry(name, version)
        if not hashes:
            without.append(str(requirement))
        lines.append(" \\\n    ".join([str(requirement), *(f"--hash=sha256:{one}" for one in sorted(hashes))]))
    if without:
        parser.exit(1, f"no wheel for this Python and system: {', '.join(without)}\n")
    part = options.out.with_suffix(".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.rename(options.out)


TAGS = frozenset(sys_tags())

if __name__ == "__main__":
    main()
