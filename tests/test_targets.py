"""Targets beyond one class: several labels at once, and numbers; told apart, asked for, blended and given back."""

import enum

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

import augsynth
from augsynth import authoring
from augsynth.labels.kinds import plain_target, targets_from_json, targets_of
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

N = 60


def images(n=N):
    return torch.stack([TinyImages(n, form="tensor-float")[i][0] for i in range(n)])


@pytest.fixture(scope="module")
def several():
    """Images with three labels each, of which the third is rare."""
    hot = torch.tensor([[i % 2, (i // 2) % 2, int(i % 10 == 0)] for i in range(N)], dtype=torch.float32)
    return TensorDataset(images(), hot)


@pytest.fixture(scope="module")
def numbers():
    """Images with a number, brighter where it is higher."""
    y = torch.linspace(-3.0, 7.0, N)
    return TensorDataset((images() * 0.2 + (y[:, None, None, None] + 3) / 14).clamp(0, 1), y)


@pytest.fixture(scope="module")
def of_several(several):
    return quick_fit("vae", several, width=8)


@pytest.fixture(scope="module")
def of_numbers(numbers):
    return quick_fit("vae", numbers, steps=300, width=8)


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        ([0, 1, 2], "class"),
        (["a", "b"], "class"),
        ([torch.tensor(3), torch.tensor(4)], "class"),
        ([0.5, 1.0], "number"),
        ([np.float32(2), np.float32(3)], "number"),
        ([torch.tensor([0.1, 2.0])] * 2, "number"),
        ([torch.tensor([0, 1, 1])] * 2, "multilabel"),
        ([np.array([True, False])] * 2, "multilabel"),
        ([[0, 1, 0], [1, 1, 1]], "multilabel"),
        ([(0.0, 1.0), (0.5, 1.0)], "number"),
    ],
)
def test_kinds_are_told_apart(targets, kind):
    known = targets_of(targets[0], [plain_target(one) for one in targets])
    assert known.kind == kind
    again = known.yielded_conditions(known.conditions(known.indices([plain_target(one) for one in targets])))
    for a, b in zip(targets, again, strict=True):
        assert type(a) is type(b) and np.array_equal(np.asarray(a), np.asarray(b, dtype=np.asarray(a).dtype))


class Ripeness(enum.IntEnum):
    GREEN = 1
    RED = 2


class Kind(str, enum.Enum):
    APPLE = "apple"
    PEAR = "pear"


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
@pytest.mark.parametrize(
    ("targets", "plain"),
    [
        (np.array(["apple", "fig", "pear"]), ["apple", "fig", "pear"]),  # one letter more than the first has
        ([Kind.PEAR, Kind.APPLE], ["pear", "apple"]),
        ([Ripeness.RED, Ripeness.GREEN], [2, 1]),
        (np.array([True, False]), [True, False]),
        (np.array([3, 1], dtype=np.int16), [3, 1]),
    ],
)
def test_classes_of_a_type_of_their_own(targets, plain):
    told = [plain_target(one) for one in targets]
    assert told == plain and [type(one) for one in told] == [type(one) for one in plain]
    data = [(images(1)[0], targets[i % len(targets)]) for i in range(12)]
    gen = quick_fit("vae", data, steps=2, width=8)
    assert gen.sample(labels=list(targets)).y is not None and list(gen.spec.labels.values) == sorted(plain)
    x, y = next(iter(DataLoader(augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0), batch_size=12)))
    assert len(x) == 12 and [plain_target(one) for one in y][: len(plain)] == plain


@given(st.lists(st.lists(st.integers(0, 1), min_size=4, max_size=4), min_size=1, max_size=20))
def test_what_json_holds_is_what_there_was(rows):
    known = targets_of(rows[0], [tuple(row) for row in rows])
    assert targets_from_json(__import__("json").loads(__import__("json").dumps(known.to_json()))) == known


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([torch.tensor([0, 1]), torch.tensor([0, 1, 1])], "sample 1: a target of 3 values, and that of sample 0 has 2"),
        ([0.5, float("nan")], "sample 1: a target with NaN"),
        ([torch.tensor([0, 1]), 3], "sample 1: a target that is no vector"),
        ([torch.zeros(4, 4), torch.zeros(4, 4)], r"sample 0: target of type Tensor, shape \(4, 4\)"),
        ([0, "b"], "several types: int, str"),
    ],
)
def test_bad_targets_are_named_by_their_position(targets, message):
    data = [(torch.rand(1, 8, 8), one) for one in targets]
    with pytest.raises(augsynth.DataError, match=message):
        quick_fit("vae", data)


