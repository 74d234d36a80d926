"""A data set whose chosen images are corrupted; all the others are as they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from math import floor

import numpy as np

from adharness.arrays import AnyArray, Bool, UInt8
from adharness.contracts import ContentHash, Dataset, DeclaredRegions, Licence, Sample
from adharness.corruptions import Shift, move_image, move_mask, placement
from adharness.corruptions.affine import Placement
from adharness.data.draws import generator

Ground = Bool | DeclaredRegions | None


class ShiftedDataset:
    """A data set seen by a camera that has changed.

    What is drawn for an image follows from the seed and the image's path alone, so it depends
    neither on the order of reading nor on the other images.

    Parameters
    ----------
    clean
        Any data set.
    shift
        What happens to the images.
    corrupted
        Paths of the images it happens to: those that are tested, and no other.
    """

    def __init__(self, clean: Dataset, shift: Shift, corrupted: frozenset[str]) -> None:
        self._clean, self._shift, self._corrupted = clean, shift, corrupted

    @property
    def licence(self) -> Licence:
        """That of the clean set: a corrupted picture is its owners' still."""
        return self._clean.licence

    def samples(self) -> Sequence[Sample]:
        """All images, under the names they have in the clean set."""
        return self._clean.samples()

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash what the sample holds; of a corrupted one see `shifted_hash`."""
        clean = self._clean.fingerprint(sample)
        return self.shifted_hash(sample, clean) if self._is_corrupted(sample) else clean

    def shifted_hash(self, sample: Sample, clean: ContentHash) -> ContentHash:
        """Hash a corrupted image without making it.

        From the clean hash, the path (which draws), the corruption, its severity, seed and version;
        the mask's too where pixels are moved.
        """
        told = json.dumps([clean, sample.path, self._shift.identity()], sort_keys=True)
        image = hashlib.sha256(told.encode()).hexdigest()
        if clean.mask is None or not self._shift.kind.moves:
            return ContentHash(image, clean.mask)
        return ContentHash(image, hashlib.sha256(f"mask {told}".encode()).hexdigest())

    def image(self, sample: Sample) -> UInt8:
        """(H, W, 3) uint8 RGB, of the clean image's size. Raises DataError as the clean set."""
        native = self._clean.image(sample)
        if not self._is_corrupted(sample):
            return native
        kind, pixels = self._shift.kind, native
        if kind.moves:
            ground = self._clean.mask(sample) if sample.has_mask else None
            pixels = move_image(native, self._placement(sample, ground))
        if kind.apply is None:
            return pixels
        return kind.apply(pixels, self._shift.level, self._rng(sample, "pixels"))

    def mask(self, sample: Sample) -> Ground:
        """Give the clean mask, moved along where the pixels are.

        A region that saturates does so at the same share of its area.
        """
        ground = self._clean.mask(sample)
        if ground is None or not self._shift.kind.moves or not self._is_corrupted(sample):
            return ground
        if isinstance(ground, DeclaredRegions):
            return _moved_regions(ground, self._placement(sample, ground))
        return move_mask(ground, self._placement(sample, ground))

    def _is_corrupted(self, sample: Sample) -> bool:
        return sample.path in self._corrupted

    def _rng(self, sample: Sample, of: str) -> np.random.Generator:
        """Draws of an image's place and of its pixels, which know nothing of each other."""
        return generator("shift", of, self._shift.corruption, self._shift.seed, sample.path)

    def _placement(self, sample: Sample, ground: Ground) -> Placement:
        return placement(_regions(ground), self._shift.level[:3], self._rng(sample, "place"))


def _regions(ground: Ground) -> list[Bool]:
    """Regions that must stay in the picture: an empty one cannot."""
    masks = ground.masks if isinstance(ground, DeclaredRegions) else [ground]
    found = [_as_bool(mask) for mask in masks if mask is not None]
    return [mask for mask in found if mask.any()]


def _moved_regions(ground: DeclaredRegions, to: Placement) -> DeclaredRegions:
    masks = [_as_bool(mask) for mask in ground.masks]
    moved = [move_mask(mask, to) for mask in masks]
    saturations = [
        min(int(after.sum()), max(1, floor(pixels * after.sum() / before.sum() + 0.5)))
        for pixels, before, after in zip(ground.saturations_px, masks, moved, strict=True)
    ]
    return DeclaredRegions(moved, saturations)


def _as_bool(mask: AnyArray) -> Bool:
    return np.asarray(mask, dtype=np.bool_)
