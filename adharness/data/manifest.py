"""Data sets told by a list: a line an image, with its class, split, label and masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from adharness.contracts import DatasetSpec, Portion, Sample
from adharness.data.folder import FolderDataset, FolderParams
from adharness.data.source import FolderSource, Found, Wanted
from adharness.data.table import Row, read_rows
from adharness.data.tree import Tree
from adharness.errors import DataError

WordT = TypeVar("WordT")
_SPLITS: Mapping[str, Portion] = {
    "train": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "test": "test",
}  # fmt: skip
_LABELS: Mapping[str, Literal[0, 1]] = {
    "0": 0, "normal": 0, "good": 0, "ok": 0, "false": 0,
    "1": 1, "anomaly": 1, "anomalous": 1, "bad": 1, "ng": 1, "true": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """A reader of a list of images.

    Parameters
    ----------
    file
        CSV with a header, or JSON lines (`.jsonl`). A name relative to the root must not leave it;
        an absolute one may lie anywhere, so that a list can be kept apart from the images.
    columns
        What the list calls `path`, `class`, `split`, `label`, `mask`, `defect` and `group`, where
        it calls them otherwise.
    one_class
        The class of rows that name none; '' makes the column `class` required.

    Notes
    -----
    `split` is train, validation (val, valid) or test; `label` 0, normal, good, ok, or 1, anomaly,
    anomalous, bad, ng. `mask` is a file, or several with `;` between them (in JSON lines a list).
    The files are looked up in their folders' listings, each folder listed once.
    """

    file: str
    columns: Mapping[str, str] = field(default_factory=dict)
    one_class: str = ""

    @property
    def drawing(self) -> str:
        """The list and its columns."""
        names = ("path", "class", "split", "label", "mask", "defect", "group")
        return f"<root>/{self.file}: {', '.join(self._column(name) for name in names)}"

    def read(self, tree: Tree, wanted: Wanted) -> Iterator[Found]:
        """Find the samples, by class, in the list's order.

        Raises
        ------
        DataError
            Where the list is missing or broken, or a line names an unknown split or label, an image
            twice, or a file that is missing or outside the root. It names the file and the line.
        """
        by_class: dict[str, list[Row]] = {}
        for row in read_rows(self._place(tree), self._required):
            by_class.setdefault(self._text(row, "class") or self.one_class, []).append(row)
        seen: dict[str, str] = {}
        for name in wanted.choose(by_class, tree.root):
            for row in by_class[name]:
                found = self._found(tree, row, name)
                _check_new(seen, found.sample.path, row.where)
                yield found

    def orphans(self, tree: Tree, wanted: Wanted) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: the list names every mask."""
        return ()

    @property
    def _required(self) -> list[str]:
        names = ["path", "split", "label"] + ([] if self.one_class else ["class"])
        return [self._column(name) for name in names]

    def _place(self, tree: Tree) -> Path:
        if Path(self.file).expanduser().is_absolute():
            return Path(self.file).expanduser()
        return tree.root / tree.file(self.file, where=str(tree.root))

    def _column(self, name: str) -> str:
        return self.columns.get(name, name)

    def _text(self, row: Row, name: str) -> str:
        value = row.values.get(self._column(name))
        if value is None or isinstance(value, str | int | float | bool):
            return "" if value is None else str(value).strip()
        raise DataError(f"{self._column(name)} is {value!r}, expected one value", where=row.where)

    def _masks(self, row: Row) -> list[str]:
        value: Any = row.values.get(self._column("mask"))
        if isinstance(value, list):
            return [str(one) for one in value]
        return [one.strip() for one in self._text(row, "mask").split(";") if one.strip()]

    def _found(self, tree: Tree, row: Row, class_name: str) -> Found:
        if not class_name:
            raise DataError("a row names no class", where=row.where)
        label = _one_of(_LABELS, self._text(row, "label"), "label", row)
        portion = _one_of(_SPLITS, self._text(row, "split"), "split", row)
        if label == 1 and portion != "test":
            fact = f"an anomalous image in {portion}, which holds normal images only"
            raise DataError(fact, hint="put it into test", where=row.where)
        names = self._masks(row) if label == 1 else []
        masks = tuple(tree.file(name, where=row.where) for name in names)
        sample = Sample(
            path=tree.file(self._text(row, "path"), where=row.where),
            class_name=class_name,
            portion=portion,
            label=label,
            defect=(self._text(row, "defect") or "defective") if label == 1 else "good",
            has_mask=bool(masks),
            group=self._text(row, "group") or None,
        )
        return Found(sample, masks)


def _one_of(words: Mapping[str, WordT], word: str, column: str, row: Row) -> WordT:
    try:
        return words[word.lower()]
    except KeyError:
        raise DataError(
            f"unknown {column} {word!r}", hint=f"use {', '.join(words)}", where=row.where
        ) from None


def _check_new(seen: dict[str, str], path: str, where: str) -> None:
    if path in seen:
        raise DataError(f"image {path!r} is listed twice", hint=f"first {seen[path]}", where=where)
    seen[path] = where


class ManifestParams(FolderParams):
    """Parameters of `manifest`."""

    file: str = Field("manifest.csv", description="the list, relative to the root or absolute")
    class_name: str = Field("images", min_length=1, description="the class of rows that name none")


def _make(params: ManifestParams) -> FolderDataset:
    reader = Manifest(params.file, one_class=params.class_name)
    source = FolderSource("manifest", params.terms, reader, folder="where the list's names start")
    return FolderDataset(params.root, source, params.classes)


MANIFEST = DatasetSpec(
    name="manifest",
    params=ManifestParams,
    make=_make,
    summary="Your own images, told by a CSV or JSONL list: path, class, split, label, mask, ...",
)
"""The reader `manifest`."""