def test_the_user_may_say_what_kind_it_is():
    ages = [(torch.rand(1, 8, 8), i) for i in range(20)]
    assert quick_fit("vae", ages, steps=2, width=8).spec.labels.kind == "class"
    gen = quick_fit("vae", ages, steps=2, width=8, fields={"x": 0, "y": 1, "target": "number"})
    assert gen.spec.labels.kind == "number" and gen.sample(labels=7.5).y.tolist() == pytest.approx([7.5])
    with pytest.raises(augsynth.ConfigError, match="target='age': expected one of 'class'"):
        quick_fit("vae", ages, fields={"x": 0, "y": 1, "target": "age"})


def test_a_generator_that_cannot_is_refused_and_those_that_can_are_named(several):
    with pytest.raises(
        augsynth.ConfigError, match=r"'multilabel' \(several of: 0, 1, 2\).*gan can be.*label.*autoencoder, flow, vae"
    ):
        quick_fit("gan", several)
    assert quick_fit("gan", several, steps=2, width=8, labels=False).spec.labels is None


def test_several_labels_are_asked_for_and_come_back(of_several, tmp_path):
    batch = of_several.sample(labels=[[1, 0, 1], [0, 0, 0]], seed=0)
    assert batch.y.tolist() == [[1, 0, 1], [0, 0, 0]] and batch.meta[0]["condition"] == "0 + 2"
    assert of_several.sample(3, labels={0, 2}, seed=0).y.tolist() == [[1, 0, 1]] * 3
    assert of_several.sample(50, seed=0).y.shape == (50, 3)
    again = augsynth.load(of_several.save(tmp_path / "several"))
    assert torch.equal(again.sample(5, seed=3).x, of_several.sample(5, seed=3).x)
    with pytest.raises(augsynth.ConfigError, match="2 labels: expected 3"):
        of_several.sample(labels=[[1, 0]])
    with pytest.raises(augsynth.ConfigError, match="besides 0 and 1"):
        of_several.sample(labels=[[1, 0.5, 0]])


def test_numbers_are_asked_for_by_value_also_ones_never_seen(of_numbers, tmp_path):
    low, high = (of_numbers.sample(200, labels=value, seed=0).x.mean() for value in (-2.5, 6.5))
    assert high - low > 0.3, "the higher the number, the brighter the image"
    batch = of_numbers.sample(labels=[0.123, 4.567], seed=0)
    assert torch.allclose(batch.y, torch.tensor([0.123, 4.567]), atol=1e-5) and batch.meta[1]["condition"] == "4.567"
    drawn = of_numbers.sample(400, seed=1).y
    assert -3.01 < drawn.min() < -2.5 and 6.5 < drawn.max() < 7.01 and abs(float(drawn.mean()) - 2.0) < 0.5
    folder = of_numbers.save(tmp_path / "numbers")
    assert "rows" in (folder / "generator.json").read_text() and augsynth.load(folder).spec.labels.rows == ()
    with pytest.raises(augsynth.ConfigError, match="expected 1 number"):
        of_numbers.sample(labels="many")


@pytest.mark.parametrize("which", ["several", "numbers"])
def test_a_blend_matches_the_target_of_what_it_replaces(which, request):
    real, gen = request.getfixturevalue(which), request.getfixturevalue(f"of_{which}")
    blended = augsynth.SyntheticDataset(real, gen, ratio=0.5, seed=0, provenance=True)
    x, y, meta = next(iter(DataLoader(blended, batch_size=N)))
    assert x.shape == (N, 1, 8, 8) and torch.allclose(y, real.tensors[1], atol=1e-5) and y.dtype == torch.float32
    assert 0.3 < meta["synthetic"].float().mean() < 0.7
    moved = augsynth.SyntheticDataset(real, gen, ratio=1.0, mode="vary", seed=0)
    assert torch.equal(torch.stack([moved[i][1] for i in range(N)]), real.tensors[1]), "vary keeps the target"
    assert len(augsynth.SyntheticDataset(real, gen, ratio=0.25, mode="append", seed=0)) == 80


