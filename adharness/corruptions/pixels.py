"""Corruptions that leave every pixel where it is. Each gives (H, W, 3) uint8, rounded and clipped.

`level` holds the numbers of one severity. Lengths are those of an image whose shorter side is
224 px, for which the published severities were chosen, and grow with the image; noise is drawn for
each pixel of the image as it is.

References
----------
Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations, ICLR 2019 (ImageNet-C).
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from adharness.arrays import AnyArray, Float32, UInt8

Level = tuple[float, ...]
REFERENCE_PX = 224


def blur(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:  # noqa: ARG001
    """Gaussian blur; `level` is its standard deviation at 224 px. Nothing is drawn."""
    from skimage.filters import gaussian  # heavy: only where pixels are made

    sigma = level[0] * min(pixels.shape[:2]) / REFERENCE_PX
    # scikit-image has no types here.
    shares = gaussian(_shares(pixels), sigma=sigma, channel_axis=2, mode="nearest")  # type: ignore[no-untyped-call]
    return as_uint8(shares)


def noise(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:
    """Gaussian noise of each pixel and channel; `level` is its standard deviation."""
    drawn = rng.standard_normal(pixels.shape, dtype=np.float32)
    return as_uint8(_shares(pixels) + drawn * np.float32(level[0]))


def jpeg(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:  # noqa: ARG001
    """Compress as JPEG; `level` is Pillow's quality. Nothing is drawn."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=int(level[0]))
    return np.array(Image.open(stream).convert("RGB"), dtype=np.uint8)


def brightness(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:  # noqa: ARG001
    """Add `level` to the value of HSV: overexposed. Nothing is drawn."""
    from skimage.color import hsv2rgb, rgb2hsv

    hsv = rgb2hsv(_shares(pixels))
    hsv[:, :, 2] = np.clip(hsv[:, :, 2] + level[0], 0, 1)
    return as_uint8(hsv2rgb(hsv))


def contrast(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:  # noqa: ARG001
    """Keep the share `level` of the distance to each channel's mean. Nothing is drawn."""
    shares = _shares(pixels)
    mean = shares.mean(axis=(0, 1), keepdims=True)
    return as_uint8((shares - mean) * np.float32(level[0]) + mean)


def illumination(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:
    """Light that falls off linearly across the image, in a direction that is drawn.

    The brightest corner keeps its light; the opposite one loses a share drawn between the two
    numbers of `level`.
    """
    angle, lost = rng.uniform(0, 2 * np.pi), rng.uniform(level[0], level[1])
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in pixels.shape[:2])
    slope = np.float32(np.sin(angle)) * rows[:, None] + np.float32(np.cos(angle)) * columns
    ramp = (slope - slope.min()) / max(float(np.ptp(slope)), 1e-12)
    return as_uint8(_shares(pixels) * (1 - np.float32(lost) * ramp)[:, :, None])


def study(pixels: UInt8, level: Level, rng: np.random.Generator) -> UInt8:
    """Change what a moved image looks like: colours, focus, noise and light, drawn in this order.

    `level` is, after three numbers of the move: how far gain, contrast and saturation go from 1,
    the largest blur and noise (each done to half of the images), and the least and largest share of
    light lost.
    """
    jitter, sigma, deviation, *lost = level[3:]
    gain, spread, colour = rng.uniform(1 - jitter, 1 + jitter, 3).astype(np.float32)
    blurred, noisy = rng.uniform(0, 1, 2) < 0.5
    sigma, deviation = rng.uniform(sigma / 20, sigma), rng.uniform(deviation / 5, deviation)
    shares = _shares(pixels) * gain
    mean = shares.mean(axis=(0, 1), keepdims=True)
    shares = (shares - mean) * spread + mean
    grey = shares.mean(axis=2, keepdims=True)
    changed = as_uint8((shares - grey) * colour + grey)
    if blurred:
        changed = blur(changed, (sigma,), rng)
    if noisy:
        changed = noise(changed, (deviation,), rng)
    return illumination(changed, tuple(lost), rng)


def as_uint8(shares: AnyArray) -> UInt8:
    """Round shares of one (H, W, 3) to eight bits; what lies outside is clipped."""
    return np.asarray(np.rint(np.clip(shares, 0, 1) * 255), dtype=np.uint8)


def _shares(pixels: UInt8) -> Float32:
    return pixels.astype(np.float32) / np.float32(255)
