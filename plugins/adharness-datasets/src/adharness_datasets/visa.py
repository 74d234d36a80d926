"""VisA: as it is downloaded, with its list of the split, or converted to folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adharness import Counts, Expected, Licence
from adharness.data import Found, Manifest, Reader, Tree, Wanted
from adharness_datasets.mvtec import WITH_MASKS
from adharness_datasets.published import About, published

COUNTS = {
    "candle": Counts(900, 100, 100),
    "capsules": Counts(542, 60, 100),
    "cashew": Counts(450, 50, 100),
    "chewinggum": Counts(453, 50, 100),
    "fryum": Counts(450, 50, 100),
    "macaroni1": Counts(900, 100, 100),
    "macaroni2": Counts(900, 100, 100),
    "pcb1": Counts(904, 100, 100),
    "pcb2": Counts(901, 100, 100),
    "pcb3": Counts(905, 101, 100),
    "pcb4": Counts(904, 101, 100),
    "pipe_fryum": Counts(450, 50, 100),
}


_RAW = Manifest("split_csv/1cls.csv", {"class": "object", "path": "image"})
_CONVERTED = replace(WITH_MASKS, masks=("ground_truth/{defect}/{stem}",))


@dataclass(frozen=True)
class VisaReader:
    """Reads whichever of the two layouts is there; both hold the one-class split, `1cls`."""

    raw: Reader = _RAW
    converted: Reader = _CONVERTED

    @property
    def drawing(self) -> str:
        """Both layouts."""
        return f"{self.raw.drawing}\nor, converted:\n{self.converted.drawing}"

    def read(self, tree: Tree, wanted: Wanted) -> Iterable[Found]:
        """Find the samples. Raises DataError as the layout's own reader does."""
        return self._there(tree, wanted).read(tree, wanted)

    def orphans(self, tree: Tree, wanted: Wanted) -> Iterable[str]:
        """Find the masks without an image, as the layout's own reader does."""
        return self._there(tree, wanted).orphans(tree, wanted)

    def _there(self, tree: Tree, wanted: Wanted) -> Reader:
        top = tree.listing("").folders
        classes = top & set(wanted.complete or ())
        raw = "split_csv" in top or any("Data" in tree.listing(name).folders for name in classes)
        return self.raw if raw else self.converted


VISA = published(
    "visa",
    About(
        summary="VisA: 12 objects with pixel masks, as downloaded or converted.",
        citation="Zou et al., SPot-the-Difference Self-Supervised Pre-training for Anomaly "
        "Detection and Segmentation, ECCV 2022",
        url="https://github.com/amazon-science/spot-diff",
        folder="called VisA with split_csv/, candle/, ... in it, or visa_pytorch/1cls",
    ),
    Licence("CC BY 4.0", show_pixels=True),
    Expected(tuple(COUNTS), COUNTS),
    VisaReader(),
)