def test_balance_levels_how_often_each_label_occurs(several, of_several):
    def frequencies(**options):
        blended = augsynth.SyntheticDataset(several, of_several, ratio=0.8, seed=0, **options)
        return torch.tensor(blended.targets).double().mean(0)

    plain, levelled = frequencies(), frequencies(condition="balance")
    assert levelled[2] > 2.5 * plain[2] and levelled.max() / levelled.min() < plain.max() / plain.min()
    weighted = frequencies(condition={1: 1.0})
    assert weighted[1] > 0.8


def test_balance_levels_bins_of_numbers(of_numbers):
    y = torch.cat([torch.linspace(-3, -2, 50), torch.linspace(-2, 7, 10)])
    real = TensorDataset(images(), y)
    gen = quick_fit("vae", real, width=8)
    blended = augsynth.SyntheticDataset(real, gen, ratio=0.8, seed=0, condition="balance")
    assert np.mean(np.array(blended.targets) > 0) > 2 * float((y > 0).float().mean())


def test_shares_by_label_and_what_numbers_have_no_names_for(several, of_several, numbers, of_numbers):
    blended = augsynth.SyntheticDataset(several, of_several, ratio={2: 1.0}, seed=0, provenance=True)
    rare = [bool(blended[i][2]["synthetic"]) == bool(several[i][1][2]) for i in range(N)]
    assert all(rare), "exactly the samples that have the label are replaced"
    with pytest.raises(augsynth.ConfigError, match="numbers have no names"):
        augsynth.SyntheticDataset(numbers, of_numbers, ratio={0.5: 1.0})
    with pytest.raises(augsynth.ConfigError, match="numbers have no names"):
        augsynth.SyntheticDataset(numbers, of_numbers, ratio=0.5, condition={0.5: 1.0})
    near = augsynth.SyntheticDataset(numbers, of_numbers, ratio=1.0, seed=0, condition=lambda y, u: [6.9 for _ in y])
    assert min(near.targets if isinstance(near.targets, list) else []) > 6.5 or near[0][1] > 6.5


@pytest.mark.parametrize("which", ["several", "numbers"])
def test_what_is_for_classes_says_so(which, request):
    real, gen = request.getfixturevalue(which), request.getfixturevalue(f"of_{which}")
    with pytest.raises(augsynth.ConfigError, match="slots for classes"):
        augsynth.SamplePool(gen, 20)
    with pytest.raises(augsynth.ConfigError, match="DeviceBlend is for classes"):
        augsynth.DeviceBlend(DataLoader(real, batch_size=4), gen, 0.5)
    with pytest.raises(augsynth.ConfigError, match="of a stream, only classes"):
        augsynth.SyntheticIterableDataset([real[i] for i in range(8)], gen, ratio=0.5)
    with pytest.raises(augsynth.DataError, match="compared by class"):
        augsynth.uplift(real, real, gen, seeds=2, progress=False)
    with pytest.raises(augsynth.ConfigError, match="soft_labels needs data whose targets are classes"):
        augsynth.SyntheticDataset(real, gen, ratio=0.5, soft_labels=lambda x: x)


def test_they_are_evaluated_without_a_word_about_labels(numbers, of_numbers):
    x, y = numbers.tensors
    held = TensorDataset((x + 0.05 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1), y)
    found = augsynth.evaluate(of_numbers, numbers, held, n=60, progress=False)
    assert found.labels is None and any("kind 'number'" in text for text in found.warnings) and not found.failed


def test_a_plugin_of_ones_own_sees_vectors(several):
    seen = []

    class Mean(authoring.Generator):
        conditions = frozenset({"label", "multilabel"})

        def build(self, spec):
            self.register_buffer("mean", torch.zeros(spec.shape))

        def learn(self, data):
            seen.append(data.classes)
            self.mean.copy_(data.model_x().mean(0))

        def draw(self, labels, seeds, *, temperature, truncation):
            seen.append(labels)
            return self.mean.expand(len(seeds), -1, -1, -1) + 0.01 * authoring.noise(seeds, self.spec.shape)

    gen = quick_fit(Mean, several)
    gen.sample(labels=[[1, 1, 0]])
    assert seen[0].shape == (N, 3) and seen[-1].tolist() == [[1.0, 1.0, 0.0]]
