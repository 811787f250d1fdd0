"""What `augsynth` alone says: what there is to do next."""

from __future__ import annotations

from pathlib import Path

_BEGIN = """\
See what it does, on digits, in three minutes:
  augsynth demo

On data of yours, a folder with a subfolder for each class, or a table:
  augsynth prepare --data photos/ --out runs/prepared       duplicates, leaks, doubtful labels
  augsynth fit vae --data photos/ --out runs/photos-vae     then sample, evaluate and uplift
  augsynth run recipes/photos.yaml --set data.train=photos/ all of it in one file, resumable
"""

_GO_ON = """\
You have fitted {path}. Next:
  augsynth sample {path} -n 64 --out {path}-samples{suffix}
  augsynth evaluate {path} --data ... --out {path}-verdict   realistic? varied? copies?
  augsynth uplift {path} --data ... --out {path}-uplift      does training gain from it?
"""

_ALWAYS = """\
augsynth plugins lists what there is, augsynth new-plugin begins one of your own.
Every command has --help with an example: {commands}.
"""


def guide(commands: list[str], runs: Path = Path("runs")) -> str:
    """What to do next, by what there is in ``runs``."""
    found = sorted(runs.glob("*/generator.json"), key=lambda file: file.stat().st_mtime)
    begun = _BEGIN
    if found:
        path = found[-1].parent
        begun = _GO_ON.format(path=path, suffix=_suffix(found[-1]))
    return f"{begun}\n{_ALWAYS.format(commands=', '.join(commands))}"


def _suffix(description: Path) -> str:
    """Of the files that samples are written to; that of arrays where it cannot be told."""
    from augsynth.checkpoint.format import load_description
    from augsynth.errors import AugsynthError
    from augsynth.recognition import modality_named

    try:
        return modality_named(load_description(description.parent)["spec"]["modality"]).suffixes[0]
    except (AugsynthError, KeyError, TypeError):
        return ".npz"
