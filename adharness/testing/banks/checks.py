"""What a bank promises: clauses B of docs/contracts.md, tried on small training sets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from adharness.contracts import Bag, Images
from adharness.errors import ContractError, DataError
from adharness.testing.banks.subject import BankSubject, arrays_of, first_images
from adharness.testing.check import Check, require, require_refused
from adharness.testing.watched_features import WatchedFeatures
from adharness.testing.worlds import ToyFeatures

EITHER = (DataError, ContractError)


def check_reads_lazily(subject: BankSubject) -> None:
    """It reads batch by batch, and never holds more than half of all patches as they came."""
    subject.reduce(WatchedFeatures.over(subject.world))


def check_emits_what_its_record_says(subject: BankSubject) -> None:
    """The memory is of the kind that its record says, and holds something finite."""
    memory, world = subject.reduce(), subject.world
    emitted, said = memory.kind, subject.spec.emits
    require(emitted == said, f"its record says `{said}`, and it emits `{emitted}`")
    length = world.embedding_dim if isinstance(memory, Images) else world.dim
    for name, array in arrays_of(memory).items():
        require(len(array) > 0, f"its memory has no {name}")
        require(bool(np.isfinite(array).all()), f"its {name} are not all finite")
        if name != "images of rows":
            described = f"{array.dtype} of length {array.shape[-1]}"
            fits = array.dtype == np.float32 and array.shape[-1] == length
            require(fits, f"its {name} are {described}, expected float32 of length {length}")


def check_names_the_image_of_each_row(subject: BankSubject) -> None:
    """Of each row of a bag it names a training image, and of a copied patch the one it is of."""
    memory, world = subject.reduce(), subject.world
    if not isinstance(memory, Bag):
        return
    images, rows = memory.images, memory.rows
    described = f"{images.shape} {images.dtype}"
    fits = images.shape == rows.shape[:1] and images.dtype == np.int64
    require(fits, f"of {len(rows)} rows it names {described}, expected one int64 a row")
    inside = bool(((images >= 0) & (images < world.count)).all())
    require(inside, f"it names images {images.min()} to {images.max()} of {world.count}")
    owners = _owners(world)
    found = [
        (owners.get(row.tobytes(), int(n)), int(n)) for row, n in zip(rows, images, strict=True)
    ]
    wrong = [pair for pair in found if pair[0] != pair[1]]
    require(not wrong, f"{len(wrong)} rows are of other images than it names")


def _owners(world: ToyFeatures) -> dict[bytes, int]:
    rows = world.patches.reshape(-1, world.dim)
    each = world.grid[0] * world.grid[1]
    return {row.tobytes(): i // each for i, row in enumerate(rows)}


def check_refuses_hidden_classes(subject: BankSubject) -> None:
    """One that must be told classes raises ContractError where it is not."""
    hidden = replace(subject.world, classes=None)
    require_refused(partial(subject.reduce, hidden), "features of hidden classes")


def check_keeps_to_the_images_given(subject: BankSubject) -> None:
    """Of a part of the images, and of other images, it remembers only what they hold."""
    world = subject.world
    few = first_images(world, world.count // 2)
    others = arrays_of(subject.reduce(few))
    require(
        all(len(array) > 0 for array in others.values()),
        f"of {few.count} images its memory is empty",
    )
    named = others.get("images of rows")
    if named is not None:
        require(int(named.max()) < few.count, f"of {few.count} images it names {named.max()}")


def check_reductions_are_independent(subject: BankSubject) -> None:
    """What it remembers does not depend on what it was given before."""
    bank, world = subject.make(), subject.world
    before = arrays_of(bank.reduce(world, np.random.default_rng(0)))
    kept = {name: array.copy() for name, array in before.items()}
    bank.reduce(subject.drawn(1), np.random.default_rng(0))
    after = arrays_of(bank.reduce(world, np.random.default_rng(0)))
    for name, array in kept.items():
        require(np.array_equal(before[name], array), f"a second memory changes the first's {name}")
        require(np.array_equal(after[name], array), f"its {name} depend on what came before")


def check_refuses_no_image(subject: BankSubject) -> None:
    """Without a training image it raises DataError."""
    require_refused(partial(subject.reduce, first_images(subject.world, 0)), "no image", *EITHER)


def check_copes_with_one_image(subject: BankSubject) -> None:
    """Of one image it makes a memory that is not empty, or raises DataError."""
    try:
        memory = subject.reduce(first_images(subject.world, 1))
    except EITHER:
        return
    for name, array in arrays_of(memory).items():
        require(len(array) > 0, f"of one image its memory has no {name}")
        require(name != "images of rows" or not array.any(), "of one image it names another")


def check_refuses_features_without_embeddings(subject: BankSubject) -> None:
    """One that emits image embeddings raises ContractError where the extractor gives none."""
    bare = replace(subject.world, embeddings=None)
    require_refused(partial(subject.reduce, bare), "features without embeddings")


def _needs_class(subject: BankSubject) -> bool:
    return subject.needs_class


def _emits_embeddings(subject: BankSubject) -> bool:
    return subject.spec.emits == "images"


def _emits_rows(subject: BankSubject) -> bool:
    return subject.spec.emits == "bag"


def _remembers(subject: BankSubject) -> bool:
    return subject.spec.emits != "nothing"


BANK_CHECKS: tuple[Check[BankSubject], ...] = (
    Check("B1", check_reads_lazily),
    Check("B2", check_emits_what_its_record_says),
    Check("B3", check_names_the_image_of_each_row, _emits_rows),
    Check("B4", check_refuses_hidden_classes, _needs_class),
    Check("B5", check_keeps_to_the_images_given),
    Check("B7", check_reductions_are_independent),
    Check("B8", check_refuses_no_image, _remembers),
    Check("B8", check_copes_with_one_image),
    Check("B8", check_refuses_features_without_embeddings, _emits_embeddings),
)
