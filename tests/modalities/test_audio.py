"""Audio: recordings are read whole or refused in one clear sentence, transformed, generated, and can be listened to."""

import io
import wave

import audiomentations
import numpy as np
import pytest
import soundfile
import torch
from augsynth_audio.folder import AudioFiles, audio_folder, resampled
from augsynth_audio.spec import AudioSpec
from augsynth_audio.spectra import MelScale, Spectra
from augsynth_audio.tiny import LENGTH, RATE, TinyTones
from torch.utils.data import DataLoader, Subset

import augsynth
from augsynth import registry
from tests.support import quick_fit


@pytest.fixture(scope="module")
def gen():
    return quick_fit("specvae", TinyTones(48), steps=30, width=8, bands=16, latent_dim=8)


def tone(seconds=0.1, rate=8000, hertz=440.0):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    for c, name in enumerate(("low", "high")):
        (tmp_path / name).mkdir()
        for i, suffix in enumerate(("wav", "flac")):
            soundfile.write(tmp_path / name / f"{i}.{suffix}", tone(0.1 + 0.05 * i, hertz=300 * (c + 1)), 8000)
    return tmp_path


class Rated(list):
    sample_rate = 8000


def test_recordings_of_several_lengths_need_a_duration_and_are_told_of(folder):
    with pytest.raises(augsynth.DataError, match=r"0.1 to 0.15 s: pass seconds="):
        audio_folder(folder)
    with pytest.warns(
        augsynth.ResizeWarning, match="of 4 recordings, 2 padded with silence to 0.12 s, 2 cut to 0.12 s"
    ):
        data = audio_folder(folder, seconds=0.12)
    x, y = data[3]
    assert x.shape == (960,) and y == 1 and data.classes == ["high", "low"] and data.sample_rate == 8000
    assert torch.allclose(data[0][0][:800], torch.from_numpy(tone(0.1, hertz=600)), atol=1e-4)


def test_mixed_rates_are_refused_unless_resampling_is_asked_for(folder):
    soundfile.write(folder / "low" / "other.wav", tone(0.1, 16_000), 16_000)
    with pytest.raises(augsynth.DataError, match=r"mixed sample rates: 8000 Hz \(4 files\), 16000 Hz \(1 files\)"):
        audio_folder(folder, seconds=0.1)
    with pytest.warns(augsynth.ResizeWarning, match="1 resampled to 8000 Hz"):
        data = audio_folder(folder, sample_rate=8000, seconds=0.1)
    assert len(data) == 5 and all(len(x) == 800 for x, _ in data)
    halved = resampled(tone(0.1, 16_000)[:, None], 16_000, 8000)[:, 0]
    assert np.abs(halved - tone(0.1, 8000))[50:-50].max() < 0.02, "the same tone at half the rate"


def test_recordings_without_folders_of_classes_have_no_labels(folder):
    (folder / "low" / "._0.wav").write_bytes(b"of the system")
    with pytest.warns(augsynth.ResizeWarning, match="of 2 recordings"):
        data = audio_folder(folder / "low", seconds=0.1)
    assert len(data) == 2 and data[0].shape == (800,) and data.targets is None
    gen = quick_fit("specvae", data, steps=2, width=8, bands=16, latent_dim=8)
    assert not gen.conditional and gen.sample(2, seed=0).x.shape == (2, 800)
    soundfile.write(folder / "beside.wav", tone(), 8000)
    with (
        pytest.warns(
            augsynth.ConversionWarning, match="1 recordings .* beside the folders of the classes are left out"
        ),
        pytest.warns(augsynth.ResizeWarning),
    ):
        assert len(audio_folder(folder, seconds=0.1)) == 4


def test_files_that_are_none(folder):
    (folder / "low" / "0.wav").write_bytes(b"RIFF of nothing")
    with pytest.raises(augsynth.DataError, match=r"0.wav cannot be read as audio"):
        audio_folder(folder, seconds=0.1)
    soundfile.write(folder / "low" / "0.wav", np.zeros(0, np.float32), 8000)
    with pytest.raises(augsynth.DataError, match=r"0.wav is a recording of zero length"):
        audio_folder(folder, seconds=0.1)
    (folder / "none").mkdir()
    with pytest.raises(augsynth.DataError, match="expected recordings, or a subfolder of them for each class"):
        audio_folder(folder / "none")
    with pytest.raises(augsynth.DataError, match="no recordings"):
        AudioFiles([], [], [])


