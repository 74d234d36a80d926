"""The folder of a new plugin: whole or not at all, and never over anything."""

from __future__ import annotations

import errno
import os

import pytest

from adharness.errors import StoreError
from adharness.scaffold import folder as scaffold_folder
from adharness.scaffold import write

FILES = {"a.txt": "a\n", "deep/er/b.txt": "b\n"}


def test_a_folder_has_every_file_and_is_open_to_others(tmp_path):
    write(FILES, tmp_path / "new")
    found = {p.relative_to(tmp_path / "new").as_posix() for p in (tmp_path / "new").rglob("*.txt")}
    assert found == set(FILES)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o755
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


def test_an_empty_folder_is_filled_and_folders_above_are_made(tmp_path):
    (tmp_path / "empty").mkdir()
    write(FILES, tmp_path / "empty")
    write(FILES, tmp_path / "x" / "y")
    assert (tmp_path / "empty" / "a.txt").read_text() == "a\n"
    assert (tmp_path / "x" / "y" / "a.txt").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / ".hidden").write_text("mine")
    with pytest.raises(StoreError, match="exists already, and is not empty") as refused:
        write(FILES, tmp_path)
    assert "--out" in refused.value.hint
    assert [p.name for p in tmp_path.iterdir()] == [".hidden"]


@pytest.mark.parametrize("what", ["a file", "a link to nowhere", "a link to a folder"])
def test_what_is_no_folder_is_left_alone(tmp_path, what):
    place = tmp_path / "place"
    if what == "a file":
        place.write_text("mine")
    else:
        target = tmp_path / "target"
        if what == "a link to a folder":
            target.mkdir()
        place.symlink_to(target)
    with pytest.raises(StoreError, match="exists already, and is no folder"):
        write(FILES, place)
    assert place.is_symlink() or place.read_text() == "mine"


def test_the_folder_one_stands_in_is_not_pulled_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="is the folder you are in"):
        write(FILES, tmp_path)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_stop_half_way_leaves_nothing_behind(tmp_path, monkeypatch, stop):
    real = scaffold_folder.write_text

    def halfway(path, text):
        if path.name == "b.txt":
            with scaffold_folder.explained(path):
                raise stop
        real(path, text)

    monkeypatch.setattr(scaffold_folder, "write_text", halfway)
    wanted = KeyboardInterrupt if isinstance(stop, KeyboardInterrupt) else StoreError
    with pytest.raises(wanted) as stopped:
        write(FILES, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    if wanted is StoreError:
        assert stopped.value.message == f"cannot write {tmp_path / 'new'}: No space left"
        assert stopped.value.hint.endswith("nothing was written")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot write"):
        write(FILES, tmp_path / "new")


def test_a_file_in_the_way_of_a_folder_above_is_told(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"cannot write .*new: ") as refused:
        write(FILES, tmp_path / "file" / "new")
    assert "nothing was written" in refused.value.hint
