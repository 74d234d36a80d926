"""Two sources that judged one data set must agree on what is anomalous."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.bundle.naming import DataNames
from adharness.bundle.rerun import truth_of
from adharness.bundle.sources import Source
from adharness.errors import StoreError


def check_truths(sources: Sequence[Source], data: DataNames) -> None:
    """Compare class and label of every test image over all sources.

    Raises
    ------
    StoreError
        Two sources differ, though they say that they judged the same data: one is wrong. Own runs
        come first, so a bundle is refused by what was read here.
    """
    known: dict[tuple[str, str], tuple[tuple[str, int], Source]] = {}
    for source in sources:
        for cell in source.cells:
            shown, _ = data[source.key, cell.dataset]
            for sample, truth in truth_of(source.scores(cell)).items():
                before, by = known.setdefault((shown, sample), (truth, source))
                if before != truth:
                    told = f"{truth[0]}, label {truth[1]}"
                    other = f"{before[0]}, label {before[1]}"
                    raise StoreError(
                        f"the image {sample[:80]!r} of {shown} is {told} here, and {other} in "
                        f"{by.path}, though both tell one fingerprint of the data",
                        where=str(source.path),
                        hint="leave out the one that you do not trust",
                    )
