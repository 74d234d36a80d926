"""Small test images for the page, where the licence lets them be shown: typical and worst ones."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from adharness.arrays import UInt8
from adharness.contracts import Sample
from adharness.engine.exhibits import typical, worst
from adharness.engine.survey import Survey
from adharness.engine.truth import union_of
from adharness.errors import DataError
from adharness.store.files import atomic
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import GalleryImage

LARGEST_SIDE_PX = 256


def write_gallery(
    survey: Survey, folder: RunFolder, cells: Sequence[CellRecord]
) -> list[GalleryImage]:
    """Store images and masks of a data set; none where its licence says no.

    Parameters
    ----------
    cells
        What the run made of this data set, in plan order: it tells which images went wrong.

    Returns
    -------
    list
        The typical images by class, then the worst in the order in which they are worth showing.
        An image that is both is there once, as a typical one.
    """
    if not survey.dataset.licence.show_pixels:
        return []
    first = typical(survey)
    wrong = [sample for sample in worst(survey, folder, cells) if sample not in first]
    stored = []
    for number, sample in enumerate([*first, *wrong]):
        with suppress(DataError):  # an image that cannot be read has failed its class already
            image = _store(survey, sample, folder.path, f"{survey.name}/{number:03d}")
            stored.append(image.model_copy(update={"worst": sample in wrong}))
    return stored


def _store(survey: Survey, sample: Sample, folder: Path, name: str) -> GalleryImage:
    native = survey.dataset.image(sample)
    mask = survey.dataset.mask(sample) if sample.has_mask else None
    height, width = native.shape[:2]
    image_file, mask_file = f"gallery/{name}.webp", f"gallery/{name}_mask.png"
    _write(folder / image_file, native, "WEBP")
    if mask is not None:
        _write(folder / mask_file, union_of(mask, sample.path).astype("uint8") * 255, "PNG")
    return GalleryImage(
        dataset=survey.name,
        class_name=sample.class_name,
        path=sample.path,
        label=sample.label,
        defect=sample.defect,
        image=image_file,
        mask=mask_file if mask is not None else None,
        width=width,
        height=height,
    )


def _write(path: Path, pixels: UInt8, kind: str) -> None:
    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    with atomic(path) as file:
        file.write(buffer.getvalue())
