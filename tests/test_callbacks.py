"""Callbacks: what they hear of, and that the loggers write it down."""

import json
from pathlib import Path

import pytest

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import quick_fit

REAL, OTHER = TinyImages(60, form="tensor-float"), TinyImages(60, form="tensor-float", seed=1)


class Notes(augsynth.Callback):
    def __init__(self):
        self.heard = []

    def __call__(self, step, losses):
        self.heard.append((step, sorted(losses)))

    def on_fit_end(self, generator):
        self.heard.append(type(generator).__name__)

    def on_result(self, result):
        self.heard.append(result.to_json()["sentence"])


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        evaluation = augsynth.evaluate(OTHER, REAL, TinyImages(60, form="tensor-float", seed=2), n=30, progress=False)
    uplift = augsynth.uplift(REAL, OTHER, {"a": REAL, "b": REAL}, seeds=2, steps=5, jobs=1, progress=False)
    return evaluation, uplift


def test_they_hear_of_losses_the_generator_and_results():
    notes, plain = Notes(), []
    quick_fit("vae", REAL, callback=[notes, lambda step, losses: plain.append(step)])
    assert notes.heard[0][0] == plain[0] == 20 and "loss" in notes.heard[0][1] and notes.heard[-1] == "VAE"
    found = augsynth.uplift(
        REAL, OTHER, {"a": REAL, "b": REAL}, seeds=2, steps=5, jobs=1, progress=False, callback=notes
    )
    assert notes.heard[-1] == found.sentence
    with pytest.raises(augsynth.ConfigError, match="callback=3: expected a callable"):
        quick_fit("vae", REAL, callback=3)


@pytest.mark.parametrize("modality", ["image", "text"])
def test_tensorboard_has_curves_samples_and_verdicts(tmp_path, verdicts, modality):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = augsynth.create("callback", "tensorboard", folder=tmp_path, samples=4)
    if modality == "text":
        quick_fit("lstm", TinyTexts(48), batch_size=16, callback=logger)
    else:
        quick_fit("vae", REAL, callback=logger)
    for verdict in verdicts:
        logger.on_result(verdict)
    logger.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    tags = events.Tags()
    assert "fit/loss" in tags["scalars"] and [one.step for one in events.Scalars("fit/loss")] == [20, 40]
    assert {"evaluate/near_copies", "evaluate/near_copies/real", "uplift/b"} <= set(tags["scalars"])
    assert events.Scalars("uplift/b")[0].value == pytest.approx(verdicts[1].arms["b"].mean)
    if modality == "text":
        assert any(tag.startswith("samples/") for tag in tags["tensors"])
    else:
        assert {"samples/0", "samples/1", "samples/2"} <= set(tags["images"])
        assert events.Images("samples/0")[0].width > 32
    assert "verdict/text_summary" in tags["tensors"]


@pytest.mark.parametrize("modality", ["image", "text"])
def test_weights_and_biases_offline(tmp_path, monkeypatch, verdicts, modality):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    logger = augsynth.create("callback", "wandb", mode="offline", dir=str(tmp_path), samples=2)
    if modality == "text":
        quick_fit("lstm", TinyTexts(48), batch_size=16, callback=logger)
    else:
        quick_fit("vae", REAL, callback=logger)
    for verdict in verdicts:
        logger.on_result(verdict)
    summary = dict(logger.run.summary)
    logger.close()
    assert summary["evaluate/near_copies"] == verdicts[0]["near_copies"].value
    assert summary["uplift/b"] == verdicts[1].arms["b"].mean and "fit/loss" in summary
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb")), "the run is on disk"
    media = [json.dumps(str(Path(file).name)) for file in folder.rglob("files/media/**/*") if file.is_file()]
    assert media, "samples are among its files"


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_bad_settings_are_named(name, tmp_path):
    pytest.importorskip(name)
    with pytest.raises(augsynth.ConfigError, match="samples=-1"):
        augsynth.create("callback", name, samples=-1)
