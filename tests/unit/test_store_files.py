"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from adharness.errors import StoreError
from adharness.store.files import (
    atomic,
    link_file,
    read_arrays,
    read_json,
    replaced_folder,
    sha256_of,
    write_arrays,
    write_json,
)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "here" / "file.bin"
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


def assert_untouched(path: Path) -> None:
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(old, error):
    def write_half() -> None:
        with atomic(old) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert_untouched(old)


def test_no_space_while_writing_is_a_store_error_with_the_path(old):
    says = r"cannot write .*file\.bin: No space left"
    with pytest.raises(StoreError, match=says) as caught, atomic(old):
        full()
    assert caught.value.hint
    assert_untouched(old)


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace"), (Path, "chmod")])
def test_no_space_at_the_last_steps_leaves_the_old_file(old, monkeypatch, owner, name):
    monkeypatch.setattr(owner, name, full)
    with pytest.raises(StoreError, match="No space left"), atomic(old) as file:
        file.write(b"new")
    assert_untouched(old)


def test_a_file_where_a_folder_should_be_is_a_store_error(old):
    with pytest.raises(StoreError, match="cannot write"), atomic(old / "below"):
        pass


def test_a_whole_write_replaces_the_old_file(old):
    with atomic(old) as file:
        file.write(b"new")
    assert old.read_bytes() == b"new"
    assert list(old.parent.iterdir()) == [old]


def test_equal_arrays_give_equal_bytes_whatever_their_memory(tmp_path):
    values = np.arange(12.0).reshape(3, 4)
    strided = np.repeat(values, 2, axis=1)[:, ::2]
    first = write_arrays(tmp_path / "a.npz", {"x": values, "names": np.array(["é", "b"])})
    again = write_arrays(tmp_path / "b.npz", {"x": strided, "names": np.array(["é", "b"])})
    assert first == again == sha256_of(tmp_path / "a.npz")
    assert write_arrays(tmp_path / "c.npz", {"x": values + 1}) != first


@pytest.mark.parametrize("name", ["file", "allow_pickle", "args"])
def test_an_array_may_have_any_name(tmp_path, name):
    write_arrays(tmp_path / "a.npz", {name: np.arange(3)})
    assert list(read_arrays(tmp_path / "a.npz")) == [name]


def test_python_objects_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(StoreError, match=r"'x' .* Python objects"):
        write_arrays(tmp_path / "a.npz", {"x": np.array([{"a": 1}], dtype=object)})
    assert list(tmp_path.iterdir()) == []


def test_pickled_arrays_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([print], dtype=object))
    with pytest.raises(StoreError, match="cannot read"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_a_damaged_npz_is_a_store_error_with_a_next_step(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(StoreError, match=r"cannot read .*a\.npz") as caught:
        read_arrays(tmp_path / "a.npz")
    assert caught.value.hint


def test_a_cut_npz_is_a_store_error(tmp_path):
    path = tmp_path / "a.npz"
    write_arrays(path, {"x": np.arange(100)})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(StoreError):
        read_arrays(path)


@pytest.mark.parametrize("text", ["", "{", '{"a": 1', "\x00", "[" * 100_000])
def test_damaged_json_is_a_store_error(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(StoreError, match=r"cannot read .*a\.json"):
        read_json(tmp_path / "a.json")


def test_json_that_is_not_utf8_or_not_there_is_a_store_error(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    for name in ("a.json", "missing.json"):
        with pytest.raises(StoreError, match="cannot read"):
            read_json(tmp_path / name)


def test_json_that_is_no_object_is_a_store_error(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(StoreError, match="holds a list, not an object"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_without_a_number_is_refused_and_nothing_is_written(tmp_path, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": value})
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_same_text_whatever_the_order_of_keys(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"a": "é", "b": 1}


def test_a_link_shares_the_file(old, tmp_path):
    target = tmp_path / "there" / "file.bin"
    assert link_file(old, target) == sha256_of(old)
    assert target.samefile(old)


def test_where_links_are_impossible_the_file_is_copied(old, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", full)
    target = tmp_path / "there" / "file.bin"
    assert link_file(old, target) == sha256_of(old)
    assert not target.samefile(old)
    assert list(target.parent.iterdir()) == [target]


def test_linking_twice_leaves_no_third_name(old, tmp_path):
    target = tmp_path / "there" / "file.bin"
    link_file(old, target)
    link_file(old, target)
    assert list(target.parent.iterdir()) == [target]


def test_no_space_for_the_copy_leaves_nothing_behind(old, tmp_path, monkeypatch):
    def half(source: Path, target: Path) -> None:
        target.write_bytes(b"ha")
        full()

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", half)
    with pytest.raises(StoreError, match="No space left"):
        link_file(old, tmp_path / "there" / "file.bin")
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_is_replaced_whole_and_what_is_not_ours_moves_along(tmp_path: Path) -> None:
    out = tmp_path / "site"
    for number in (1, 2):
        with replaced_folder(out, along=lambda name: name == "CNAME") as folder:
            (folder / f"page-{number}").write_text("x")
        (out / "CNAME").write_text("mine") if number == 1 else None
    assert sorted(path.name for path in out.iterdir()) == ["CNAME", "page-2"]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "old").write_text("x")

    def half() -> None:
        with replaced_folder(out) as folder:
            (folder / "new").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert [path.name for path in out.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
