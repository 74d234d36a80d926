"""Data sets and splits: pictures in, samples out, and who trains, calibrates and tests."""

from __future__ import annotations

from collections.abc import Iterator

from adharness.contracts import DatasetSpec
from adharness.data.choice import choose_classes
from adharness.data.draws import Draw, generator, share_of, shuffled
from adharness.data.folder import FOLDER, FolderDataset, FolderParams, RootParams
from adharness.data.folds import fold_split
from adharness.data.globs import GLOBS
from adharness.data.images import (
    hash_file,
    hash_pixels,
    image_size,
    read_image,
    read_mask,
    resize_image,
)
from adharness.data.layout import MVTEC, ImageRule, TreeLayout
from adharness.data.manifest import MANIFEST, Manifest
from adharness.data.partition import Split
from adharness.data.source import FolderSource, Found, Reader, Wanted
from adharness.data.split_file import SplitFile, file_split, read_split_file, split_document
from adharness.data.splits import Policy, make_split
from adharness.data.study_split import study_split
from adharness.data.table import read_json
from adharness.data.textures import TEXTURES, TexturesDataset, TexturesParams
from adharness.data.tree import Tree
from adharness.hooks import hookimpl

__all__ = [
    "FOLDER",
    "GLOBS",
    "MANIFEST",
    "MVTEC",
    "TEXTURES",
    "Draw",
    "FolderDataset",
    "FolderParams",
    "FolderSource",
    "Found",
    "ImageRule",
    "Manifest",
    "Policy",
    "Reader",
    "RootParams",
    "Split",
    "SplitFile",
    "TexturesDataset",
    "TexturesParams",
    "Tree",
    "TreeLayout",
    "Wanted",
    "adharness_datasets",
    "choose_classes",
    "file_split",
    "fold_split",
    "generator",
    "hash_file",
    "hash_pixels",
    "image_size",
    "make_split",
    "read_image",
    "read_json",
    "read_mask",
    "read_split_file",
    "resize_image",
    "share_of",
    "shuffled",
    "split_document",
    "study_split",
]


@hookimpl
def adharness_datasets() -> Iterator[DatasetSpec]:
    """Yield the data sets that need nothing but the core."""
    yield FOLDER
    yield GLOBS
    yield MANIFEST
    yield TEXTURES
