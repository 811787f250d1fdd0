"""What depends on the kind of data, in one object that a plugin contributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from augsynth._atomic import atomic_file
from augsynth.errors import ConfigError
from augsynth.sample_spec import SampleSpec
from augsynth.topic_spec import TopicSpec

Extract = Callable[[Any], Any]
"""n samples as generators see them → (n, d) vectors, dense or sparse."""

_SHOWN_VALUES = 12


class Reader(Protocol):
    """Opens data by its name on the command line."""

    @property
    def form(self) -> str:
        """What such names look like, for messages: ``"a folder of images"``."""

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that it takes; others are refused before :meth:`open` is called. Of several readers for
        one name, those that take all the options given go first."""

    def reads(self, name: str, options: Mapping[str, Any]) -> bool:
        """Whether ``name`` is of this form, given the options; quick, and without reading the data."""

    def has_test_split(self, name: str) -> bool:
        """Whether the data comes in a training and a test part."""

    def open(self, name: str, *, split: str, options: Mapping[str, Any]) -> Any:
        """The dataset. ``options`` are those that the user gave; raises ConfigError for a value that cannot be
        used."""


@dataclass(frozen=True)
class Extra:
    """Further figures of an evaluation.

    Attributes:
        figures: of :class:`augsynth.Figure`.
        plausible: name of a measure → (which generated, which real samples it takes for real ones), (m,) bool each.
    """

    figures: Sequence[Any]
    plausible: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


