"""What every generator promises."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest import SkipTest

import torch
from torch.utils.data import default_collate

from augsynth.blending.dataset import SyntheticDataset
from augsynth.errors import (
    AugsynthError,
    CapabilityError,
    ConfigError,
    UnknownLabelError,
    UnknownTopicError,
)
from augsynth.fitting import private
from augsynth.fitting.distilling import distill
from augsynth.generator.generator import Generator
from augsynth.loading import load
from augsynth.plugin_specs import ANY
from augsynth.recognition import spec_of
from augsynth.registry import default_registry
from augsynth.search_space import Choice, FloatRange, IntRange
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import assert_alike, close, equal, in_another_kind, unpacked
from augsynth.testing.tiny_fits import CLASSES, default, fitted, kind_of, small

_TOLERANCE = 2e-4  # on [-1, 1]: what other batch shapes may change in float32 arithmetic


def _class_of(generator: Any, gen: Generator) -> type[Generator] | None:
    """By which a checkpoint is loaded: a plugin's finds its own."""
    return None if isinstance(unpacked(generator)[0], str) else type(gen)


def _close(a: Any, b: Any) -> bool:
    return close(a, b, _TOLERANCE)


def check_samples_have_the_form_of_the_data(generator: Any) -> None:
    """In every form, of every size that the kind of data has: samples are of the type, dtype and shape of real ones,
    and collate with them."""
    for form in kind_of(generator).forms:
        gen = default(generator, CLASSES, form)
        real, made = small(generator, form=form)[0][0], gen.sample(2, seed=0).x[0]
        if not gen.spec.interchangeable(real, made):
            assert_alike(real, made, f"{form}: a sample", ragged=not gen.spec.tensors)
        spec_of(made, kind_of(generator), small(generator, form=form))  # it is one that a dataset might yield
        with suppress(TypeError):  # default_collate knows no PIL images, and no gaps
            default_collate([made, real])


def check_same_seed_same_sample(generator: Any) -> None:
    """A request is reproducible, and other seeds give other samples."""
    gen = default(generator)
    first, again, other = (gen.sample(4, labels=0, seed=seed).model_x for seed in (1, 1, 2))
    assert equal(first, again), "the same seed gave other samples"
    assert not equal(first, other), "other seeds gave the same samples"
    assert not equal(first[0], first[1]), "two samples of one request are the same"


def check_sample_depends_on_its_seed_not_its_batch(generator: Any) -> None:
    """Alone, in another order, or in another batch: the same seed and label give the same sample."""
    gen = default(generator)
    seeds, labels = torch.arange(100, 108), [0, 1, 2, 0, 1, 2, 0, 1]
    together = gen.sample(seeds=seeds, labels=labels).model_x
    for i in (0, 3, 7):
        alone = gen.sample(seeds=seeds[i : i + 1], labels=labels[i : i + 1]).model_x[0]
        assert _close(together[i], alone), f"sample {i} differs when it is made alone"
    turned = gen.sample(seeds=seeds.flip(0), labels=labels[::-1]).model_x
    same = all(_close(together[i], turned[len(seeds) - 1 - i]) for i in range(len(seeds)))
    assert same, "samples differ when the batch is in another order"


def check_the_inference_form_makes_the_same(generator: Any) -> None:
    """What :meth:`Generator.for_sampling` hands out makes what the trained networks make, also once weights changed."""
    gen = fitted(generator, small(generator))
    labels, seeds = torch.arange(8) % CLASSES, torch.arange(8)
    for turn in range(2):
        with torch.enable_grad():
            trained = gen.draw(labels, seeds, temperature=1.0, truncation=None)
        fast = gen.draw_many(labels, seeds)
        same = _close(trained.detach() if isinstance(trained, torch.Tensor) else list(trained), _plain(fast))
        assert same, "the inference form makes other samples" + (" after the weights were changed" if turn else "")
        with torch.no_grad():
            for parameter in gen.parameters():
                parameter.mul_(1.1)


def check_labels_are_kept(generator: Any) -> None:
    """The requested labels come back, and unknown ones are refused."""
    gen = default(generator)
    if not gen.conditional:
        raise SkipTest("it does not declare the condition 'label'")
    assert torch.equal(torch.as_tensor(gen.sample(labels=[2, 0, 1], seed=0).y), torch.tensor([2, 0, 1])), (
        "the labels that were asked for do not come back in the order of the request: draw must keep to its labels"
    )
    assert len(gen.sample(5, labels=1, seed=0)) == 5, "one label for five samples did not give five"
    _raises(UnknownLabelError, lambda: gen.sample(1, labels=99), "an unknown label")


