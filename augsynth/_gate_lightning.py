"""The utility gate as a callback of Lightning."""

from __future__ import annotations

import importlib
from typing import Any

from augsynth._optional import import_torchvision
from augsynth.errors import ConfigError, MissingDependencyError


def callback_of(gate: Any) -> Any:
    """A callback of Lightning that asks ``gate`` at the end of each training epoch."""
    base = _callback_class()

    class GateCallback(base):  # type: ignore[misc, valid-type]
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if len(trainer.optimizers) != 1:
                raise ConfigError(f"UtilityGate goes on with one optimizer, and there are {len(trainer.optimizers)}")
            # a copy of the module is wanted, and not one of the trainer that it knows
            attached = getattr(pl_module, "_trainer", None)
            pl_module._trainer = None
            try:
                probe = gate.on_epoch_end(pl_module, _plain(trainer.optimizers[0]))
            finally:
                pl_module._trainer = attached
            if probe is not None:
                pl_module.log("augsynth/ratio_scale", probe.scale)
                pl_module.log("augsynth/synthetic_loss_difference", probe.difference)

        def state_dict(self) -> dict[str, Any]:
            state: dict[str, Any] = gate.state_dict()
            return state

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            gate.load_state_dict(state_dict)

    return GateCallback()


def _callback_class() -> Any:
    import_torchvision()  # Lightning imports it, and would die of a wheel that does not match
    for name in ("lightning.pytorch", "pytorch_lightning"):
        try:
            return importlib.import_module(name).Callback
        except ModuleNotFoundError as error:
            if error.name is None or name.split(".")[0] != error.name.split(".")[0]:
                raise
    raise MissingDependencyError("lightning is not installed. Install it with: pip install lightning")


def _plain(optimizer: Any) -> Any:
    """The optimizer itself, out of Lightning's wrapper."""
    return getattr(optimizer, "optimizer", optimizer) if type(optimizer).__name__ == "LightningOptimizer" else optimizer
