"""The normalizers `raw` and `zscore`."""

from __future__ import annotations

from collections.abc import Iterator

from adharness import Normalizer, NormalizerSpec, Params, hookimpl

__version__ = "0.1.0"
__all__ = ["RAW", "ZSCORE", "RawParams", "ZscoreParams", "adharness_normalizers"]


class RawParams(Params):
    """`raw` has no parameters."""


class ZscoreParams(Params):
    """`zscore` has no parameters."""


def _make_raw(_: RawParams) -> Normalizer:
    from adharness_normalizers.raw import RawNormalizer

    return RawNormalizer()


def _make_zscore(_: ZscoreParams) -> Normalizer:
    from adharness_normalizers.zscore import ZscoreNormalizer

    return ZscoreNormalizer()


RAW = NormalizerSpec(
    name="raw",
    params=RawParams,
    make=_make_raw,
    keeps_class_order=True,
    summary="Scores as the scorer gave them.",
)

ZSCORE = NormalizerSpec(
    name="zscore",
    params=ZscoreParams,
    make=_make_zscore,
    needs_class=True,
    keeps_class_order=True,
    summary="Scores in standard deviations from the mean normal score of the image's class.",
    source="Upper bound for CADA (arXiv 2404.00724), which has to guess these statistics",
)


@hookimpl
def adharness_normalizers() -> Iterator[NormalizerSpec]:
    """Yield `raw` and `zscore`."""
    yield RAW
    yield ZSCORE