def check_topics(generator: Any) -> None:
    """Where topics are declared as a condition, they are kept, beside labels, and unknown ones are refused; elsewhere a
    request by topic is."""
    gen = default(generator)
    _raises(ConfigError, lambda: gen.sample(1, topics="no such topic"), "a topic although fitted without")
    if "topic" not in gen.conditions:
        return
    gen = fitted(generator, small(generator), topics=[f"topic{i % 2}" for i in range(24)])
    batch = gen.sample(4, labels=[0, 1, 2, 0], topics=["topic1", "topic0", "topic1", "topic0"], seed=0)
    assert [row["topic"] for row in batch.meta] == ["topic1", "topic0", "topic1", "topic0"], "the topics are not kept"
    alone = gen.sample(labels=[2], topics=["topic1"], seeds=batch.meta.seeds[2:3])  # type: ignore[attr-defined]
    assert _close(alone.model_x[0], batch.model_x[2]), "a sample depends on the topics of others"
    _raises(UnknownTopicError, lambda: gen.sample(1, topics=2), "an unknown topic")
    with tempfile.TemporaryDirectory() as folder:
        path = gen.save(Path(folder) / "model")
        again = load(path, cls=_class_of(generator, gen))
    assert equal(again.sample(3, topics=1, seed=0).model_x, gen.sample(3, topics=1, seed=0).model_x), (
        "loaded from a checkpoint it draws otherwise by topic"
    )


def check_unlabelled_data(generator: Any) -> None:
    """Fits on bare inputs; then refuses a request by label."""
    gen = default(generator, 0)
    assert gen.sample(3, seed=0).y is None, "fitted without labels, it yields some"
    _raises(ConfigError, lambda: gen.sample(1, labels=0), "a label although fitted without")


def check_global_rngs_are_left_alone(generator: Any) -> None:
    """Fitting and seeded sampling neither read nor move the global RNGs; without a seed torch's is followed."""
    before = global_rngs()
    gen = fitted(generator, small(generator))
    seeded = gen.sample(3, seed=5).model_x
    assert same_rngs(before), "a global RNG was moved"
    torch.manual_seed(1)
    assert equal(seeded, gen.sample(3, seed=5).model_x), "a seeded request read a global RNG"
    torch.manual_seed(1)
    first = gen.sample(3).model_x
    torch.manual_seed(1)
    assert equal(first, gen.sample(3).model_x), "seed=None does not follow torch's RNG"
    torch.set_rng_state(before[2])


def check_fit_is_reproducible(generator: Any) -> None:
    """The same seed gives the same generator."""
    first, again = (fitted(generator, small(generator), seed=3).sample(4, seed=0).model_x for _ in range(2))
    assert equal(first, again), "two fits with the same seed differ"


def check_temperature_and_truncation(generator: Any) -> None:
    """Temperature 0 is allowed, less is not; truncation must be positive."""
    gen = default(generator)
    # what is not finite, or no text, is refused by sample()
    assert len(gen.sample(2, temperature=0.0, seed=0)) == len(gen.sample(2, truncation=0.5, seed=0)) == 2, (
        "temperature=0 or truncation=0.5 changes how many samples there are"
    )
    settings: list[dict[str, Any]] = [{"temperature": -1.0}, {"temperature": float("nan")}, {"truncation": 0.0}]
    for bad in settings:
        _raises(ConfigError, partial(gen.sample, 1, **bad), f"{bad}")


def check_checkpoint(generator: Any) -> None:
    """Saved and loaded it draws the same; the folder holds plain data only."""
    gen = default(generator)
    with tempfile.TemporaryDirectory() as folder:
        path = gen.save(Path(folder) / "model")
        names = {file.name for file in path.iterdir()}
        plain = {"model.safetensors", "generator.json", "README.md"}
        shown = {name for name in names if name.startswith("preview.")}
        assert plain <= names and names - plain == shown and len(shown) == 1 - gen.costly, f"the folder has {names}"
        again = load(path, cls=_class_of(generator, gen))
    assert equal(gen.sample(4, seed=0).model_x, again.sample(4, seed=0).model_x), "it draws otherwise once loaded"
    assert again.sample(1, seed=0).meta[0]["checkpoint"] == gen.sample(1, seed=0).meta[0]["checkpoint"], (
        "provenance names another checkpoint once loaded"
    )


def check_provenance(generator: Any) -> None:
    """The recorded seed and label give the sample again."""
    gen = default(generator)
    batch = gen.sample(5, seed=9)
    row = batch.meta[3]
    labels = row["condition"] if gen.conditional else None
    again = gen.sample(seeds=[row["seed"]], labels=[labels] if labels else None)
    assert _close(again.model_x[0], batch.model_x[3]), "provenance does not reproduce the sample"


