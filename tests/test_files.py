import gzip
import hashlib
import os
from pathlib import Path

import pytest

from conflictnlp.files import (
    atomic_folder,
    atomic_path,
    durable_path,
    open_bytes,
    open_text,
    sha256_file,
    sha256_json,
    user_cache,
    write_json,
    write_text,
)


class Interruption(Exception):
    pass


def test_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("CONFLICTNLP_CACHE", str(tmp_path))
    assert user_cache() == tmp_path


def test_cache_is_in_the_xdg_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("CONFLICTNLP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "conflictnlp"


def test_file_appears_when_the_block_ends(tmp_path):
    with atomic_path(tmp_path / "new" / "a.csv") as temporary:
        temporary.write_text("x")
        assert not (tmp_path / "new" / "a.csv").exists()
    assert (tmp_path / "new" / "a.csv").read_text() == "x"


def test_temporary_file_has_the_same_suffixes(tmp_path):
    with atomic_path(tmp_path / "a.csv.gz") as temporary:
        assert temporary.suffixes[-2:] == [".csv", ".gz"]


def test_interrupted_file_leaves_the_old_one(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(Interruption), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise Interruption
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_file_has_the_modes_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_folder_appears_whole(tmp_path):
    with atomic_folder(tmp_path / "bundle") as temporary:
        (temporary / "a").write_text("x")
        assert not (tmp_path / "bundle").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["bundle", "a"]


def test_folder_replaces_the_old_one_with_all_its_files(tmp_path):
    for name in ("old", "new"):
        with atomic_folder(tmp_path / "bundle") as temporary:
            (temporary / name).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["bundle", "new"]


def test_interrupted_folder_leaves_the_old_one(tmp_path):
    with atomic_folder(tmp_path / "bundle") as temporary:
        (temporary / "old").touch()
    with pytest.raises(Interruption), atomic_folder(tmp_path / "bundle") as temporary:
        (temporary / "half").touch()
        raise Interruption
    assert [path.name for path in tmp_path.rglob("*")] == ["bundle", "old"]


def test_text_is_utf8(tmp_path):
    write_text(tmp_path / "a.txt", "é😀")
    assert (tmp_path / "a.txt").read_bytes() == "é😀".encode()


def test_json_is_readable_text(tmp_path):
    write_json(tmp_path / "a.json", {"é": [1]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "é": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_number_that_json_lacks_is_refused_and_nothing_is_left(tmp_path, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"score": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "A.TXT.GZ"])
def test_text_is_written_and_read_by_suffix(tmp_path, name):
    with open_text(tmp_path / name, "wt") as stream:
        stream.write("é\r\n😀")
    packed = (tmp_path / name).read_bytes().startswith(b"\x1f\x8b")
    assert packed == name.lower().endswith(".gz")
    with open_text(tmp_path / name) as stream:
        assert stream.read() == "é\r\n😀"


@pytest.mark.parametrize("name", ["a.bin", "a.bin.gz"])
def test_bytes_are_read_by_suffix(tmp_path, name):
    data = bytes(range(256))
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with open_bytes(tmp_path / name) as stream:
        assert stream.read() == data


def test_digest_of_a_file_beyond_one_block(tmp_path):
    data = b"abc" * 500_000
    (tmp_path / "a").write_bytes(data)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_digest_of_json_does_not_depend_on_the_order_of_keys():
    assert sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})


def test_digest_of_json_by_hand():
    assert sha256_json({"é": [1]}) == hashlib.sha256('{"é":[1]}'.encode()).hexdigest()


def test_durable_file_bears_its_name_when_the_block_ends(tmp_path):
    (tmp_path / ".tmp-a.csv").write_text("what a killed process left")
    with durable_path(tmp_path / "a.csv") as temporary:
        temporary.write_text("x")
        assert not (tmp_path / "a.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "x"


def test_durable_file_that_fails_leaves_the_old_one(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(Interruption), durable_path(tmp_path / "a.csv", tmp_path / "b") as temporary:
        temporary.write_text("half")
        raise Interruption
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_durable_file_is_on_the_disk_before_it_bears_its_name(tmp_path, monkeypatch):
    synced = []

    def sync(handle):
        synced.append((str(Path(f"/proc/self/fd/{handle}").readlink()), (tmp_path / "a.csv").exists()))

    monkeypatch.setattr(os, "fsync", sync)
    with durable_path(tmp_path / "a.csv") as temporary:
        temporary.write_text("x")
    assert synced == [(str(tmp_path / ".tmp-a.csv"), False), (str(tmp_path), True)]
