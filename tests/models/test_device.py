from __future__ import annotations

import pytest
import torch

from conflictnlp.errors import InputError
from conflictnlp.models import device
from conflictnlp.models.device import resolve_device, wants_bfloat16

CPU = torch.device("cpu")


def test_auto_takes_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == CPU


@pytest.mark.parametrize("name", ["cuda:99", "nonsense", ""])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(InputError, match=f"device={name}: not available here.*use device=cpu"):
        resolve_device(name)


@pytest.mark.parametrize(("precision", "wanted"), [("bfloat16", True), ("float32", False)])
def test_a_named_precision_is_taken(precision, wanted):
    assert wants_bfloat16(precision, CPU) is wanted


@pytest.mark.parametrize("able", [True, False])
def test_auto_computes_in_bfloat16_where_the_processor_multiplies_in_it(monkeypatch, able):
    monkeypatch.setattr(device, "_cpu_has_bfloat16", lambda: able)
    assert wants_bfloat16("auto", CPU) is able


def test_auto_computes_in_float32_on_other_devices():
    assert not wants_bfloat16("auto", torch.device("mps"))
