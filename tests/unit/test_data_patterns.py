from __future__ import annotations

from pathlib import Path

import pytest

from adharness import DataError
from adharness.data.patterns import Pattern, fill, walk
from adharness.data.tree import Tree
from miniatures import picture, write


def found(root: Path, *texts: str) -> dict[str, list[dict[str, str]]]:
    hits = walk(Tree(root), "", [Pattern(text) for text in texts])
    return {hit.path: [dict(fields) for fields in hit.matches.values()] for hit in hits}


def test_parts_are_remembered_and_the_ending_may_be_any_pictures(tmp_path: Path) -> None:
    write(tmp_path, {"nut/ng/dent/7.PNG": b"", "nut/ng/dent/7.txt": b"", "nut/ng/7.png": b""})
    assert found(tmp_path, "{class}/ng/{defect}/{stem}") == {
        "nut/ng/dent/7.PNG": [{"class": "nut", "defect": "dent", "stem": "7"}]
    }


def test_an_ending_that_is_written_is_meant_in_any_case(tmp_path: Path) -> None:
    write(tmp_path, {"a.JPG": b"", "b.png": b"", "c.jpg": b""})
    assert list(found(tmp_path, "*.jpg")) == ["a.JPG", "c.jpg"]
    assert list(found(tmp_path, "*.*")) == ["a.JPG", "b.png", "c.jpg"]


def test_two_stars_stand_for_any_number_of_folders(tmp_path: Path) -> None:
    write(tmp_path, {"ok/a.png": b"", "ok/x/b.png": b"", "ok/x/y/c.png": b"", "ng/d.png": b""})
    assert list(found(tmp_path, "ok/**/*")) == ["ok/a.png", "ok/x/b.png", "ok/x/y/c.png"]
    assert list(found(tmp_path, "**/x/*")) == ["ok/x/b.png"]


def test_a_fixed_part_is_remembered_and_dots_and_brackets_are_letters(tmp_path: Path) -> None:
    write(tmp_path, {"train/a.b [1].png": b"", "trainX/c.png": b""})
    assert found(tmp_path, "{part=train}/{stem}") == {
        "train/a.b [1].png": [{"part": "train", "stem": "a.b [1]"}]
    }
    assert list(found(tmp_path, "train/a.b [1]")) == ["train/a.b [1].png"]
    assert not found(tmp_path, "train/a?b [2]")


def test_a_suffix_with_a_star_leaves_the_longest_stem(tmp_path: Path) -> None:
    write(tmp_path, {"a_b_1.png": b""})
    assert found(tmp_path, "{stem}_*")["a_b_1.png"] == [{"stem": "a_b"}]


def test_folders_that_no_pattern_can_enter_are_not_listed(tmp_path: Path) -> None:
    write(tmp_path, {"rgb/a.png": b"", "xyz/a.png": b""})
    tree = Tree(tmp_path)
    assert [hit.path for hit in walk(tree, "", [Pattern("rgb/*")])] == ["rgb/a.png"]
    assert "xyz" not in tree._listed


@pytest.mark.parametrize("text", ["", "/a", "a/../b", "..", "a\\b", "{a}/{a}", "a/**", "a/"])
def test_a_pattern_that_leaves_its_folder_or_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Pattern(text)


def test_a_pattern_is_drawn_for_people_and_filled_from_a_match() -> None:
    assert Pattern("{part=Test}/Label/{stem}_label").drawn == "Test/Label/<stem>_label"
    assert fill("gt/{defect}/{stem}_*", {"defect": "dent"}) == "gt/dent/<stem>_*"


def test_two_links_that_lead_to_each_others_folders_end_in_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"a/x.png": picture(), "b/y.png": picture()})
    (tmp_path / "a/to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b/to_a").symlink_to(tmp_path / "a")
    with pytest.raises(DataError, match="runs in a loop"):
        found(tmp_path, "**/*")
