"""KolektorSDD and KolektorSDD2: surfaces whose masks alone say which are defective."""

from __future__ import annotations

from pydantic import Field

from adharness import Counts, Expected
from adharness.data import Draw, FolderDataset, ImageRule, RootParams, TreeLayout
from adharness_datasets.published import NC_SA, About, published, record, source_of

_EXPECTED = Expected(("commutator",), {"commutator": Counts(278, 69, 52)})
_EXPECTED_2 = Expected(("surface",), {"surface": Counts(2085, 894, 110)})
_ABOUT = About(
    summary="KolektorSDD: electrical commutators; which normals train is drawn.",
    citation="Tabernik et al., Segmentation-based deep-learning approach for surface-defect "
    "detection, Journal of Intelligent Manufacturing 2019",
    url="https://www.vicos.si/resources/kolektorsdd/",
    folder="usually called KolektorSDD, with kos01/, kos02/, ... in it",
)


class KolektorParams(RootParams):
    """Parameters of `kolektor-sdd`."""

    train: float = Field(0.8, gt=0, lt=1, description="share of the normals that train")
    seed: int = Field(0, description="draws them")


def _make(params: KolektorParams) -> FolderDataset:
    # No `group`: each item has a defective part, so that no whole item could train.
    reader = TreeLayout(
        images=(ImageRule("kos{item}/{stem}", "train", "mask pixels"),),
        masks=("kos{item}/{stem}_label",),
        one_class="commutator",
        draw=Draw("kolektor-sdd", params.train, params.seed),
    )
    source = source_of("kolektor-sdd", _ABOUT, NC_SA, _EXPECTED, reader)
    return FolderDataset(params.root, source, params.classes)


KOLEKTOR_SDD = record("kolektor-sdd", _ABOUT, _EXPECTED, KolektorParams, _make)
KOLEKTOR_SDD2 = published(
    "kolektor-sdd2",
    About(
        summary="KolektorSDD2: one surface; defective training images are left out.",
        citation="Bozic et al., Mixed supervision for surface-defect detection: from weakly to "
        "fully supervised learning, Computers in Industry 2021",
        url="https://www.vicos.si/resources/kolektorsdd2/",
        folder="usually called KolektorSDD2, with train/ and test/ in it",
    ),
    NC_SA,
    _EXPECTED_2,
    TreeLayout(
        images=(
            ImageRule("{part=train}/{stem}", "train", "mask pixels"),
            ImageRule("{part=test}/{stem}", "test", "mask pixels"),
        ),
        masks=("{part}/{stem}_GT",),
        one_class="surface",
    ),
)
