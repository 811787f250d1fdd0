"""A kind of data that the core has never heard of, in thirty lines: it fits, blends, evaluates and conforms."""

import ast
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth import registry
from augsynth.testing import checks
from tests.support import quick_fit

OUTSIDERS = Path(__file__).parents[1] / "outsiders"


@pytest.fixture
def points(installed):
    installed("augsynth_plane")
    return registry.default_registry().modality("point")


def test_it_is_thirty_lines():
    tree = ast.parse((OUTSIDERS / "packages/augsynth_plane/modality.py").read_text())
    lines = {node.lineno for node in ast.walk(tree) if hasattr(node, "lineno")}
    assert len(lines) <= 30


def test_it_fits_saves_and_blends(points, tmp_path):
    data = points.tiny(90)
    gen = quick_fit("cloud", data)
    assert gen.spec.modality == "augsynth-plane/point" and gen.sample(4, labels=2, seed=0).x.shape == (4, 2)
    again = augsynth.load(gen.save(tmp_path / "cloud"))
    assert torch.equal(again.sample(5, seed=1).x, gen.sample(5, seed=1).x)
    blended = augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0, provenance=True)
    x, y, meta = next(iter(DataLoader(blended, batch_size=90)))
    assert x.shape == (90, 2) and y.tolist() == [row[1] for row in data] and 20 < sum(meta["synthetic"]) < 70
    with augsynth.SamplePool(gen, 60) as pool:
        assert augsynth.SyntheticDataset(data, pool, ratio=1.0, seed=0)[0][0].shape == (2,)
    batches = augsynth.DeviceBlend(DataLoader(data, batch_size=30), gen, 0.5, seed=0)
    assert [x.shape for x, _ in batches] == [(30, 2)] * 3


def test_it_is_judged_and_shown(points, tmp_path):
    real, held = points.tiny(120), points.tiny(120, seed=1)
    gen = quick_fit("cloud", real)
    found = augsynth.evaluate(gen, real, held, n=90, judge_steps=200, out=tmp_path / "verdict", progress=False)
    assert found.flags == set() and not found.failed, str(found)
    assert "<code>" in (tmp_path / "verdict" / "evaluation.html").read_text()
    noise = [(torch.rand(2) * 40 - 20, i % 3) for i in range(120)]
    assert augsynth.evaluate(noise, real, held, n=90, judge_steps=200, progress=False).flags == {"unrealistic"}
    gained = augsynth.uplift(real, held, gen, seeds=2, steps=20, progress=False, jobs=1)
    assert gained.verdict in ("helps", "hurts", "no difference")
    judge = augsynth.Judge(real, steps=50)
    assert judge.probabilities_of([x for x, _ in held[:4]]).shape == (4, 3)


@pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
def test_it_conforms(points, check):
    check("augsynth-plane/cloud")


def test_a_generator_for_another_kind_is_refused(points):
    with pytest.raises(augsynth.ConfigError, match="vae is for image data.*for point there are: cloud"):
        quick_fit("vae", points.tiny(20))


def test_a_modality_named_twice(installed):
    installed("augsynth_plane", "augsynth_rival")
    with pytest.raises(augsynth.AmbiguousPluginError, match="augsynth-plane/point, augsynth-rival/point"):
        registry.default_registry().modality("point")


def test_data_that_two_modalities_claim(installed):
    installed("augsynth_plane", "augsynth_rival")
    data = registry.default_registry().modality("augsynth-plane/point").tiny(20)
    with pytest.raises(
        augsynth.DataError, match=r"Tensor of shape \(2,\).*several.*augsynth-plane/point, augsynth-rival"
    ):
        quick_fit("cloud", data)
    assert quick_fit("cloud", data, modality="augsynth-plane/point").spec.modality == "augsynth-plane/point"
    with pytest.raises(augsynth.ConfigError, match="no modality named 'pont'.*did you mean 'point'"):
        quick_fit("cloud", data, modality="pont")


def test_data_that_no_modality_claims():
    with pytest.raises(augsynth.DataError, match="of type set.*augsynth/image, augsynth/text.*modality="):
        quick_fit("vae", [({"a", "b"}, 0)])


def test_a_modality_that_cannot_be_imported_is_named_and_breaks_nothing(installed, tmp_path, digits):
    (tmp_path / "augsynth_torn.py").write_text(
        "from augsynth.authoring import ModalitySpec, hookimpl\n\n\n@hookimpl\ndef augsynth_modalities():\n"
        "    yield ModalitySpec(name='torn', factory='augsynth_torn_modality:Torn')\n"
    )
    (tmp_path / "augsynth_torn_modality.py").write_text("import no_such_package\n")
    metadata = tmp_path / "augsynth_torn-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: augsynth-torn\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text("[augsynth]\ntorn = augsynth_torn\n")
    installed()
    assert quick_fit("vae", digits, steps=2, width=8).spec.kind == "image"
    with pytest.raises(augsynth.DataError, match="augsynth-torn/torn cannot be used.*no_such_package"):
        quick_fit("vae", [(object(), 0)])