def check_capabilities(generator: Any) -> None:
    """What is declared works, and what is not raises a CapabilityError."""
    gen = default(generator)
    data = small(generator)
    given, y = [data[i][0] for i in range(4)], [data[i][1] for i in range(4)]
    x: Any = torch.stack(given) if isinstance(given[0], torch.Tensor) else given
    uses: dict[str, Callable[[], Any]] = {
        "encode": lambda: gen.encode(x, y),
        "reconstruct": lambda: gen.reconstruct(x, y),
        "interpolate": lambda: gen.interpolate(x[:2], x[2:], y[:2], steps=3),
        "log_prob": lambda: gen.log_prob(x, y),
        "vary": lambda: gen.vary(x, y, seed=0).x,
    }
    for name, use in uses.items():
        if name not in gen.capabilities:
            _raises(CapabilityError, use, name)
            continue
        made = use()
        assert len(made) == (2 if name == "interpolate" else 4), f"{name} returned {len(made)} results for 4 inputs"
    if "vary" in gen.capabilities:
        same = gen.vary(x, y, strength=0.0, seed=0).x
        assert close(same, x, 1e-4), "vary with strength 0 does not give the input back"
        alone = gen.vary(x[2:3], y[2:3], seeds=[77]).x[0]
        batch = gen.vary(x, y, seeds=[1, 2, 77, 3]).x[2]
        assert _close(alone, batch), "a variation depends on the batch it was made in"


def check_pickles_for_spawned_workers(generator: Any) -> None:
    """A copy in another process draws the same."""
    gen = default(generator)
    copy = pickle.loads(pickle.dumps(gen))
    assert equal(gen.sample(3, seed=0).model_x, copy.sample(3, seed=0).model_x), (
        "a pickled copy, as a worker gets it, draws otherwise: what sampling needs must be pickled"
    )


def check_modality_is_declared(generator: Any) -> None:
    """The class and the plugin's spec agree on what the generator is for, and data of another kind is refused."""
    gen = default(generator)
    own = type(gen).modality
    assert own in (ANY, gen.spec.kind, gen.spec.modality), f"the class says {own}, its data is {gen.spec.modality}"
    plugin, _ = unpacked(generator)
    if isinstance(plugin, str):
        declared = default_registry().spec("generator", plugin).private
        assert declared == private.offered(gen), (
            f"private={declared} in the spec, and release() or sample_losses() say otherwise"
        )
    other = in_another_kind(kind_of(generator), 24)
    if other is not None:
        _raises(ConfigError, lambda: fitted(generator, other), f"data of another kind than {gen.modality}")


def check_settings(generator: Any) -> None:
    """Unknown settings are refused; the search space names settings there are."""
    _raises(
        (ConfigError, TypeError), lambda: fitted(generator, small(generator), no_such_setting=1), "an unknown setting"
    )
    gen = default(generator)
    for name, space in gen.search_space().items():
        assert name in gen.config, f"search_space names {name!r}, which is no setting"
        assert isinstance(space, (FloatRange, IntRange, Choice)), f"search_space[{name!r}] is {space!r}"


def check_a_student_is_smaller(generator: Any) -> None:
    """A student of the settings that it states has fewer weights, and makes samples of the same form."""
    gen = default(generator)
    if not gen.student_settings():
        raise SkipTest("it states no settings of a smaller one: student_settings() is empty")
    student = distill(gen, steps=2, batch_size=4, device="cpu", progress=False)
    own, weights = (sum(one.numel() for one in each.inference_state().values()) for each in (gen, student))
    assert weights < own, f"a student by {gen.student_settings()} has {weights} weights, and its teacher {own}"
    a, b = (each.sample(2, seed=0).x[0] for each in (gen, student))
    if not gen.spec.interchangeable(a, b):
        assert_alike(a, b, "a sample of a student", ragged=not gen.spec.tensors)
    assert student.fit_info["distilled_from"] == gen.checkpoint_id, "a student says whose it is"


def check_blends(generator: Any) -> None:
    """Its samples stand where real ones were, with their labels."""
    data = small(generator)
    blended = SyntheticDataset(data, default(generator), ratio=0.5, seed=0)
    samples = [blended[i] for i in range(len(blended))]
    wanted = [int(data[i][1]) for i in range(24)]
    assert [int(y) for _, y in samples] == wanted, "labels of a blend differ"
    spec = blended.source.spec
    for x, _ in samples:
        if not spec.interchangeable(data[0][0], x):
            assert_alike(data[0][0], x, "a blended sample", ragged=not spec.tensors)


def _plain(x: Any) -> Any:
    return x if isinstance(x, torch.Tensor) else list(x)


def _raises(kind: Any, action: Callable[[], Any], what: str) -> None:
    try:
        action()
    except kind as error:
        assert str(error), f"the error for {what} says nothing"
        return
    except AugsynthError as error:
        raise AssertionError(f"{what}: raised {type(error).__name__} instead") from error
    raise AssertionError(f"{what}: no error was raised")


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
