"""The utility gate: it closes on harm, stays open else, says why, and leaves training alone."""

import copy
import logging

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - as in torch's documentation
from torch.utils.data import DataLoader

import augsynth
from augsynth import authoring
from augsynth.gate import _copied
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

REAL, VALIDATION = TinyImages(90, form="tensor-float"), TinyImages(60, form="tensor-float", seed=1)


class Backwards(augsynth.Generator):
    """Samples like real ones, with the label of another class."""

    def build(self, spec):
        self.register_buffer("nothing", torch.zeros(1))

    def learn(self, data):
        pass

    def draw(self, labels, seeds, *, temperature, truncation):
        x = authoring.uniform(seeds, self.spec.shape) * 0.6 - 1
        for i, c in enumerate(((labels + 1) % 3).tolist()):
            x[i, :, :, 2 * c : 2 * c + 2] += 1.2
        return x


class Right(Backwards):
    def draw(self, labels, seeds, **options):
        return super().draw((labels + 2) % 3, seeds, **options)


def loss(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))


def trained(generator, epochs=8, mode="replace", workers=0, **options):
    gen = quick_fit(generator, REAL) if isinstance(generator, type) else generator
    blended = augsynth.SyntheticDataset(REAL, gen, ratio=0.5, mode=mode, seed=0)
    gate = augsynth.UtilityGate(blended, DataLoader(VALIDATION, batch_size=60), loss=loss, **options)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(blended, batch_size=30, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    shares = []
    for epoch in range(epochs):
        blended.set_epoch(epoch)
        for batch in loader:
            optimizer.zero_grad()
            loss(model, batch).backward()
            optimizer.step()
        shares.append(blended.stats()["synthetic_this_epoch"] / len(blended))
        gate.on_epoch_end(model, optimizer)
    return gate, blended, shares


@pytest.mark.parametrize("workers", [0, 2])
def test_it_closes_on_samples_that_hurt_and_says_why(caplog, workers):
    with caplog.at_level(logging.INFO, logger="augsynth"):
        gate, blended, shares = trained(Backwards, workers=workers)
    assert blended.ratio_scale == 0 and shares[0] > 0.3 and shares[-1] == 0
    assert [probe.scale for probe in gate.history] == [0.5, 0.25, 0.125, 0.0]
    assert "synthetic samples hurt: the ratio is now 0.5" in caplog.text and "validation loss" in caplog.text
    assert gate.history[0].interval[0] > 0


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_it_stays_open_for_samples_that_do_not(mode):
    gate, blended, _ = trained(Right, mode=mode)
    assert blended.ratio_scale >= 0.25 and len(gate.history) == 7


def test_appended_samples_go_as_well():
    _, blended, _ = trained(Backwards, mode="append")
    assert len(blended) == len(REAL)


def test_looking_leaves_model_optimizer_and_rngs_alone():
    blended = augsynth.SyntheticDataset(REAL, quick_fit(Backwards, REAL), ratio=0.5, seed=0)
    gate = augsynth.UtilityGate(blended, DataLoader(VALIDATION, batch_size=60), loss=loss, warmup=0)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss(model, next(iter(DataLoader(REAL, batch_size=30)))).backward()
    optimizer.step()
    before, state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    gradients = [p.grad.clone() for p in model.parameters()]
    rng = torch.get_rng_state()
    probe = gate.on_epoch_end(model, optimizer)
    assert torch.equal(rng, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))
    assert all(torch.equal(a, p.grad) for a, p in zip(gradients, model.parameters(), strict=True))
    for key, buffers in state["state"].items():
        assert torch.equal(buffers["momentum_buffer"], optimizer.state_dict()["state"][key]["momentum_buffer"])
    again = augsynth.UtilityGate(blended, DataLoader(VALIDATION, batch_size=60), loss=loss, warmup=0)
    blended.ratio_scale = 1.0
    assert again.on_epoch_end(model, optimizer) == probe, "the same seed, the same look"


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adafactor"])
def test_a_copy_goes_on_as_the_optimizer_would(name):
    model, batch = network(), next(iter(DataLoader(REAL, batch_size=30)))
    by_layer = [{"params": layer.parameters(), "lr": lr} for layer, lr in ((model[1], 0.01), (model[3], 0.03))]
    optimizer = getattr(torch.optim, name)(by_layer, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)  # it puts itself between us and step()

    def step(one, its_optimizer):
        its_optimizer.zero_grad()
        loss(one, batch).backward()
        its_optimizer.step()
        return [parameter.detach().clone() for parameter in one.parameters()]

    def same(a, b):
        return all(torch.equal(one, other) for one, other in zip(a, b, strict=True))

    before = step(model, optimizer)
    schedule.step()
    ahead = step(*_copied(model, optimizer))
    assert same(before, model.parameters()) and not same(before, ahead)
    assert same(ahead, step(model, optimizer))


def test_resumption_keeps_the_scale():
    gate, blended, _ = trained(Backwards, epochs=3)
    state, own = blended.state_dict(), gate.state_dict()
    assert state["ratio_scale"] == 0.25
    fresh = augsynth.SyntheticDataset(REAL, blended.source, ratio=0.5, seed=0)
    fresh.load_state_dict(state)
    other = augsynth.UtilityGate(fresh, DataLoader(VALIDATION, batch_size=60), loss=loss)
    other.load_state_dict(own)
    assert fresh.ratio_scale == 0.25 and other.history == gate.history


def test_lightning():
    augsynth.import_torchvision()
    pytest.importorskip("lightning")
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def on_train_epoch_start(self):
            blended.set_epoch(self.current_epoch)

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            return loss(self, batch)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=3e-3)

    blended = augsynth.SyntheticDataset(REAL, quick_fit(Backwards, REAL), ratio=0.5, seed=0)
    gate = augsynth.UtilityGate(blended, DataLoader(VALIDATION, batch_size=60), loss=loss)
    trainer = lightning.Trainer(
        max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[gate.lightning()],
    )  # fmt: skip
    trainer.fit(Module(), DataLoader(blended, batch_size=30))
    assert blended.ratio_scale < 1 and len(gate.history) == 3
    assert "augsynth/ratio_scale" in trainer.callback_metrics


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blended": REAL}, "blended is of type TinyImages"),
        ({"loss": 3}, "loss=3"),
        ({"loss": torch.nn.CrossEntropyLoss()}, r"loss=CrossEntropyLoss\(\): expected a callable, \(model, batch\)"),
        ({"validation": iter([])}, "is an iterator"),
        ({"probes": 1}, "probes=1: expected a whole number from 2 up"),
        ({"factor": 1.0}, "factor=1.0"),
    ],
)
def test_bad_arguments_are_named(change, message):
    blended = augsynth.SyntheticDataset(REAL, None, ratio=0.0)
    arguments = {"blended": blended, "validation": [], "loss": loss, **change}
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.UtilityGate(**arguments)


def test_an_optimizer_of_another_model_is_named():
    blended = augsynth.SyntheticDataset(REAL, quick_fit(Right, REAL), ratio=0.5, seed=0)
    gate = augsynth.UtilityGate(blended, DataLoader(VALIDATION), loss=loss, warmup=0)
    with pytest.raises(augsynth.ConfigError, match="no parameter of the model"):
        gate.on_epoch_end(network(), torch.optim.SGD(network().parameters(), lr=0.1))
