from __future__ import annotations

import os
from pathlib import Path

import pytest

from adharness import DataError
from adharness.data.tree import NOTHING, Tree
from miniatures import write


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(write(tmp_path / "set", {"a/b/c.png": b"", "a/.hidden": b"", "d.txt": b""}))


def refusal(tree: Tree, name: str) -> DataError:
    with pytest.raises(DataError) as caught:
        tree.file(name, where="list.csv:7")
    assert caught.value.where in ("list.csv:7", str(tree.root / name))
    return caught.value


def test_a_folder_lists_its_folders_and_files_without_hidden_ones(tree: Tree) -> None:
    assert tree.listing("").folders == {"a"}
    assert tree.listing("a") == ({"b"}, frozenset(), frozenset())
    assert tree.listing("no/such") == tree.listing("d.txt") == NOTHING


def test_a_name_is_tidied(tree: Tree) -> None:
    assert tree.file("./a//b/c.png", where="") == "a/b/c.png"


@pytest.mark.parametrize(
    "name",
    ["../set/d.txt", "a/../../x", "/etc/passwd", "\\\\host\\x", "C:/x.png", "a\\..\\..\\x", "a\0b"],
)
def test_a_name_that_leaves_the_root_is_refused_before_a_look_at_the_disk(
    tree: Tree, name: str
) -> None:
    assert "leaves the root" in refusal(tree, name).message
    assert not tree._listed


def test_an_empty_name_and_a_missing_file_are_refused(tree: Tree) -> None:
    assert "names no file" in refusal(tree, "").message
    assert str(tree.root / "a/b/d.png") in refusal(tree, "a/b/d.png").message
    assert "no file" in refusal(tree, "a/b").message


def test_a_link_inside_the_root_is_followed(tree: Tree) -> None:
    (tree.root / "link").symlink_to(tree.root / "a")
    assert tree.file("link/b/c.png", where="") == "link/b/c.png"


def test_a_link_out_of_the_root_is_refused_wherever_it_is_on_the_way(tree: Tree) -> None:
    write(tree.root.parent, {"set2/x.png": b""})  # its name starts as the root's does
    (tree.root / "out").symlink_to(tree.root.parent / "set2")
    with pytest.raises(DataError, match=r"leaves the root: it leads to .*set2"):
        tree.listing("out")
    with pytest.raises(DataError, match="leaves the root"):
        tree.file("out/x.png", where="")


def test_a_link_to_nowhere_is_refused_when_it_is_named(tree: Tree) -> None:
    (tree.root / "x.png").symlink_to("gone.png")
    with pytest.raises(DataError, match=r"x\.png leads nowhere"):
        tree.file("x.png", where="")


def test_a_root_that_is_itself_a_link_is_fine(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tree.root)
    assert Tree(tmp_path / "alias").file("a/b/c.png", where="") == "a/b/c.png"


def test_a_name_that_is_not_utf8_is_refused(tree: Tree) -> None:
    (tree.root / os.fsdecode(b"\xff.png")).write_bytes(b"")
    with pytest.raises(DataError, match="not UTF-8"):
        tree.listing("")


def test_a_folder_that_may_not_be_listed_is_an_error_with_its_path(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("adharness.data.tree.os.scandir", refuse)
    with pytest.raises(DataError, match="cannot list folder"):
        tree.listing("")
