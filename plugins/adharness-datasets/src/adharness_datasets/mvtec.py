"""The four sets of MVTec: AD, AD 2, LOCO AD, and the colour images of 3D-AD."""

from __future__ import annotations

from dataclasses import replace

from adharness import Counts, Expected
from adharness.data import MVTEC, ImageRule, TreeLayout
from adharness_datasets.published import NC_SA, About, published

_PAGE = "https://www.mvtec.com/company/research/datasets/"
# Masks come with the published sets: a class that lacks them all is a copy that stopped.
WITH_MASKS = replace(MVTEC, optional_masks=False)

AD_COUNTS = {
    "bottle": Counts(209, 20, 63),
    "cable": Counts(224, 58, 92),
    "capsule": Counts(219, 23, 109),
    "carpet": Counts(280, 28, 89),
    "grid": Counts(264, 21, 57),
    "hazelnut": Counts(391, 40, 70),
    "leather": Counts(245, 32, 92),
    "metal_nut": Counts(220, 22, 93),
    "pill": Counts(267, 26, 141),
    "screw": Counts(320, 41, 119),
    "tile": Counts(230, 33, 84),
    "toothbrush": Counts(60, 12, 30),
    "transistor": Counts(213, 60, 40),
    "wood": Counts(247, 19, 60),
    "zipper": Counts(240, 32, 119),
}
AD_2_COUNTS = {
    "can": Counts(412, 72, 90, 46),
    "fabric": Counts(387, 66, 90, 43),
    "fruit_jelly": Counts(263, 20, 60, 37),
    "rice": Counts(313, 42, 90, 35),
    "sheet_metal": Counts(137, 24, 90, 19),
    "vial": Counts(291, 35, 105, 41),
    "wallplugs": Counts(293, 60, 90, 33),
    "walnuts": Counts(432, 60, 90, 48),
}
LOCO_COUNTS = {
    "breakfast_box": Counts(351, 102, 173, 62),
    "juice_bottle": Counts(335, 94, 236, 54),
    "pushpins": Counts(372, 138, 172, 69),
    "screw_bag": Counts(360, 122, 219, 60),
    # The archive holds 360 and 60; the table on MVTec's page says 354 and 59.
    "splicing_connectors": Counts(360, 119, 193, 60),
}
THREE_D_COUNTS = {
    "bagel": Counts(244, 22, 88, 22),
    "cable_gland": Counts(223, 21, 87, 23),
    "carrot": Counts(286, 27, 132, 29),
    "cookie": Counts(210, 28, 103, 22),
    "dowel": Counts(288, 26, 104, 34),
    "foam": Counts(236, 20, 80, 27),
    "peach": Counts(361, 26, 106, 42),
    "potato": Counts(300, 22, 92, 33),
    "rope": Counts(298, 32, 69, 33),
    "tire": Counts(210, 25, 87, 29),
}

MVTEC_AD = published(
    "mvtec-ad",
    About(
        summary="MVTec AD: 15 objects and textures with pixel masks, from your own copy.",
        citation="Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021",
        url=f"{_PAGE}mvtec-ad",
        folder="usually called mvtec_ad or mvtec_anomaly_detection, with bottle/, ... in it",
    ),
    NC_SA,
    Expected(tuple(AD_COUNTS), AD_COUNTS),
    WITH_MASKS,
)
MVTEC_AD_2 = published(
    "mvtec-ad-2",
    About(
        summary="MVTec AD 2: 8 objects under changing light; the public test part.",
        citation="Heckler-Kram et al., The MVTec AD 2 Dataset: Advanced Scenarios for "
        "Unsupervised Anomaly Detection, arXiv 2503.21622, 2025",
        url=f"{_PAGE}mvtec-ad-2",
        folder="usually called mvtec_ad_2, with can/, fabric/, ... in it",
    ),
    NC_SA,
    Expected(tuple(AD_2_COUNTS), AD_2_COUNTS),
    TreeLayout(
        images=(
            ImageRule("train/good/{stem}", "train"),
            ImageRule("validation/good/{stem}", "validation"),
            ImageRule("test_public/good/{stem}", "test"),
            ImageRule("test_public/{defect}/{stem}", "test", 1),
        ),
        masks=("test_public/ground_truth/{defect}/{stem}_mask",),
    ),
)
MVTEC_LOCO = published(
    "mvtec-loco",
    About(
        summary="MVTec LOCO AD: 5 scenes with structural and logical anomalies, regions declared.",
        citation="Bergmann et al., Beyond Dents and Scratches: Logical Constraints in Unsupervised "
        "Anomaly Detection and Localization, IJCV 2022",
        url=f"{_PAGE}mvtec-loco",
        folder="usually called mvtec_loco_anomaly_detection, with breakfast_box/, ... in it",
    ),
    NC_SA,
    Expected(tuple(LOCO_COUNTS), LOCO_COUNTS),
    replace(
        WITH_MASKS,
        masks=("ground_truth/{defect}/{stem}/*",),
        saturations="defects_config.json",
    ),
)
MVTEC_3D_AD = published(
    "mvtec-3d-ad",
    About(
        summary="MVTec 3D-AD: 10 objects, the colour images without the depth.",
        citation="Bergmann et al., The MVTec 3D-AD Dataset for Unsupervised 3D Anomaly Detection "
        "and Localization, VISAPP 2022",
        url=f"{_PAGE}mvtec-3d-ad",
        folder="usually called mvtec_3d_anomaly_detection, with bagel/, cable_gland/, ... in it",
    ),
    NC_SA,
    Expected(tuple(THREE_D_COUNTS), THREE_D_COUNTS),
    TreeLayout(
        images=(
            ImageRule("train/good/rgb/{stem}", "train"),
            ImageRule("validation/good/rgb/{stem}", "validation"),
            ImageRule("test/{defect=good}/rgb/{stem}", "test"),
            ImageRule("test/{defect}/rgb/{stem}", "test", 1),
        ),
        masks=("test/{defect}/gt/{stem}",),
    ),
)
