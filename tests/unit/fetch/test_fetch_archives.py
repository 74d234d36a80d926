from __future__ import annotations

import io
import random
import stat
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adharness import DataError
from adharness.data.fetch import Limits, unpack
from adharness.data.fetch.members import Member

FILES = {"nut/train/good/000.png": b"one", "nut/test/bad/000.png": b"two" * 1000}
SMALL = Limits(members=10, ratio=5.0, free_bytes=50_000)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            add(archive, name, content)
    return path


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **attributes: object) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(content))


def contents(root: Path) -> dict[str, bytes]:
    files = (p for p in root.rglob("*") if p.is_file())
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


WRITERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "zip": zipped,
    "tar": tarred,
    "gzip": lambda path, files: tarred(path, files, "w:gz"),
    "xz": lambda path, files: tarred(path, files, "w:xz"),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_an_archive_of_each_kind_is_unpacked(kind: str, tmp_path: Path) -> None:
    archive = WRITERS[kind](tmp_path / "a", {**FILES, "readme.txt": b"hello"})
    root = unpack(archive, tmp_path / "set")
    assert contents(root) == {**FILES, "readme.txt": b"hello"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "set"]


def test_one_folder_around_all_becomes_the_root(tmp_path: Path) -> None:
    wrapped = {f"VisA_20220922/{name}": content for name, content in FILES.items()}
    archive = zipped(tmp_path / "a", {**wrapped, "VisA_20220922/x": b""})
    assert set(contents(unpack(archive, tmp_path / "set"))) == {*FILES, "x"}


NAMES = {
    "../evil": "climbs",
    "a/../../evil": "climbs",
    "/etc/evil": "absolute",
    "C:/evil": "absolute",
    "a\\..\\evil": "backslash",
    "a\x1b[2J": "control character",
    "x" * 1001: "too long",
}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    "name", NAMES, ids=[n[:12].encode("unicode_escape").decode() for n in NAMES]
)
def test_a_name_that_could_leave_the_folder_is_refused(
    kind: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    files = {"fine.png": b"1", name: b"evil"}
    archive = WRITERS[kind](tmp_path / "a", files)
    refused(archive, tmp_path / "in", NAMES[name])


def refused(archive: Path, folder: Path, reason: str, limits: Limits = SMALL) -> None:
    """Nothing may be left, neither in the folder nor beside it."""
    beside = sorted(folder.parent.iterdir())
    with pytest.raises(DataError, match=reason) as caught:
        unpack(archive, folder / "set", limits=limits)
    assert archive.name in caught.value.message
    assert list(folder.iterdir()) == []
    assert sorted(folder.parent.iterdir()) == beside


ODD = {
    "a symbolic link": ({"type": tarfile.SYMTYPE, "linkname": "/etc"}, "a link"),
    "a hard link": ({"type": tarfile.LNKTYPE, "linkname": "fine.png"}, "a link"),
    "a character device": ({"type": tarfile.CHRTYPE}, "a device"),
    "a block device": ({"type": tarfile.BLKTYPE}, "a device"),
    "a pipe": ({"type": tarfile.FIFOTYPE}, "a device"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_tar_member_that_is_no_file_is_refused(what: str, tmp_path: Path) -> None:
    attributes, reason = ODD[what]
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "a", "w") as archive:
        add(archive, "fine.png", b"1")
        add(archive, "odd", **attributes)
    refused(tmp_path / "a", tmp_path / "in", reason)


@pytest.mark.parametrize(("kind", "reason"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device")])
def test_a_zip_member_that_is_no_file_is_refused(kind: int, reason: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        info = zipfile.ZipInfo("odd")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc")
    refused(tmp_path / "a", tmp_path / "in", reason)


@pytest.mark.parametrize("kind", ["zip", "gzip", "xz"])
def test_a_bomb_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = WRITERS[kind](tmp_path / "a", {"zeros.png": bytes(2_000_000)})
    refused(archive, tmp_path / "in", "unpacks to more than")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_too_many_members_are_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = WRITERS[kind](tmp_path / "a", {f"{i}.png": b"1" for i in range(11)})
    refused(archive, tmp_path / "in", "more than 10 members")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_is_there_twice_is_refused_whatever_its_case(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = WRITERS[kind](tmp_path / "a", {"a/x.png": b"1", "A/./X.png": b"2"})
    refused(archive, tmp_path / "in", "twice")


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = tarred(tmp_path / "a", {"a": b"1", "a/b": b"2"})
    refused(archive, tmp_path / "in", "as a file and as a folder")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_truncated_archive_leaves_nothing_behind(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    noise = random.Random(0).randbytes(40_000)
    archive = WRITERS[kind](tmp_path / "a", {"a.png": noise, "b.png": noise})
    archive.write_bytes(archive.read_bytes()[:-50_000] if kind == "tar" else
                        archive.read_bytes()[: archive.stat().st_size // 2])  # fmt: skip
    refused(archive, tmp_path / "in", "cannot read|is not the")


def test_a_zip_member_whose_content_was_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("a.png", b"honest content")
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data.replace(b"honest content", b"hacked content", 1))
    refused(tmp_path / "a", tmp_path / "in", "cannot read")


@pytest.mark.parametrize("content", [b"", b"<html>please log in</html>"])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a").write_bytes(content)
    refused(tmp_path / "a", tmp_path / "in", "cannot read")


def test_an_empty_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    refused(tarred(tmp_path / "a", {}), tmp_path / "in", "holds no file")


def test_a_set_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="already there"):
        unpack(zipped(tmp_path / "a", FILES), tmp_path / "set")
    assert list((tmp_path / "set").iterdir()) == []


def test_modes_of_the_archive_are_not_taken_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w") as archive:
        add(archive, "x.png", b"1", mode=0o6777)
        add(archive, "y.png", b"1", mode=0o000)
    root = unpack(tmp_path / "a", tmp_path / "set")
    assert not any(p.stat().st_mode & 0o7000 for p in root.iterdir())
    assert (root / "y.png").read_bytes() == b"1"


def test_a_tar_file_that_ends_in_a_zip_is_a_tar_file(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", {"x.png": b"x"}).read_bytes()
    archive = tarred(tmp_path / "a", {"y.png": b"y", "z.zip": inner})
    assert set(contents(unpack(archive, tmp_path / "set"))) == {"y.png", "z.zip"}


@pytest.mark.parametrize("content", [b"ab", bytes(5_000_000)])
def test_a_member_that_holds_other_than_it_said_fills_no_disk(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    archive = zipped(tmp_path / "a", FILES)
    source = io.BytesIO(content)
    source.close = lambda: None  # type: ignore[method-assign]
    # The package has the function where the module's name would be.
    module = sys.modules["adharness.data.fetch.unpack"]
    monkeypatch.setattr(module, "members", lambda *_: [Member("x.png", 3, lambda: source)])
    refused(archive, tmp_path / "in", "is not the 3 bytes it said")
    assert source.tell() <= 4