class Modality:
    """A kind of data. Subclass it, and declare it with a :class:`augsynth.authoring.ModalitySpec`.

    The least that an author gives is :attr:`spec_type` and :meth:`tiny`; as it stands, the rest serves tensors of one
    shape: a small dense classifier, principal components, values beside values. What runs while a loader runs is not
    here but in the :class:`SampleSpec`.
    """

    spec_type: ClassVar[type[SampleSpec]]
    """The class that describes an input, and takes it to what generators see and back."""
    qualified: str = ""
    """``distribution/name``, set by the registry."""

    # ------------------------------------------------------------------ reading

    def readers(self) -> Sequence[Reader]:
        """Readers for the command line; asked in order."""
        return ()

    def topics_for(self, raw: Any, topics: Any, seed: int) -> tuple[TopicSpec, Tensor]:
        """What ``fit(..., topics=...)`` takes, resolved for n raw samples: the topics and their (n,) positions."""
        raise ConfigError(f"topics={topics!r}: {self.qualified} samples have no topics that could be found")

    # ------------------------------------------------------------------ classifying

    batch_size: ClassVar[int] = 64
    """Samples a step, of the built-in classifier."""

    def classifier(self, spec: Any, outputs: int) -> nn.Module:
        """An untrained classifier: ``forward`` takes n samples as generators see them to (n, outputs), ``features`` to
        (n, d), what its last layer sees."""
        from augsynth.dense_classifier import DenseClassifier

        return DenseClassifier(spec.shape, outputs)

    def judge(self, data: Any) -> Any:
        """A judge of labels fitted on ``data``, with ``name`` and ``probabilities(x)`` → (n, classes); None, the
        default, trains the :meth:`classifier`."""
        return None

    def annotator(self, spec: Any) -> Any:
        """A judge for :func:`augsynth.annotate`, which says what it has to have; None, the default, takes the
        :meth:`classifier`."""
        return None

    def classic_candidates(self, spec: Any) -> dict[str, Any]:
        """Classic augmentation that :func:`augsynth.tune_classic` tries, by name: transforms, or objects with
        ``resample(dataset, seed)``, which returns a dataset with more samples."""
        return {}

    # ------------------------------------------------------------------ comparing

    def spread(self, spec: Any, x: Any) -> float:
        """Mean distance of pairs of n samples as generators see them; 0 where all are the same."""
        return float(torch.pdist(x.cpu().flatten(1)).mean()) if len(x) > 1 else 0.0

    def features(self) -> dict[str, Callable[[Any, Any, Any], Extract]]:
        """Spaces to compare samples in, by name: functions of the training data, of samples of all sets alike, and of
        the judge, which return an :data:`Extract`. May raise ConfigError where one does not apply."""
        from augsynth.features import ClassifierFeatures, PrincipalComponents

        return {
            "classifier": lambda data, reference, judge: ClassifierFeatures.of(judge, data),
            "pca": lambda data, reference, judge: PrincipalComponents(reference),
        }

    def default_features(self, judge: Any) -> str:
        """The name of the space that ``evaluate`` takes, given the judge, or None without labels."""
        return "pca" if judge is None or not hasattr(judge, "features") else "classifier"

    def detail(self, spec: Any, reference: Any) -> tuple[str, Extract]:
        """The space in which copies are looked for, and its name: by default the very values."""
        from augsynth.features import values

        return "values", values

    def copies(self, spec: Any, made: Any, held: Any, train: Any) -> list[Any]:
        """Further figures of copying, of generated, held-out and all training samples."""
        return []

    def measurements(self, gen: Any, sets: Any, rows: Any, seed: int) -> dict[str, Callable[[], Extra]]:
        """Further parts of an evaluation, by name.

        Args:
            gen: the generator.
            sets: generated, training and held-out samples, see :class:`augsynth.evaluation.inputs.Sets`.
            rows: half-samples, for intervals.
            seed: of the evaluation.
        """
        return {}

    def attributes(self, spec: Any, x: Any) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Values that could be guessed of a sample from its others: the name of each, the others as vectors (n, d), and
        the value (n,) as whole numbers, of n samples as generators see them. By default there are none."""
        return iter(())

    def canaries(self, spec: Any, n: int, seed: int) -> list[Any]:
        """n inputs, as a dataset yields them, that are like no real one and like no other: by default noise."""
        generator = torch.Generator().manual_seed(seed)
        x = torch.rand((n, *spec.shape), generator=generator) * 2 - 1
        return list(spec.yielded(spec.model_to_raw(x)))

    # ------------------------------------------------------------------ preparing

    def near_duplicates(self, spec: Any, raw: Any, other: Any) -> tuple[list[tuple[int, int, str]], str | None]:
        """Samples that are nearly the same: ``(i, j, how)``, where sample i is like the earlier sample j of ``raw`` or,
        where ``other`` is given, like its sample j; each i once. And a note, where none could be looked for."""
        return [], f"near duplicates are not looked for among {self.qualified} samples"

    def outlier_scores(self, data: Any, *, seed: int, device: str, progress: bool) -> Tensor | None:
        """(n,) how unlike the others each sample is, on any scale; None where that is not told. By default the error
        of reconstruction from principal components."""
        from augsynth.features import PrincipalComponents

        x = data.model_x()
        return torch.from_numpy(PrincipalComponents(x)(x)[:, -1]) if len(x) > 2 else None

    # ------------------------------------------------------------------ showing

    def picture(self, spec: Any, x: Any, columns: int, *, cell: int = 44) -> Any:
        """n samples as generators see them, as one PIL image of rows of ``columns``, about ``cell`` pixels each; None
        where they are not to be looked at."""
        return None

    def html(self, spec: Any, x: Any, *, large: bool = False) -> str:
        """n samples as generators see them, as HTML without links to anything; everything from the data escaped."""
        rows = "".join(f"<li><code>{escape(line)}</code></li>" for line in self.lines(spec, x))
        return f"<ul>{rows}</ul>"

    def lines(self, spec: Any, x: Any) -> list[str]:
        """n samples, a line of plain text each, for terminals and previews."""
        rows = x.cpu().flatten(1) if isinstance(x, Tensor) else x
        told = [[f"{value:.3g}" for value in list(row)[: _SHOWN_VALUES + 1]] for row in rows]
        return [", ".join(row[:_SHOWN_VALUES]) + (", ..." if len(row) > _SHOWN_VALUES else "") for row in told]

    readable: ClassVar[bool] = False
    """Whether :meth:`lines` are the samples themselves, so that a command prints them where no file is named."""
    suffixes: ClassVar[tuple[str, ...]] = (".npz",)
    """Of the files that :meth:`write` makes; the first is what the command line proposes. ``""`` is a folder."""

    def preview(self, spec: Any, batch: Any, folder: Path) -> Path:
        """Write generated samples to be looked at as ``preview.*`` into ``folder``, which exists; returns the file."""
        picture = self.picture(spec, batch.model_x, 8)
        file = folder / ("preview.txt" if picture is None else "preview.png")
        if picture is not None:
            picture.save(file)
            return file
        told = [row["condition"] or row.get("topic") or self.spec_type.__name__ for row in batch.meta]
        lines = [f"{one}\t{line}" for one, line in zip(told, self.lines(spec, batch.model_x), strict=True)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def write(self, spec: Any, batch: Any, out: Path) -> list[Path]:
        """Write generated samples to ``out``, whose suffix is one of :attr:`suffixes`; returns the files."""
        arrays: dict[str, Any] = {"x": np.stack([np.asarray(one) for one in batch.x])}
        if batch.y is not None:
            arrays["y"] = np.asarray(batch.y)
        with atomic_file(out) as draft:
            np.savez_compressed(draft, **arrays)
        return [out]

    # ------------------------------------------------------------------ for the conformance suite

    forms: ClassVar[tuple[str, ...]] = ("default",)
    """The forms in which :meth:`tiny` yields inputs, the usual one first."""

    transform_forms: ClassVar[tuple[str, ...]] = ()
    """The forms in which transforms are checked; by default :attr:`forms`."""

    def tiny(self, n: int, *, classes: int = 3, form: str | None = None, seed: int = 0) -> Any:
        """A tiny map-style dataset of n samples: ``(x, y)`` with the labels ``i % classes``, or bare inputs for 0."""
        raise NotImplementedError(f"{type(self).__name__} must define tiny(n, *, classes, form, seed)")

    def spoilt(self, x: Any, seed: int) -> Any:
        """n samples as generators see them, made unlike real ones, for checks of filters."""
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(x.shape, generator=generator) * 2 - 1

    def transform_settings(self, form: str) -> dict[str, Any]:
        """Settings that a transform needs for inputs of ``form``."""
        return {}

    def blank(self) -> Iterable[Any]:
        """Inputs in which there is nothing to transform: they must come back as they are."""
        return ()

    def smallest(self) -> Iterable[Any]:
        """The smallest inputs there are, of which a transform must leave a valid one."""
        return ()
