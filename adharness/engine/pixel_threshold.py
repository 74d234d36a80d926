"""The deployed pixel threshold, from maps of held-out normals alone: by default MVTec AD 2's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adharness.arrays import Float32
from adharness.contracts import Threshold, pixel_moments
from adharness.engine.protocols import checked_threshold
from adharness.suite.bind import Bound

DEVIATIONS = 3.0
NOTE = "mean + 3 standard deviations of all pixels of the held-out normal images"


def pixel_threshold(maps: Iterable[Float32]) -> Threshold | None:
    """Mean plus three standard deviations of every pixel of these maps together.

    Parameters
    ----------
    maps
        Of each held-out normal image (H, W) float32, on the scale that is decided on; sizes may
        differ. Read once, one at a time.

    Returns
    -------
    Threshold or None
        A pixel is anomalous above it, strictly; None if there is no map. `normals` counts images.

    Notes
    -----
    The population's deviation; see `pixel_moments`. Equal pixels give their value.

    References
    ----------
    Heckler-Kram et al., The MVTec AD 2 Dataset, 2025, section 4: a threshold from the anomaly-free
    validation images.
    """
    found = pixel_moments(maps)
    if not found.images:
        return None
    value = found.mean + DEVIATIONS * found.deviation
    return Threshold(value, normals=found.images, anomalies=0, note=NOTE)


def choose_pixel_threshold(thresholder: Bound | None, maps: Sequence[Float32]) -> Threshold | None:
    """Let the suite's thresholder of pixels choose, or MVTec AD 2's rule where it names none.

    Raises
    ------
    ContractError
        The thresholder gave no Threshold, or one that is not finite.
    """
    if thresholder is None or not len(maps):
        return pixel_threshold(maps)
    return checked_threshold(thresholder.make().pixel_threshold(maps), thresholder.name)
