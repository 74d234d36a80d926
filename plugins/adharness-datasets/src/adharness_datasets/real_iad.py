"""Real-IAD: 30 objects, each sample seen in five views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from adharness import DataError, Expected, Sample
from adharness.data import FolderDataset, Found, RootParams, Tree, Wanted, read_json
from adharness_datasets.published import NC_SA, About, record, source_of

CLASSES = (
    "audiojack", "bottle_cap", "button_battery", "end_cap", "eraser", "fire_hood", "mint", "mounts",
    "pcb", "phone_battery", "plastic_nut", "plastic_plug", "porcelain_doll", "regulator",
    "rolled_strip_base", "sim_card_set", "switch", "tape", "terminalblock", "toothbrush", "toy",
    "toy_brick", "transistor1", "u_block", "usb", "usb_adaptor", "vcpill", "wooden_beads",
    "woodstick", "zipper",
)  # fmt: skip
_SHAPE = "an entry is {category, anomaly_class, image_path, mask_path}"
_EXPECTED = Expected(CLASSES)
_ABOUT = About(
    summary="Real-IAD: 30 objects in five views with pixel masks; views share a group.",
    citation="Wang et al., Real-IAD: A Real-World Multi-View Dataset for Benchmarking Versatile "
    "Industrial Anomaly Detection, CVPR 2024",
    url="https://realiad4ad.github.io/Real-IAD/",
    folder="with realiad_1024/ and realiad_jsons/ in it",
)


class RealIadParams(RootParams):
    """Parameters of `real-iad`."""

    resolution: Literal["256", "512", "1024", "raw"] = Field(
        "1024", description="which copy of the images: the folder realiad_<resolution>"
    )
    views: Literal["all", "single"] = Field(
        "all", description="the split over all five views, or the single-view split"
    )


@dataclass(frozen=True)
class RealIadReader:
    """Reads a JSON file a class; `images` and `lists` are folders of the root."""

    images: str
    lists: str

    @property
    def drawing(self) -> str:
        """The lists and what they name."""
        return (
            f"<root>/{self.lists}/<class>.json\n"
            f"<root>/{self.images}/<class>/OK/S0001/<image>.jpg\n"
            f"<root>/{self.images}/<class>/NG/<defect>/S0001/<image>.jpg and <mask>.png"
        )

    def read(self, tree: Tree, wanted: Wanted) -> Iterator[Found]:
        """Find the samples, by class, portion and sample; a group is the views of one sample.

        Raises
        ------
        DataError
            Where a list is missing or broken, or names a file that is missing or outside the root.
        """
        files = tree.listing(self.lists).files
        names = [name.removesuffix(".json") for name in files if name.endswith(".json")]
        if not names:
            raise DataError(
                f"there is no list of a class in {tree.root / self.lists}",
                hint=f"the layout:\n{self.drawing}",
                where=str(tree.root / self.lists),
            )
        for name in wanted.choose(names, tree.root):
            yield from self._class(tree, name)

    def orphans(self, tree: Tree, wanted: Wanted) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: the lists name every mask."""
        return ()

    def _class(self, tree: Tree, name: str) -> Iterator[Found]:
        listed = tree.file(f"{self.lists}/{name}.json", where=str(tree.root))
        where = str(tree.root / listed)
        content = read_json(tree.root / listed)
        try:
            prefix = f"{self.images}/{content['meta']['prefix']}"
            entries = [(portion, content[portion]) for portion in ("train", "test")]
            for portion, of_portion in entries:
                for number, entry in enumerate(of_portion):
                    yield _found(
                        tree, entry, (name, portion, prefix), f"{where}:{portion}[{number}]"
                    )
        except (KeyError, TypeError, AttributeError) as error:
            fact = f"the list of {name!r} lacks or misplaces {error}"
            raise DataError(fact, hint=_SHAPE, where=where) from error


def _found(tree: Tree, entry: Mapping[str, Any], place: tuple[str, Any, str], where: str) -> Found:
    class_name, portion, prefix = place
    defect, image, mask = entry["anomaly_class"], entry["image_path"], entry.get("mask_path")
    if defect != "OK" and portion == "train":
        raise DataError("an anomalous image among those that train", where=where)
    masks = (tree.file(f"{prefix}/{mask}", where=where),) if mask and defect != "OK" else ()
    sample = Sample(
        path=tree.file(f"{prefix}/{image}", where=where),
        class_name=class_name,
        portion=portion,
        label=0 if defect == "OK" else 1,
        defect="good" if defect == "OK" else defect,
        has_mask=bool(masks),
        group=image.rpartition("/")[0] or None,
    )
    return Found(sample, masks)


def _make(params: RealIadParams) -> FolderDataset:
    lists = "realiad_jsons" if params.views == "all" else "realiad_jsons_sv"
    reader = RealIadReader(f"realiad_{params.resolution}", f"realiad_jsons/{lists}")
    source = source_of("real-iad", _ABOUT, NC_SA, _EXPECTED, reader)
    return FolderDataset(params.root, source, params.classes)


REAL_IAD = record("real-iad", _ABOUT, _EXPECTED, RealIadParams, _make)