@pytest.mark.parametrize(
    ("waves", "message"),
    [
        ([torch.rand(512), torch.rand(600)], r"sample 1: a waveform of shape \(600,\).*one length.*seconds="),
        ([torch.rand(512), torch.full((512,), float("nan"))], "sample 1.*NaN"),
        ([torch.rand(512), torch.zeros(512), torch.zeros(512)], "sample 1 and 1 more: silence"),
        ([torch.rand(512), torch.rand(512).double()], "sample 1.*float64"),
        ([{"array": np.ones(300), "sampling_rate": 8000}, {"array": np.ones(300), "sampling_rate": 44_100}],
         "sample 1: a sample rate of 44100 among others of 8000"),
        ([{"array": np.ones(0), "sampling_rate": 8000}], "zero length"),
        ([{"array": np.ones(300), "sampling_rate": None}], "does not tell its sample rate"),
        ([{"array": np.ones(300), "sampling_rate": 3}], "sample rate of 3"),
    ],
)  # fmt: skip
def test_bad_recordings_are_named_by_their_position(waves, message):
    with pytest.raises(augsynth.DataError, match=message):
        quick_fit("specvae", Rated(waves), steps=1)


def test_a_waveform_without_a_rate_says_how_to_tell_it():
    with pytest.raises(augsynth.DataError, match="sample rate: give the dataset an attribute sample_rate"):
        quick_fit("specvae", [torch.rand(512) for _ in range(20)], steps=1)
    assert AudioSpec.of(torch.rand(512), Subset(Rated([torch.rand(512)]), [0])).sample_rate == 8000


@pytest.mark.parametrize("form", ["int16", "dict", "numpy"])
def test_there_and_back(form):
    data = TinyTones(4, form=form, classes=0)
    spec = AudioSpec.of(data[0], data)
    raw = spec.stacked([spec.to_raw(x) for x in data])
    again = spec.batched(spec.raw_to_model(raw))
    for a, b in zip(data, again, strict=True):
        if form == "dict":
            assert a.keys() == b.keys() and b["sampling_rate"] == RATE
            a, b = a["array"], b["array"]
        assert a.dtype == b.dtype and np.array_equal(np.asarray(a), np.asarray(b))


def test_spectra_come_back_and_phases_are_found():
    x = torch.stack([TinyTones(3, classes=0)[i] for i in range(3)])[:, None]
    spectra = Spectra(RATE, LENGTH)
    assert torch.allclose(spectra.inverse(spectra(x)), x, atol=1e-5)
    heard = spectra.heard(spectra(x).abs(), iterations=60)
    error = (spectra(heard).abs() - spectra(x).abs()).norm() / spectra(x).abs().norm()
    assert error < 0.2, "the spectrogram of what is heard is the one that was asked for"
    scale = MelScale(spectra.bins, RATE, 32)
    bands = scale(spectra(x).abs())
    assert (scale(scale.inverse(bands)) - bands).norm() / bands.norm() < 0.05


def test_a_blend_takes_transforms_of_audiomentations_as_they_are(gen):
    data = TinyTones(24)
    chain = audiomentations.Compose(
        [audiomentations.AddGaussianSNR(p=1.0), audiomentations.Gain(min_gain_db=-6, max_gain_db=6, p=1.0)]
    )
    blended = augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0, transform=chain)
    again = augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0, transform=chain)
    x, y = next(iter(DataLoader(blended, batch_size=24)))
    assert x.shape == (24, LENGTH) and y.tolist() == data.targets
    alone = torch.stack([again[i][0] for i in range(24)])
    assert torch.allclose(x, alone, atol=1e-3), "seeded by position, whatever the batch"
    assert not torch.equal(x[0], data[0][0])


def test_vary_keeps_what_was_recorded_and_follows_strength(gen):
    data = TinyTones(8)
    x, y = torch.stack([one for one, _ in data]), data.targets
    near, far = (gen.vary(x, y, strength=s, seed=0).x for s in (0.1, 1.0))
    assert 0 < (near - x).abs().mean() < (far - x).abs().mean()


def test_a_page_shows_spectrograms_and_plays_sounds(gen, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    real, held = TinyTones(60), TinyTones(60, seed=1)
    found = augsynth.evaluate(gen, real, held, n=60, judge_steps=30, out=tmp_path / "verdict", progress=False)
    assert not found.failed, found.failed
    page = (tmp_path / "verdict" / "evaluation.html").read_text()
    assert "data:audio/wav;base64," in page and page.count("<audio") > 20 and "http://" not in page


def test_samples_are_written_as_sounds(gen, tmp_path):
    modality = registry.default_registry().modality("audio")
    batch = gen.sample(4, labels=[0, 1, 2, 0], seed=0)
    files = modality.write(gen.spec, batch, tmp_path / "sounds")
    assert len(files) == 4 and {file.parent.name for file in files} == {"0", "1", "2"}
    read, rate = soundfile.read(files[0])
    assert rate == RATE and len(read) == LENGTH
    (row,) = modality.write(gen.spec, batch, tmp_path / "all.wav")
    with wave.open(io.BytesIO(row.read_bytes())) as file:
        assert file.getframerate() == RATE and file.getnframes() > 4 * LENGTH
