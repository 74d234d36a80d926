"""Bundles that are not what `adharness bundle` writes: each member can be forged, hashes too."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

Members = dict[str, bytes]


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def plain_info(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, mode << 16
    return info


def zipped(entries: list[tuple[zipfile.ZipInfo, bytes]], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for info, content in entries:
            archive.writestr(info, content, **options)
    return buffer.getvalue()


def entries_of(members: Members) -> list[tuple[zipfile.ZipInfo, bytes]]:
    return [(plain_info(name), content) for name, content in sorted(members.items())]


def dumped(value: Any) -> bytes:
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def signed(members: Members) -> Members:
    """Tell the hashes of the members as they are now, as a careful forger would.

    Those of a cell's arrays are told in its record too.
    """
    found = {name: content for name, content in members.items() if name != "manifest.json"}
    for name in [name for name in found if name.endswith("result.json")]:
        folder = name.rpartition("/")[0]
        try:
            record = json.loads(found[name])
        except (ValueError, RecursionError):
            continue
        record["files"] = {
            each.rpartition("/")[2]: sha256(content).hexdigest()
            for each, content in found.items()
            if each.startswith(f"{folder}/") and each != name
        }
        if json.loads(found[name])["files"] != record["files"]:
            found[name] = dumped(record)
    manifest = json.loads(members["manifest.json"])
    manifest["files"] = {
        name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in found.items()
    }
    return {**found, "manifest.json": dumped(manifest)}


def forged(members: Members, sign: bool = True) -> bytes:
    return zipped(entries_of(signed(members) if sign else members))


def edited(members: Members, name: str, change: Callable[[Any], Any]) -> Members:
    """Change a JSON member in place, or by what `change` returns."""
    value = json.loads(members[name])
    value = change(value) or value
    return {**members, name: dumped(value)}


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=True)
    return buffer.getvalue()


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def rearranged(
    members: Members, name: str, change: Callable[[dict[str, np.ndarray]], Any]
) -> Members:
    arrays = arrays_of(members[name])
    arrays = change(arrays) or arrays
    return {**members, name: npz(arrays)}


def renamed_cell(members: Members, old: str, new: str) -> Members:
    """Give a cell another id, wherever it is named."""
    run = json.loads(members["run.json"])
    run["cells"] = [new if one == old else one for one in run["cells"]]
    moved = {name.replace(old, new): content for name, content in members.items()}
    return {**moved, "run.json": dumped(run)}


def lying_npy(shape: tuple[int, ...], dtype: str = "<f8", content: bytes = b"\0" * 8) -> bytes:
    """Give an npy whose header claims what it does not hold."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}"
    padded = header + " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode() + content


def with_npy(content: bytes, array: str, npy: bytes) -> bytes:
    """Replace one array of an npz by these bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        stored = {name: archive.read(name) for name in archive.namelist()}
    stored[f"{array}.npy"] = npy
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, each in stored.items():
            archive.writestr(name, each)
    return buffer.getvalue()
