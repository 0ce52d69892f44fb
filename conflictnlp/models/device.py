"""Where a model computes, and in which precision."""

from __future__ import annotations

import torch

from conflictnlp import processes
from conflictnlp.errors import InputError


def resolve_device(name: str) -> torch.device:
    """Return the device that a config names; `auto` takes a GPU if there is one, each of several processes its own.

    Args:
        name: auto, cpu, cuda, cuda:N or mps.

    Returns:
        the device.

    Raises:
        InputError: this machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "cuda" and processes.count() > 1:
            device = _own_gpu(device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device={name}: not available here ({str(error).splitlines()[0]}); use device=cpu") from error
    return device


def _own_gpu(device: torch.device) -> torch.device:
    if device.index is not None:
        raise InputError(f"device={device}: each of several processes takes a GPU of its own; use device=auto")
    if processes.local_count() > torch.cuda.device_count():
        raise InputError(
            f"{processes.local_count()} processes but {torch.cuda.device_count()} GPUs on this machine; start one "
            "process for each GPU, or use device=cpu"
        )
    return torch.device("cuda", processes.local_rank())


def wants_bfloat16(precision: str, device: torch.device) -> bool:
    """Decide whether to compute in bfloat16.

    Args:
        precision: auto, float32 or bfloat16.
        device: where the model computes.

    Returns:
        for `auto`, whether the hardware multiplies in bfloat16 (emulation would be slower than float32).
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and _cpu_has_bfloat16()


def _cpu_has_bfloat16() -> bool:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        supported = getattr(torch.cpu, name, None)
        if supported is not None and supported():
            return True
    return False
