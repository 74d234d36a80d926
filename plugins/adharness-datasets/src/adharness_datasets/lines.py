"""Sets from production lines in folders much like MVTec's: BTAD, MPDD and AutoVI."""

from __future__ import annotations

from dataclasses import replace

from adharness import Counts, Expected, Licence
from adharness.data import ImageRule, TreeLayout
from adharness_datasets.mvtec import WITH_MASKS
from adharness_datasets.published import NC_SA, About, published

BTAD_COUNTS = {
    "01": Counts(400, 21, 49),
    "02": Counts(399, 30, 200),
    "03": Counts(1000, 400, 41),
}
MPDD_COUNTS = {
    "bracket_black": Counts(289, 32, 47),
    "bracket_brown": Counts(185, 26, 51),
    "bracket_white": Counts(110, 30, 30),
    "connector": Counts(128, 30, 14),
    "metal_plate": Counts(54, 26, 71),
    "tubes": Counts(122, 32, 69),
}
# The other two classes, pipe_clip and pipe_staple, are counted differently by different sources.
AUTOVI_COUNTS = {
    "engine_wiring": Counts(285, 285, 322),
    "tank_screw": Counts(318, 318, 95),
    "underbody_pipes": Counts(161, 161, 184),
    "underbody_screw": Counts(373, 374, 18),
}

BTAD = published(
    "btad",
    About(
        summary="BTAD: three products of a line, with pixel masks.",
        citation="Mishra et al., VT-ADL: A Vision Transformer Network for Image Anomaly Detection "
        "and Localization, ISIE 2021",
        url="http://avires.dimi.uniud.it/papers/btad/btad.zip",
        folder="usually called BTech_Dataset_transformed, with 01/, 02/, 03/ in it",
    ),
    NC_SA,
    Expected(tuple(BTAD_COUNTS), BTAD_COUNTS),
    TreeLayout(
        images=(
            ImageRule("train/ok/{stem}", "train"),
            ImageRule("test/ok/{stem}", "test"),
            ImageRule("test/{defect=ko}/{stem}", "test", 1),
        ),
        masks=("ground_truth/{defect}/{stem}",),
    ),
)
MPDD = published(
    "mpdd",
    About(
        summary="MPDD: six kinds of painted metal parts, with pixel masks.",
        citation="Jezek et al., Deep learning-based defect detection of metal parts: evaluating "
        "current methods in complex conditions, ICUMT 2021",
        url="https://github.com/stepanje/MPDD",
        folder="usually called MPDD, with bracket_black/, ... in it",
    ),
    Licence("not stated by its owners; others say CC BY-NC-SA 4.0", show_pixels=False),
    Expected(tuple(MPDD_COUNTS), MPDD_COUNTS),
    WITH_MASKS,
)
AUTOVI = published(
    "autovi",
    About(
        summary="AutoVI: six inspections of a car's assembly line, regions declared.",
        citation="Carvalho et al., The Automotive Visual Inspection Dataset (AutoVI): A Genuine "
        "Industrial Production Dataset for Unsupervised Anomaly Detection, 2024",
        url="https://zenodo.org/records/10459003",
        folder="usually called AutoVI, with engine_wiring/, ... in it",
    ),
    NC_SA,
    Expected((*AUTOVI_COUNTS, "pipe_clip", "pipe_staple"), AUTOVI_COUNTS),
    replace(
        WITH_MASKS,
        masks=("ground_truth/{defect}/{stem}/*",),
        saturations="defects_config.json",
    ),
)
