"""Verifiers that lack one check, each betrayed by a forgery that ours refuses by name.

A mutant is our verifier with one function replaced. `refused` says whether a forgery is refused by
the message that belongs to it; it must be true of ours and false of the mutant.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import yaml

import forgery
from adharness.bundle import (
    archive,
    claims,
    contents,
    images,
    layout,
    member_names,
    pack_run,
    recompute,
    strict_json,
    strict_npz,
    verify,
    verify_bundle,
)
from adharness.cli import main
from adharness.errors import StoreError
from forgery import Members, edited, forged, rearranged
from hostile import HOSTILE, cell_of, scores_of

pytestmark = pytest.mark.slow

SUITE = {
    "schema": 1,
    "name": "tiny",
    "data": [{"use": "textures", "size": 48, "train": 8, "good": 5, "per_defect": 1}],
    "protocols": ["per-class", "absolute-unified"],
    "extractors": {"px": {"use": "pixel-patches", "resize": 48, "patch_px": 8}},
    "methods": [{"name": "floor", "extractor": "px", "bank": {"use": "all"},
                 "scorer": {"use": "random-scores"}}],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "image_f1", "pixel_auroc", "region_aupro_30"],
    "statistics": {"bootstrap": 20},
}  # fmt: skip


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Members:
    folder = tmp_path_factory.mktemp("genuine")
    (folder / "suite.yaml").write_text(yaml.safe_dump(SUITE, sort_keys=False))
    out, cache = folder / "out", folder / "cache"
    suite = str(folder / "suite.yaml")
    assert main.run(["run", suite, "--out", str(out), "--cache-dir", str(cache), "-q"]) == 0
    return forgery.members_of(pack_run(out, folder / "bundle").path)


class Mutant(NamedTuple):
    """A function of ours that is replaced, and the forgery that then passes, or passes unnamed."""

    home: ModuleType
    name: str
    instead: Callable[..., Any]
    forgery: str


def nothing(*_: Any, **__: Any) -> None:
    """Check nothing."""


def better(what: str, row: int = 0, metric: str = "image_auroc") -> Callable[[Members], bytes]:
    def change(record: Any) -> None:
        told = record["rows"][row]["metrics"][metric]
        told[what] += 0.001

    return lambda members: forged(edited(members, cell_of(members), change))


def one_score_moved(members: Members) -> bytes:
    def change(arrays: dict[str, Any]) -> None:
        normal = (arrays["labels"] == 0).nonzero()[0][0]
        arrays["scores"][normal] = arrays["raw"][normal] = 1e9

    return forged(rearranged(members, scores_of(members), change))


DISAGREEING: dict[str, Callable[[Members], bytes]] = {
    "a better value": better("value"),
    "a wider interval": better("high"),
    "a better macro mean": better("value", row=3),
    "a better macro mean of pixels": better("value", row=3, metric="pixel_auroc"),
    "an interval that no replicate gives": better("low", metric="pixel_auroc"),
    "a score that was moved": one_score_moved,
}

MUTANTS = (
    Mutant(archive, "_check_end", nothing, "bytes before the beginning"),
    Mutant(archive, "_check_form", nothing, "bytes in a member's hidden field"),
    Mutant(member_names, "_check_unique", nothing, "names that differ in case"),
    Mutant(member_names, "_check_kind", nothing, "a symbolic link"),
    Mutant(member_names, "_check_kind", nothing, "a compression bomb"),
    Mutant(member_names, "_check_size", nothing, "a member too large"),
    Mutant(layout, "is_allowed", lambda _: True, "a picture"),
    Mutant(strict_json, "_unique", dict, "a key twice"),
    Mutant(strict_json, "_finite", float, "a number beyond float64"),
    Mutant(strict_json, "hidden_character", nothing, "text that turns the direction"),
    Mutant(contents, "_check_members", nothing, "a signature without a member"),
    Mutant(strict_npz, "_check_numbers", nothing, "a raw score that is infinite"),
    Mutant(strict_npz, "_check_characters", nothing, "a control character in a sample's name"),
    Mutant(claims, "_check_identity", nothing, "an identity that hashes to another id"),
    Mutant(claims, "_check_judged", nothing, "judged by other metrics"),
    Mutant(claims, "_check_rows", nothing, "a class left out"),
    Mutant(claims, "_check_value", nothing, "a value beyond its range"),
    Mutant(claims, "_check_names", nothing, "a class called macro"),
    Mutant(images, "_check_counts", nothing, "a hard image left out"),
    Mutant(images, "_check_thresholds", nothing, "a threshold of one's own"),
    Mutant(recompute, "close", lambda *_: True, "a better value"),
    Mutant(recompute, "close", lambda a, b, *_: a == b or abs(a - b) < 0.01, "a better value"),
    Mutant(recompute.Recomputation, "disagreements", lambda *_: [],  # type: ignore[arg-type]
           "a score that was moved"),
    Mutant(recompute.Recomputation, "_row", lambda *_: [],  # type: ignore[arg-type]
           "a wider interval"),
    Mutant(verify, "contradictions", lambda *_: [], "a better macro mean of pixels"),
    Mutant(verify, "contradictions", lambda *_: [], "an interval that no replicate gives"),
)  # fmt: skip


def refused(members: Members, name: str, path: Path) -> bool:
    """Whether the forgery is refused for what it is."""
    forge, message = HOSTILE.get(name) or (DISAGREEING[name], "")
    path.write_bytes(forge(members))
    try:
        verdict = verify_bundle(path)
    except StoreError as error:
        return bool(message) and message in error.message
    except Exception:  # noqa: BLE001 - a mutant may stumble over what it should have refused
        return False
    return not message and bool(verdict.disagreements)


@pytest.mark.parametrize("name", DISAGREEING)
def test_a_number_that_the_scores_do_not_give_is_found(
    name: str, genuine: Members, tmp_path: Path
) -> None:
    assert refused(genuine, name, tmp_path / "bundle")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.name} for {m.forgery}")
def test_a_verifier_that_lacks_a_check_is_betrayed_by_a_forgery(
    mutant: Mutant, genuine: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(genuine, mutant.forgery, tmp_path / "bundle")
    monkeypatch.setattr(mutant.home, mutant.name, mutant.instead)
    assert not refused(genuine, mutant.forgery, tmp_path / "bundle")
