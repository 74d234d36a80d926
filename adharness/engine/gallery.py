"""A few small test images of each class for the page, where the licence lets them be shown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from PIL import Image

from adharness.arrays import UInt8
from adharness.contracts import Sample
from adharness.engine.survey import Survey
from adharness.engine.truth import union_of
from adharness.errors import DataError
from adharness.store.files import atomic
from adharness.store.run_record import GalleryImage

LARGEST_SIDE_PX = 256
IMAGES_A_CLASS = 5


def write_gallery(survey: Survey, folder: Path) -> list[GalleryImage]:
    """Store the chosen images and masks of a data set; none where its licence says no."""
    if not survey.dataset.licence.show_pixels:
        return []
    stored = []
    for number, sample in enumerate(_chosen(survey)):
        with suppress(DataError):  # an image that cannot be read has failed its class already
            stored.append(_store(survey, sample, folder, f"{survey.name}/{number:03d}"))
    return stored


def _chosen(survey: Survey) -> Iterator[Sample]:
    """Of each class a good image and the first of each kind of defect, in the set's order."""
    for name in survey.classes:
        tested = [survey.samples[int(i)] for i in survey.portion("test", name)]
        first = {sample.defect: sample for sample in reversed(tested)}
        ordered = sorted(first.values(), key=lambda sample: (sample.label, sample.path))
        yield from ordered[:IMAGES_A_CLASS]


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
