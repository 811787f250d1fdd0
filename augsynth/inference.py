"""Networks in the form that samples fastest: built once from the trained ones, with the same results."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from augsynth._rng_guard import preserved_rng


class ChannelAffine(nn.Module):
    """x · scale + shift by channel, (n, C, H, W): what a batch norm is once its statistics are fixed."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("a batch norm without running statistics cannot be folded")
        scale = (norm.running_var + norm.eps).rsqrt()
        if norm.affine:
            scale = scale * norm.weight
        shift = -norm.running_mean * scale
        if norm.affine:
            shift = shift + norm.bias
        self.register_buffer("scale", scale.detach()[:, None, None].clone())
        self.register_buffer("shift", shift.detach()[:, None, None].clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale)  # type: ignore[arg-type]


def inference_form(module: nn.Module) -> nn.Module:
    """A copy for sampling: frozen, ``channels_last``, batch norms folded into one multiplication and addition.

    A module that knows a faster form of itself defines ``inference_form()``, which returns it.
    """
    made = copy.deepcopy(module).eval().requires_grad_(False)
    with preserved_rng():  # new layers draw initial weights, which are overwritten
        if hasattr(made, "inference_form"):
            own_form: nn.Module = made.inference_form()  # type: ignore[operator]
            return own_form.eval().requires_grad_(False)
        for parent in list(made.modules()):
            for name, child in parent.named_children():
                own = getattr(child, "inference_form", None)
                if own is not None:
                    setattr(parent, name, own())
                elif isinstance(child, nn.BatchNorm2d) and child.running_mean is not None:
                    setattr(parent, name, ChannelAffine(child))
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class InBFloat16(nn.Module):
    """A network whose convolutions and products are computed in bfloat16 (``torch.autocast``), with float32 results."""

    def __init__(self, form: nn.Module) -> None:
        super().__init__()
        self.form = form

    def forward(self, *args: Any) -> Tensor:
        with torch.autocast(args[0].device.type, dtype=torch.bfloat16):
            out: Tensor = self.form(*args)
        return out.float()


def signature(module: nn.Module) -> tuple[tuple[int, int], ...]:
    """Changes when a weight or a statistic does, or moves to another device."""
    tensors = [*module.parameters(), *module.buffers()]
    return tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)


class FastForms:
    """The inference forms of a generator's networks, by name; made when first asked for, and anew when weights
    change."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Any, Any]] = {}
        self.compiled = self.autocast = False

    def get(self, name: str, module: nn.Module) -> Any:
        now = signature(module)
        if name not in self._made or self._made[name][0] != now:
            form: Any = inference_form(module)
            form = InBFloat16(form) if self.autocast else form
            self._made[name] = (now, torch.compile(form) if self.compiled else form)
        return self._made[name][1]

    def set(self, *, compiled: bool, autocast: bool = False) -> None:
        if (compiled, autocast) != (self.compiled, self.autocast):
            self.compiled, self.autocast = compiled, autocast
            self._made.clear()

    def __deepcopy__(self, memo: Any) -> FastForms:
        made = FastForms()
        made.autocast = self.autocast
        return made

    def __getstate__(self) -> dict[str, Any]:
        # a spawned worker makes its own: uncompiled, but of the same arithmetic, so that its samples are the same
        return {"_made": {}, "compiled": False, "autocast": self.autocast}
