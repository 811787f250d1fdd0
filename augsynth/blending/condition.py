"""Which label a synthetic sample carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth._one_or_many import is_one
from augsynth._shares import shares_of
from augsynth.errors import ConfigError
from augsynth.labels.kinds import Targets
from augsynth.topic_spec import TopicSpec

LabelCondition = str | Mapping[Any, float] | Callable[..., Any] | None
Condition = LabelCondition | int | Sequence[Any]


def split_condition(
    condition: Condition, labels: Targets | None, topics: TopicSpec | None
) -> tuple[LabelCondition, Tensor | None]:
    """What ``condition`` says of the label, and the shares of the topics (topics,) if it is about topics.

    Topics are a name, an id or free words, a list of these with equal shares, or a mapping topic → weight. They leave
    the label to that of the replaced sample.

    Args:
        condition: as of :class:`SyntheticDataset`.
        labels: the classes of the real data, or None.
        topics: what the source can be asked for, or None.
    """
    if condition is None or condition in ("match", "balance") or callable(condition):
        return condition, None
    if topics is None or (isinstance(condition, Mapping) and _about_labels(condition, labels)):
        return condition, None  # type: ignore[return-value]  # check_condition refuses what is left
    listed = [condition] if is_one(condition) else list(condition)  # type: ignore[arg-type]
    if not listed:
        raise ConfigError(f"condition={condition!r}: expected at least one topic")
    weighted = condition if isinstance(condition, Mapping) else {topic: listed.count(topic) for topic in listed}
    return "match", shares_of("condition", weighted, topics.index, len(topics))


def _about_labels(condition: Mapping[Any, float], labels: Targets | None) -> bool:
    return labels is not None and labels.names_groups(condition)


def check_condition(condition: LabelCondition, labels: Targets | None) -> None:
    """Raise if ``condition`` is none that exists, or names classes that do not."""
    if condition is None or condition == "match":
        return
    if condition != "balance" and not isinstance(condition, Mapping) and not callable(condition):
        raise ConfigError(
            f"condition={condition!r}: expected 'match', 'balance', a mapping label → weight, a callable or None; "
            "topics, if the generator was fitted by topic, and this one was not"
        )
    if labels is None:
        raise ConfigError(f"condition={condition!r} needs labels, and the data is unlabelled; leave it out")
    if isinstance(condition, Mapping):
        mapped_weights(condition, labels)


def mapped_weights(condition: Mapping[Any, float], labels: Targets) -> Tensor:
    """(classes,) float64 shares of a mapping label → weight."""
    return labels.spread(shares_of("condition", condition, labels.group_index, labels.num_groups))


def balancing_weights(remaining: Tensor, synthetic: float) -> Tensor:
    """Shares that make the classes as equal as ``synthetic`` samples can.

    Args:
        remaining: (classes,) expected number of real samples left.
        synthetic: expected number of synthetic ones.

    Returns:
        (classes,) float64 shares that fill the rarest classes up to a common level, as water would.
    """
    if synthetic <= 0:
        return torch.full_like(remaining, 1.0 / len(remaining), dtype=torch.float64)
    ordered = remaining.double().sort().values
    below = torch.arange(1, len(ordered) + 1, dtype=torch.float64)
    levels = (ordered.cumsum(0) + synthetic) / below  # level if the k rarest are filled
    k = int((levels >= ordered).nonzero().max())
    fill = (levels[k] - remaining.double()).clamp(min=0.0)
    if not fill.sum() > 0:  # too little to move the level by a rounding step: the rarest get it
        fill = (remaining == remaining.min()).double()
    return fill / fill.sum()


def drawn(weights: Tensor, u: Tensor) -> Tensor:
    """(n,) class positions from shares (classes,) and uniform numbers (n,); a class of share 0 never comes out."""
    edges = weights.cumsum(0) / weights.sum()
    last = int(weights.nonzero().max())
    return torch.searchsorted(edges, u, right=True).clamp(max=last)


def called(condition: Callable[..., Any], replaced: list[Any], u: Tensor, labels: Targets) -> Tensor:
    """(n,) class positions from the user's ``condition(labels, u)``; checks what it returns."""
    wanted = condition(replaced, u)
    if not hasattr(wanted, "__len__") or len(wanted) != len(replaced):
        raise ConfigError(
            f"condition: the callable returned {wanted!r} for {len(replaced)} positions; expected as many labels"
        )
    return labels.indices(wanted)
