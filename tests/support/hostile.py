"""Forgeries of a bundle: each with what its refusal must say."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import forgery
from adharness.store.identity import digest
from forgery import Members, edited, forged, rearranged

BOMB = 64 * 2**20


def cell_of(members: Members, file: str = "result.json", number: int = 0) -> str:
    return f"cells/{json.loads(members['run.json'])['cells'][number]}/{file}"


def scores_of(members: Members) -> str:
    return cell_of(members, "scores.npz")


def beside(members: Members, name: str, content: bytes = b"x", mode: int = 0o100644) -> bytes:
    """A bundle with one member more."""
    extra = (forgery.plain_info(name, mode), content)
    return forgery.zipped(
        sorted([*forgery.entries_of(members), extra], key=lambda e: e[0].filename)
    )


def compressed(members: Members) -> bytes:
    packed = forgery.plain_info("run.json")
    others = [entry for entry in forgery.entries_of(members) if entry[0].filename != "run.json"]
    data = forgery.zipped([*others, (packed, b" " * BOMB)], compress_type=zipfile.ZIP_DEFLATED)
    assert len(data) < BOMB / 100
    return data


def patched(data: bytes, at: int, form: str, *values: int) -> bytes:
    """Overwrite bytes, counted from the end where `at` is negative."""
    place = at if at >= 0 else len(data) + at
    new = struct.pack(form, *values)
    return data[:place] + new + data[place + len(new) :]


def directory_entry(data: bytes, name: str) -> int:
    """Where the entry of a member begins in the list at the end."""
    return data.rindex(name.encode()) - 46


def overlapping(members: Members) -> bytes:
    """Every member of the list begins at the largest one: each claims the bytes of the same."""
    data = forged(members)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
    largest = max(infos, key=lambda info: info.file_size)
    for info in infos:
        at = directory_entry(data, info.filename)
        data = patched(data, at + 16, "<3L", largest.CRC, largest.file_size, largest.file_size)
        data = patched(data, at + 42, "<L", largest.header_offset)
    return data


def case_clash(members: Members) -> bytes:
    return beside(members, "RUN.json")


def twice(members: Members) -> bytes:
    entries = forgery.entries_of(members)
    double = [entry for entry in entries if entry[0].filename == "run.json"]
    with pytest.warns(UserWarning, match="Duplicate name"):
        return forgery.zipped([*entries, *double])


def nul_in_name(members: Members) -> bytes:
    return forged(members).replace(b"run.json", b"run\0json")


def unsorted(members: Members) -> bytes:
    return forgery.zipped(forgery.entries_of(forgery.signed(members))[::-1])


def raw_json(name: str, text: str) -> Callable[[Members], bytes]:
    return lambda members: forged({**members, name: text.encode()})


def in_run(**changes: Any) -> Callable[[Members], bytes]:
    return lambda members: forged(edited(members, "run.json", lambda run: run.update(changes)))


def in_cell(change: Callable[[Any], Any]) -> Callable[[Members], bytes]:
    return lambda members: forged(edited(members, cell_of(members), change))


def in_scores(change: Callable[[dict[str, np.ndarray]], Any]) -> Callable[[Members], bytes]:
    return lambda members: forged(rearranged(members, scores_of(members), change))


def with_array(array: str, npy: bytes) -> Callable[[Members], bytes]:
    def forge(members: Members) -> bytes:
        name = scores_of(members)
        return forged({**members, name: forgery.with_npy(members[name], array, npy)})

    return forge


def squeezed_npz(members: Members) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, samples=np.zeros(BOMB // 8))
    return forged({**members, scores_of(members): buffer.getvalue()})


def set_entry(key: str, at: int, value: Any) -> Callable[[dict[str, np.ndarray]], None]:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays[key][at] = value

    return change


def without_images(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    kept = np.arange(len(arrays["samples"])) != 0
    return {k: v if k.startswith("calibration") else v[kept] for k, v in arrays.items()}


def other_identity(cell: Any) -> None:
    cell["identity"]["normalizer"]["use"] = "adharness/something-better"


def other_name(cell: Any) -> None:
    cell["method"] = "somebody-elses"


def macro_class(run: Any) -> None:
    data = run["datasets"][0]
    data["classes"][0], data["counts"]["macro"] = "macro", data["counts"].pop("brick")


def foreign_cell(members: Members) -> bytes:
    source, name = members[cell_of(members)], f"cells/{'0' * 16}/result.json"
    return forged({**members, name: source})


def lost_cell(members: Members) -> bytes:
    folder = cell_of(members, "")
    return forged({name: c for name, c in members.items() if not name.startswith(folder)})


def cell_under_another_id(members: Members) -> bytes:
    old = json.loads(members["run.json"])["cells"][0]
    return forged(forgery.renamed_cell(members, old, "0" * 16))


def two_cells_of_one_place(members: Members) -> bytes:
    """A second cell of the same method and protocol: the board would show one of them."""
    record = json.loads(members[cell_of(members)])
    record["identity"]["note"] = "another"
    record["id"] = digest(record["identity"])
    old, new = cell_of(members, ""), f"cells/{record['id']}/"
    copied = {n.replace(old, new): c for n, c in members.items() if n.startswith(old)}
    copied[f"{new}result.json"] = forgery.dumped(record)
    run = edited(members, "run.json", lambda run: run["cells"].append(record["id"]))
    return forged({**run, **copied})


def extra_member_unsigned(members: Members) -> bytes:
    name = cell_of(members, "maps.npz")
    return beside(members, name, members[scores_of(members)])


def named_and_absent(members: Members) -> bytes:
    entry = {"sha256": "0" * 64, "bytes": 1}
    name = cell_of(members, "maps.npz")
    return forged(
        edited(members, "manifest.json", lambda m: m["files"].update({name: entry})), False
    )


def changed_after_signing(members: Members) -> bytes:
    return forged(edited(members, cell_of(members), other_name), sign=False)


def out_of_range(cell: Any) -> None:
    cell["rows"][0]["metrics"]["pixel_auroc"] = {
        "value": 1.5, "low": None, "high": None, "reason": None, "spread": None,
    }  # fmt: skip


def upside_down(cell: Any) -> None:
    value = cell["rows"][0]["metrics"]["pixel_auroc"]
    value["low"], value["high"] = value["high"] + 0.001, value["low"]


HOSTILE: dict[str, tuple[Callable[[Members], bytes], str]] = {
    "an empty file": (lambda m: b"", "no bundle"),
    "no zip": (lambda m: b"<html>" * 100, "no bundle"),
    "cut off": (lambda m: forged(m)[:-1], "no bundle"),
    "bytes behind the end": (lambda m: forged(m) + b"x", "no bundle"),
    "a comment behind the end": (lambda m: patched(forged(m), -2, "<H", 9), "does not end"),
    "bytes before the beginning": (lambda m: b"#!/bin/sh\n" + forged(m), "does not end"),
    "a huge number of members": (lambda m: patched(forged(m), -14, "<2H", 65535, 65535),
                                 "65535 members"),
    "a huge list of members": (lambda m: patched(forged(m), -10, "<L", 2**31), "list of members"),
    "bytes in a member's hidden field": (
        lambda m: patched(forged(m), 10, "<H", 7), "not in the form"),
    "members over each other": (overlapping, "more than the bundle has"),
    "an absolute path": (lambda m: beside(m, "/etc/passwd"), "absolute path"),
    "a path that leads out": (lambda m: beside(m, "cells/../../x"), "leads out"),
    "a backslash": (lambda m: beside(m, "cells\\x"), "backslash"),
    "a name cut at NUL": (nul_in_name, "not plain text"),
    "a name that is no ASCII": (lambda m: beside(m, "rün.json"), "not plain text"),
    "a member twice": (twice, "there twice"),
    "names that differ in case": (case_clash, "differ in case"),
    "a symbolic link": (lambda m: beside(m, cell_of(m, "maps.npz"), b"/etc/passwd", 0o120777),
                        "symbolic link"),
    "a device": (lambda m: beside(m, cell_of(m, "maps.npz"), b"", 0o020644), "no plain file"),
    "a compression bomb": (compressed, "compressed"),
    "an encrypted member": (
        lambda m: patched(forged(m), directory_entry(forged(m), "run.json") + 8, "<H", 1),
        "encrypted"),
    "a picture": (lambda m: beside(m, "gallery/textures/000.webp"), "none that a bundle has"),
    "a page": (lambda m: beside(m, "leaderboard.html"), "none that a bundle has"),
    "no manifest": (lambda m: forgery.zipped(forgery.entries_of(
        {k: v for k, v in m.items() if k != "manifest.json"})), "no manifest.json"),
    "no run": (lambda m: forged({k: v for k, v in m.items() if k != "run.json"}), "no run.json"),
    "members in another order": (unsorted, "not sorted"),
    "a member too large": (raw_json("run.json", " " * (16 * 2**20 + 1)), "at most"),
    "a member that is not signed": (extra_member_unsigned, "does not name"),
    "a signature without a member": (named_and_absent, "is not in the bundle"),
    "a member changed after signing": (changed_after_signing, "SHA-256"),
    "a manifest of another kind": (
        lambda m: forged(edited(m, "manifest.json", lambda x: x.update(kind="zip")), False),
        "manifest.json is not what"),
    "a submitter with an escape": (
        lambda m: forged(edited(m, "manifest.json", lambda x: x.update(submitter="\x1b[2J"))),
        "control character"),
    "a submitter in two lines": (
        lambda m: forged(edited(m, "manifest.json", lambda x: x.update(submitter="a\nb"))),
        "control character"),
    "nested without end": (raw_json("run.json", '{"a":' + "[" * 200_000), "nested too deeply"),
    "nested too deeply": (raw_json("run.json", '{"a":' + "[" * 300 + "]" * 300 + "}"),
                          "deeper than"),
    "a list for a run": (raw_json("run.json", "[]"), "not an object"),
    "text that is no UTF-8": (lambda m: forged({**m, "run.json": b'{"a": "\xff"}'}), "plain JSON"),
    "a NaN": (raw_json("run.json", '{"seconds": NaN}'), "NaN is not finite"),
    "a number beyond float64": (raw_json("run.json", '{"seconds": 1e999}'), "not finite"),
    "a number of a million digits": (raw_json("run.json", '{"a": ' + "9" * 10**6 + "}"),
                                     "plain JSON"),
    "a key twice": (raw_json("run.json", '{"suite": "a", "suite": "b"}'), "there twice"),
    "an unknown key": (in_run(onload="alert(1)"), "onload"),
    "text that turns the direction": (in_run(suite="gpj.\u202eexe"), "U+202E"),
    "a name in two lines": (in_run(metrics=["image\nauroc"]), "no name"),
    "a name in another Unicode form": (in_run(metrics=["re\u0301sume"]), "NFC"),
    "a name without end": (in_run(metrics=["x" * 10_000]), "no name"),
    "markup for a suite": (in_run(suite="<script>alert(1)</script>"), "no suite can give"),
    "a method that looks like another": (
        lambda m: forged(edited(m, "run.json", lambda r: r["methods"].update(
            {"p\u0430dim": r["methods"]["floor"]}))), "no suite can give"),
    "a run that is not finished": (in_run(finished=None), "not finished"),
    "pictures in the run": (
        in_run(gallery=[{"dataset": "t", "class_name": "c", "path": "p", "label": 0, "defect": "",
                         "image": "../../etc/passwd", "mask": None, "width": 1, "height": 1}]),
        "pictures"),
    "marks of its own": (
        in_run(origins={"x": {"source": "us", "status": "verified"}}), "only `merge` may say"),
    "a method of another shape": (
        in_run(methods={"floor": {"extractor": "px"}}), "methods.floor.extractor"),
    "versions that are a text": (in_run(provenance={"versions": "all"}), "provenance.versions"),
    "resamples without end": (in_run(statistics={"bootstrap": 10**9, "level": 0.95}), "bootstrap"),
    "work for days": (
        lambda m: forged(edited(m, "run.json", lambda r: r["datasets"][0]["counts"]["brick"].update(
            test_normal=10**10))), "drawn again"),
    "costs below zero": (in_run(deployment={"miss_cost": -1.0, "false_alarm_cost": 1.0,
                                            "defect_rate": 0.1}), "miss_cost"),
    "an unknown metric": (in_run(metrics=["image_luck"]), "unknown metric"),
    "an unknown protocol": (in_run(protocols=["per-class", "cheat"]), "unknown protocol"),
    "a class called macro": (
        lambda m: forged(edited(m, "run.json", macro_class)), "name of a mean"),
    "a cell that the run lacks": (foreign_cell, "not in the run"),
    "a cell that the bundle lacks": (lost_cell, "no result of it"),
    "a cell under another id": (cell_under_another_id, "is of the cell"),
    "a cell id that leads out": (in_run(cells=["../../../etc"]), "is in the bundle and not"),
    "an identity that hashes to another id": (in_cell(other_identity), "another cell"),
    "a name that is not the identity's": (in_cell(other_name), "other names"),
    "two cells of one place": (two_cells_of_one_place, "two cells are of"),
    "other seeds": (in_run(seeds=[7]), "no seed"),
    "judged by other metrics": (
        in_cell(lambda c: c["judged"].update(metrics=["image_auroc"])), "other metrics"),
    "a row more": (in_cell(lambda c: c["rows"].append(c["rows"][0])), "its rows are"),
    "a class left out": (in_cell(lambda c: c["rows"].pop(0) and None), "its rows are"),
    "a metric left out": (
        in_cell(lambda c: c["rows"][0]["metrics"].pop("image_auroc") and None),
        "not the metrics"),
    "a value beyond its range": (in_cell(out_of_range), "value of pixel_auroc is 1.5"),
    "an interval upside down": (in_cell(upside_down), "upside down"),
    "a cost below zero in a cell": (
        in_cell(lambda c: c["costs"].update(fit_s=-1.0)), "cost is below 0"),
    "memory below zero in a cell": (
        in_cell(lambda c: c["costs"].update(peak_memory_mb=-1.0)), "cost is below 0"),
    "a processor without a name": (
        in_cell(lambda c: c["costs"].update(
            measured=[{"cpu": " ", "threads": 2, "at_once": 1}])), "processor"),
    "costs measured with no thread": (
        in_cell(lambda c: c["costs"].update(
            measured=[{"cpu": "Xeon", "threads": 0, "at_once": 1}])), "0 threads"),
    "a status that hides a failure": (in_cell(lambda c: c.update(status="partial")), "status"),
    "an oracle that denies it": (
        in_cell(lambda c: c.update(told_class=["normalizer"])), "class_oracle"),
    "an array of objects": (with_array("scores", forgery.lying_npy((1,), "|O", b"cos\nsystem\n")),
                            "Python objects"),
    "an array that claims terabytes": (with_array("samples", forgery.lying_npy((2**40,), "<U8")),
                                       "claims the shape"),
    "an array whose size overflows": (with_array("samples", forgery.lying_npy((2**62,), "<U8")),
                                      "claims the shape"),
    "an array of negative length": (with_array("scores", forgery.lying_npy((-1,))), "the shape"),
    "an array of two axes": (with_array("scores", forgery.lying_npy((1, 1))), "expected (n)"),
    "an array of another kind": (with_array("scores", forgery.lying_npy((1,), "<c16", b"0" * 16)),
                                 "expected float64"),
    "an array without a header": (with_array("scores", b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 200),
                                  "no npy header"),
    "an array that is not expected": (in_scores(lambda a: a.update(shellcode=a["scores"])),
                                      "not expected"),
    "an array that is missing": (in_scores(lambda a: a.pop("raw") is None), "lacks the array"),
    "arrays of two lengths": (in_scores(lambda a: a.update(raw=a["raw"][1:])), "with n ="),
    "arrays that are compressed": (squeezed_npz, "unpacks to more"),
    "no npz": (lambda m: forged({**m, scores_of(m): b"x" * 100}), "no npz"),
    "a score that is NaN": (in_scores(set_entry("scores", 0, np.nan)), "nan, expected finite"),
    "a raw score that is infinite": (in_scores(set_entry("raw", 0, np.inf)), "inf, expected"),
    "an infinite threshold": (in_scores(set_entry("threshold", 0, -np.inf)), "-inf"),
    "a label of two": (in_scores(set_entry("labels", 0, 2)), "a label is 2"),
    "an unknown class": (in_scores(set_entry("classes", 0, "rock")), "no class of textures"),
    "an image twice": (
        in_scores(lambda a: set_entry("samples", 1, a["samples"][0])(a)), "there twice"),
    "a test image that calibrates": (
        in_scores(lambda a: a.update(calibration_samples=np.array(
            [*a["calibration_samples"][1:], a["samples"][0]]))), "there twice"),
    "a hard image left out": (in_scores(without_images), "the run says"),
    "a label turned": (in_scores(lambda a: set_entry("labels", 0, 1 - a["labels"][0])(a)),
                       "the run says"),
    "a threshold of one's own": (in_scores(set_entry("threshold", 0, 0.123)), "is decided at"),
    "a control character in a sample's name": (
        in_scores(set_entry("samples", 0, "\x1b[2J")), "control character"),
    "scores left out": (
        lambda m: forged({k: v for k, v in m.items() if k != scores_of(m)}), "and no scores"),
    "replicates of other images": (
        lambda m: forged(rearranged(m, cell_of(m, "replicates.npz"), lambda a: a.update(
            draws=np.array("0" * 16)))), "of other images"),
    "replicates beyond their range": (
        lambda m: forged(rearranged(m, cell_of(m, "replicates.npz"),
                                    lambda a: a["values"].fill(2.0))), "outside its range"),
}  # fmt: skip
