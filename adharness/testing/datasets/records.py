"""What a data set's record says of the owners' copy: clauses D7 and D9 of docs/contracts.md."""

from __future__ import annotations

import re
from typing import cast

from adharness.contracts import DatasetSpec
from adharness.testing.check import Check, require
from adharness.testing.subject import Subject

SHA256 = re.compile(r"[0-9a-f]{64}")


def check_counts_classes_it_knows(subject: Subject) -> None:
    """Its record counts only images of classes that it names, and names each once."""
    expected = cast("DatasetSpec", subject.spec).expected
    if expected is None:
        return
    require(bool(expected.classes), "it expects a complete copy to have no class")
    once = len(set(expected.classes)) == len(expected.classes)
    require(once, f"a class is there twice: {', '.join(expected.classes)}")
    unknown = sorted(set(expected.counts) - set(expected.classes))
    require(not unknown, f"it counts {', '.join(unknown)}, none of its classes")
    for name, counts in expected.counts.items():
        require(min(counts) >= 0, f"of {name} it counts {counts}")


def check_downloads_what_is_known(subject: Subject) -> None:
    """A download is by https, of a known SHA-256, under a licence whose terms can be read."""
    download = cast("DatasetSpec", subject.spec).download
    if download is None:
        return
    for url in (download.url, download.terms):
        require(url.startswith("https://"), f"{url!r} is no https address")
    known = SHA256.fullmatch(download.sha256) is not None
    require(known, f"{download.sha256!r} is no SHA-256 in 64 hexadecimal digits")
    require(bool(download.licence.strip()), "its download names no licence to accept")


DATASET_RECORD_CHECKS: tuple[Check[Subject], ...] = (
    Check("D7", check_counts_classes_it_knows),
    Check("D9", check_downloads_what_is_known),
)
"""Checks that look at a record alone."""
