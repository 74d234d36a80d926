"""A saved method: what `adharness save` writes and `adharness score` reads.

```
<folder>/
  method.json                  SavedMethod, written last
  model-<n>.safetensors        what one model remembers: its bag, its image embeddings or its state
  part-<n>.safetensors         held-out normal scores, from which a normalizer is fitted again
```
No pickle: a folder from a stranger can hold wrong numbers, never code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from adharness.arrays import AnyArray
from adharness.errors import StoreError, refusals
from adharness.store.files import explained, read_json, sha256_of, write_json
from adharness.store.records import Record, ThresholdRecord

RECORD = "method.json"


class SavedComponent(Record):
    """A component by its qualified name, with all parameters but settings."""

    use: str
    params: dict[str, Any]


class SavedFile(Record):
    """A file beside the record."""

    name: str = Field(pattern=r"^[a-z]+-[0-9]+\.safetensors$")
    sha256: str


class SavedModel(Record):
    """One fitted model.

    `images` are the training images, as [path, class], in the order that a bag's `images` count.
    """

    trained_on: str | None
    holds: Literal["bag", "images", "state"]
    file: SavedFile
    images: list[tuple[str, str]]


class SavedPart(Record):
    """What shares a normalizer and a threshold: one class, or all where `class_name` is None.

    `model` is a position in the models. `colours` is the range of patch scores that overlays span.
    """

    class_name: str | None
    model: int
    calibration: SavedFile
    classes: list[str] | None
    """Of the held-out normals, where the normalizer is told them."""
    threshold: ThresholdRecord
    pixel_threshold: ThresholdRecord | None
    colours: tuple[float, float] | None


class SavedMethod(Record):
    """`method.json`."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    suite: str
    dataset: str
    protocol: str
    method: str
    seed: int
    cell: str
    extractor: SavedComponent
    stored_as: Literal["float32", "float16", "uint8"] = "float32"
    """What features were kept as when the models saw them, and are again."""
    fingerprint: str
    """Of the extractor's weights."""
    scorer: SavedComponent
    normalizer: SavedComponent
    thresholder: str
    maps: dict[str, Any]
    models: list[SavedModel]
    parts: list[SavedPart]
    versions: dict[str, str]


def write_tensors(folder: Path, name: str, arrays: Mapping[str, AnyArray]) -> SavedFile:
    """Write arrays by name; raises StoreError where the disk refuses."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path = folder / name
    whole = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
    with explained(path):
        try:
            save_file(whole, path)
            path.chmod(0o644)  # it writes for its owner alone
        except SafetensorError as error:
            raise OSError(str(error)) from error
        return SavedFile(name=name, sha256=sha256_of(path))


def read_tensors(folder: Path, file: SavedFile) -> dict[str, AnyArray]:
    """Read what `write_tensors` wrote. Raises StoreError where it is missing or was changed."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / file.name
    try:
        if sha256_of(path) != file.sha256:
            raise StoreError(f"{path} is not the file that was saved: its checksum differs")
        tensors: dict[str, AnyArray] = load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise StoreError(f"cannot read {path}: {error}") from error
    return tensors


def write_method(folder: Path, record: SavedMethod) -> None:
    """Write the record, last of all."""
    write_json(folder / RECORD, record.model_dump(mode="json"))


def read_method(folder: Path) -> SavedMethod:
    """Read the record. Raises StoreError where the folder holds no saved method."""
    path = folder / RECORD
    if not path.is_file():
        raise StoreError(
            f"{folder} holds no saved method: it has no {RECORD}",
            hint="adharness save RUN --only method=NAME --out FOLDER makes one",
        )
    try:
        record = SavedMethod.model_validate(read_json(path))
    except ValidationError as error:
        raise StoreError(f"{path} is not a saved method: {refusals(error)[0]}") from error
    for part in record.parts:
        if not 0 <= part.model < len(record.models):
            raise StoreError(f"{path} is not a saved method: it has no model {part.model}")
    if not record.parts:
        raise StoreError(f"{path} is not a saved method: it has no part")
    return record
