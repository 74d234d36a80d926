"""Data sets and splits: pictures in, samples out, and who trains, calibrates and tests."""

from __future__ import annotations

from collections.abc import Iterator

from adharness.contracts import DatasetSpec
from adharness.data.choice import choose_classes
from adharness.data.draws import generator, share_of, shuffled
from adharness.data.folder import FOLDER, FolderDataset, FolderParams
from adharness.data.folds import fold_split
from adharness.data.images import (
    hash_file,
    hash_pixels,
    image_size,
    read_image,
    read_mask,
    resize_image,
)
from adharness.data.mvtec_tree import LAYOUT, FolderSource
from adharness.data.partition import Split
from adharness.data.split_file import SplitFile, file_split, read_split_file, split_document
from adharness.data.splits import Policy, make_split
from adharness.data.study_split import study_split
from adharness.data.textures import TEXTURES, TexturesDataset, TexturesParams
from adharness.hooks import hookimpl

__all__ = [
    "FOLDER",
    "LAYOUT",
    "TEXTURES",
    "FolderDataset",
    "FolderParams",
    "FolderSource",
    "Policy",
    "Split",
    "SplitFile",
    "TexturesDataset",
    "TexturesParams",
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
    yield TEXTURES
