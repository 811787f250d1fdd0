"""What the inputs of a dataset look like, and the way from them to what generators see, and back.

A sample takes three forms. *Yielded*: what the dataset hands out. *Raw*: checked, of one type, in the dataset's own
dtype and range; what is kept in memory. *Model*: what generators see. A kind of data says what they are and how one
becomes the other; everything here runs while a loader runs, asks no registry, and goes to spawned workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import CapabilityError, DataError
from augsynth.labels.classes import LabelSpec
from augsynth.labels.kinds import Targets, targets_from_json
from augsynth.topic_spec import TopicSpec

Self = TypeVar("Self", bound="SampleSpec")

LARGEST = 2**28
"""Values of one sample. More are a mistake, or a file that means harm."""


@dataclass(frozen=True, kw_only=True)
class SampleSpec:
    """The space of a dataset's inputs. Subclass it for a kind of data, and name the class in a :class:`Modality`.

    As it stands it serves inputs that are tensors of one shape, seen by generators as float32 in [-1, 1]. An author
    writes :meth:`of` and :meth:`claims`, gives it the fields that describe an input, and overrides what differs;
    inputs that are no tensors start from :class:`ListSpec`.

    Args:
        labels: the classes of the dataset, the labels or the numbers that are its targets; None when it has none.
        topics: its topics, or None.
        modality: qualified name of the kind of data, set when it is recognised.
    """

    labels: Targets | None = None
    topics: TopicSpec | None = None
    modality: str = ""

    field_names: ClassVar[tuple[str, ...]] = ()
    """Keys under which samples that are dicts usually hold such an input."""
    tensors: ClassVar[bool] = True
    """Whether generators see tensors of one shape: they are then placed on devices, stacked, and made in parallel."""

    # ------------------------------------------------------------------ what an author writes

    @classmethod
    def claims(cls, x: Any) -> bool:
        """Whether ``x`` is of this kind at all, flawed or not; quick, and without an error."""
        raise NotImplementedError(f"{cls.__name__} must define claims(x)")

    @classmethod
    def role_of(cls, x: Any, value: Any) -> str | None:
        """Whether ``value`` is a target that lies in the input ``x``: its role, out of ``"mask"``, ``"boxes"`` and
        ``"keypoints"``, or None."""
        return None

    @classmethod
    def of(cls: type[Self], x: Any, dataset: Any = None) -> Self:
        """Infer the spec of one input.

        Args:
            x: what the dataset yields as its input.
            dataset: where it comes from, for facts that an input does not tell.

        Raises:
            DataError: it is none that can be understood; says what it is and what to do.
        """
        raise NotImplementedError(f"{cls.__name__} must define of(x, dataset)")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample as generators see it."""
        raise NotImplementedError(f"{type(self).__name__} must define shape")

    @property
    def described(self) -> str:
        """For messages: ``tensor (1, 28, 28) float32 in [0, 1]``."""
        return f"{type(self).__name__.removesuffix('Spec').lower()} of shape {self.shape}"

    def to_raw(self, x: Any) -> Any:
        """One input as it is kept in memory.

        Raises:
            DataError: it is of another form, size, type or range than this spec.
        """
        try:
            tensor = torch.as_tensor(x)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"an input of type {type(x).__name__}: expected {self.described}") from error
        if tuple(tensor.shape) != self.shape:
            raise DataError(f"an input of shape {tuple(tensor.shape)}: expected {self.described}")
        return tensor

    def raw_to_model(self, raw: Any) -> Any:
        """n raw samples as generators see them."""
        return raw.float()

    def model_to_raw(self, x: Any) -> Any:
        """The inverse of :meth:`raw_to_model`; values out of range are clipped."""
        return x

    def yielded(self, raw: Any) -> Any:
        """n raw samples as what the dataset yields: a tensor (n, ...), an array (n, ...), or a list."""
        return raw.contiguous()

    def refined(self: Self, raw: Any) -> Self:
        """The spec of all of a dataset's samples, given all of them."""
        return self

    def read_off(self) -> str | None:
        """What of this spec was read off the values of all samples, so that a private fit may not use it; None for
        nothing. A spec that overrides :meth:`refined` must say."""
        return None if type(self).refined is SampleSpec.refined else f"{self.described}: refined by all samples"

    def public_form(self: Self) -> Self:
        """The spec with what holds for any data in place of what :meth:`refined` read off, where there is such; what is
        left :meth:`read_off` tells."""
        return self

    # ------------------------------------------------------------------ what follows from it

    @property
    def num_classes(self) -> int:
        """Number of classes, 0 without, or where the targets are no classes."""
        return len(self.labels) if self.labels is not None and self.labels.categorical else 0

    @property
    def condition_size(self) -> int:
        """Length of the vectors that generators see as targets, 0 where these are classes."""
        return 0 if self.labels is None or self.labels.categorical else self.labels.size  # type: ignore[union-attr]

    @property
    def classes(self) -> LabelSpec | None:
        """The labels where they are classes, else None."""
        return self.labels if isinstance(self.labels, LabelSpec) else None

    @property
    def num_topics(self) -> int:
        """Number of topics, 0 without."""
        return len(self.topics) if self.topics else 0

    @property
    def kind(self) -> str:
        """Short name of the kind of data."""
        return self.modality.rpartition("/")[2]

    def stacked(self, raws: Sequence[Any]) -> Any:
        """n raw samples as one object that can be indexed by slices and index tensors."""
        return torch.stack(list(raws)) if raws else torch.zeros(0, *self.shape)

    def joined(self, parts: Sequence[Any]) -> Any:
        """The samples of several requests, as generators see them."""
        return parts[0] if len(parts) == 1 else torch.cat(list(parts)) if parts else torch.zeros(0, *self.shape)

    def placed(self, x: Any, device: torch.device | str) -> Any:
        """Samples, raw or as generators see them, on ``device``."""
        return x.to(device)

    def batched(self, x: Any) -> Any:
        """n samples as generators see them, as what the dataset yields."""
        return self.yielded(self.placed(self.model_to_raw(x), "cpu"))

    def inputs(self, given: Any) -> Any:
        """n inputs that a caller gives, in a list or stacked, as generators see them.

        Raises:
            DataError: it is one input, or not of this spec.
        """
        if isinstance(given, (Tensor, np.ndarray)) and given.ndim < self.yielded_ndim + 1:
            raise DataError(f"an input of shape {tuple(given.shape)}: expected n of them, stacked or in a list")
        if not isinstance(given, (Tensor, np.ndarray, Sequence)) or isinstance(given, str):
            raise DataError(
                f"inputs of type {type(given).__name__}: expected a list, a tensor (n, ...) or an array (n, ...)"
            )
        return self.raw_to_model(self.stacked([self.to_raw(one) for one in given]))

    @property
    def yielded_ndim(self) -> int:
        """Number of dimensions of one input, where it is a tensor or an array."""
        return len(self.shape)

    def flaw(self, made: Any, n: int) -> str | None:
        """What is wrong with ``made`` as n generated samples, or None."""
        if tuple(made.shape) != (n, *self.shape):
            return f"made samples of shape {tuple(made.shape)}, expected {(n, *self.shape)}"
        # a single NaN or infinity shows in the sum
        return None if torch.isfinite(made.sum()) else "made NaN or infinite values"

    def differences(self, other: Any) -> list[str]:
        """What differs between the inputs of this spec and of another, for messages; labels, topics and what depends on
        the samples seen are not compared."""
        if other.modality != self.modality:
            return [f"modality: {self.kind} against {other.kind}"]
        return [
            f"{name}: {getattr(self, name)} against {getattr(other, name)}"
            for name in self.compared()
            if getattr(self, name) != getattr(other, name)
        ]

    @classmethod
    def compared(cls) -> Iterable[str]:
        """The fields that must agree for samples to stand in for one another."""
        own = {field.name for field in fields(SampleSpec)}
        return [field.name for field in fields(cls) if field.name not in own]

    def misfit(self, raw: Any) -> str | None:
        """Why the raw sample ``raw`` of another spec without :meth:`differences` cannot be among these, or None."""
        return None

    def interchangeable(self, real: Any, synthetic: Any) -> bool:
        """Whether two inputs may stand side by side although they differ in type or shape, which the core would refuse:
        values that may be missing, for one."""
        return False

    def collated(self, x: Any) -> Tensor:
        """n samples as generators see them, as ``default_collate`` makes of what the dataset yields, on their device.

        Raises:
            CapabilityError: ``default_collate`` makes no tensor of such inputs.
        """
        raw: Tensor = self.model_to_raw(x)
        return raw

    def raw_bytes(self, raw: Any) -> bytes:
        """All raw samples, for a fingerprint of the data."""
        made: bytes = raw.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return made

    def digestible(self, raw: Any) -> Iterable[bytes]:
        """The bytes of each raw sample, by which equal ones are found."""
        return (one.contiguous().numpy().tobytes() for one in raw)

    def raw_slot(self) -> tuple[tuple[int, ...], torch.dtype] | None:
        """Shape and dtype of one raw sample, for a place in shared memory; None where samples differ in size, and
        :meth:`packed` is asked."""
        raw = self.model_to_raw(torch.zeros(1, *self.shape))
        return tuple(raw.shape[1:]), raw.dtype

    @property
    def slot_bytes(self) -> int:
        """The most bytes that :meth:`packed` makes of a real sample."""
        raise NotImplementedError(f"{type(self).__name__} must define slot_bytes")

    def packed(self, x: Any) -> list[bytes]:
        """n samples as generators see them, as bytes."""
        raise NotImplementedError(f"{type(self).__name__} must define packed(x)")

    def unpacked(self, packed: Sequence[bytes]) -> Any:
        """n raw samples, from bytes."""
        raise NotImplementedError(f"{type(self).__name__} must define unpacked(packed)")

    def likely_topics(self, x: Any) -> Tensor:
        """(n,) int64 topics that n samples, as generators see them, are about.

        Raises:
            CapabilityError: they do not tell.
        """
        raise CapabilityError(f"{self.described}: samples do not tell their topic; pass topics=")

    def caller(self, transform: Any) -> Callable[[Any, int | None], Any] | None:
        """How ``transform``, of some library, is called with an input and a seed; None where it is called as it is."""
        return None

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        made = asdict(replace(self, labels=None))  # targets say themselves what of them may be kept
        return {**made, "labels": None if self.labels is None else self.labels.to_json()}

    @classmethod
    def from_json(cls: type[Self], data: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json`.

        Raises:
            KeyError, TypeError, ValueError: ``data`` is not what :meth:`to_json` made.
        """
        values: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        made = cls(
            **{
                **values,
                "labels": targets_from_json(data["labels"]),
                "topics": TopicSpec.from_json(data.get("topics")),
            }
        )
        made.check_size()
        return made

    def check_size(self) -> None:
        """Raise a ValueError where a sample would be larger than any could be: it was read from a file."""
        if self.tensors and not (
            all(isinstance(one, int) and one > 0 for one in self.shape) and math.prod(self.shape) <= LARGEST
        ):
            raise ValueError(f"samples of shape {self.shape}: expected whole numbers from 1 up, of {LARGEST:,} values")

    def with_labels(self: Self, labels: Targets | None) -> Self:
        """The same with other labels."""
        return replace(self, labels=labels)


class Items(list[Any]):
    """A list that can be indexed like a tensor: by a slice, an index tensor, or a list."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(super().__getitem__(index))
        if isinstance(index, (Tensor, np.ndarray, list)):
            positions = index if isinstance(index, list) else index.tolist()
            return type(self)(map(super().__getitem__, positions))
        return super().__getitem__(index)


@dataclass(frozen=True, kw_only=True)
class ListSpec(SampleSpec):
    """Inputs that are no tensors, such as strings: generators see the very objects, in :class:`Items`."""

    tensors: ClassVar[bool] = False

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    def to_raw(self, x: Any) -> Any:
        if not self.claims(x):
            raise DataError(f"an input of type {type(x).__name__}: expected {self.described}")
        return x

    def stacked(self, raws: Iterable[Any]) -> Items:
        return Items(raws)

    def raw_to_model(self, raw: Any) -> Any:
        return raw

    def model_to_raw(self, x: Any) -> Any:
        return x

    def joined(self, parts: Sequence[Any]) -> Items:
        return Items(one for part in parts for one in part)

    def placed(self, x: Any, device: torch.device | str) -> Any:
        return x

    def yielded(self, raw: Any) -> Any:
        return list(raw)

    def inputs(self, given: Any) -> Any:
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise DataError(f"inputs of type {type(given).__name__}: expected n of them in a list")
        return self.stacked([self.to_raw(one) for one in given])

    def flaw(self, made: Any, n: int) -> str | None:
        return None if len(made) == n else f"made {len(made)} samples, expected {n}"

    def collated(self, x: Any) -> Tensor:
        raise CapabilityError(f"{self.described}: a batch of them is no tensor")

    def raw_bytes(self, raw: Any) -> bytes:
        return b"\x00".join(self.digestible(raw))

    def digestible(self, raw: Any) -> Iterable[bytes]:
        return (repr(one).encode("utf-8", "surrogatepass") for one in raw)

    def raw_slot(self) -> tuple[tuple[int, ...], torch.dtype] | None:
        return None

    def check_size(self) -> None:
        return None
