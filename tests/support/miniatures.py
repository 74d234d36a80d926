"""Every published data set in miniature: its exact layout, with pictures of 8 x 6 pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

BOX, OTHER = 12, 6  # pixels that the two masks mark; they do not overlap
Files = dict[str, bytes]


def _words(text: str) -> list[str]:
    return text.split()


@cache
def picture(mode: str = "L", kind: str = "PNG", value: int = 90) -> bytes:
    """An image of one colour, encoded."""
    stream = BytesIO()
    Image.new("L", (8, 6), value).convert(mode).save(stream, kind)
    return stream.getvalue()


@cache
def mask(value: int = 255, kind: str = "PNG", *, other: bool = False) -> bytes:
    """A box of 4 x 3 pixels of this value, or the other box of 3 x 2; 0 makes an empty mask."""
    pixels = np.zeros((6, 8), np.uint8)
    pixels[(slice(4, 6), slice(5, 8)) if other else (slice(1, 4), slice(1, 5))] = value
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@dataclass(frozen=True)
class Miniature:
    """Files, and what a reader must find in each class.

    `image`, `truth`: an anomalous image and its mask, to be broken; `training`: a folder whose
    loss leaves a class without training images.
    """

    use: str
    files: Callable[[], Files]
    counts: Mapping[str, int] = field(
        default_factory=lambda: {"train": 2, "validation": 0, "good": 1, "bad": 1}
    )
    area: int = BOX
    image: str = ""
    truth: str = ""
    training: str = ""


VALIDATED = {"train": 2, "validation": 1, "good": 1, "bad": 1}
AD = _words("bottle cable capsule carpet grid hazelnut leather metal_nut pill screw tile "
            "toothbrush transistor wood zipper")  # fmt: skip
AD_2 = _words("can fabric fruit_jelly rice sheet_metal vial wallplugs walnuts")
LOCO = _words("breakfast_box juice_bottle pushpins screw_bag splicing_connectors")
THREE_D = _words("bagel cable_gland carrot cookie dowel foam peach potato rope tire")
VISA = _words("candle capsules cashew chewinggum fryum macaroni1 macaroni2 pcb1 pcb2 pcb3 pcb4 "
              "pipe_fryum")  # fmt: skip
MPDD = _words("bracket_black bracket_brown bracket_white connector metal_plate tubes")
AUTOVI = _words("engine_wiring pipe_clip pipe_staple tank_screw underbody_pipes underbody_screw")
REAL_IAD = _words(
    "audiojack bottle_cap button_battery end_cap eraser fire_hood mint mounts pcb phone_battery "
    "plastic_nut plastic_plug porcelain_doll regulator rolled_strip_base sim_card_set switch tape "
    "terminalblock toothbrush toy toy_brick transistor1 u_block usb usb_adaptor vcpill "
    "wooden_beads woodstick zipper"
)
SATURATIONS = json.dumps([
    {"defect_name": "scratch", "pixel_value": 255, "saturation_threshold": 0.5,
     "relative_saturation": True},
    {"defect_name": "missing", "pixel_value": 251, "saturation_threshold": 4,
     "relative_saturation": False},
]).encode()  # fmt: skip


def _mvtec(names: list[str], suffix: str = "_mask", defect: str = "crack") -> Files:
    files: Files = {"license.txt": b"free", "readme.txt": b"read me"}
    for name in names:
        files |= {
            f"{name}/license.txt": b"free",
            f"{name}/train/good/000.png": picture(),
            f"{name}/train/good/001.png": picture("RGB"),
            f"{name}/test/good/000.png": picture(),
            f"{name}/test/{defect}/000.png": picture(),
            f"{name}/ground_truth/{defect}/000{suffix}.png": mask(),
        }
    return files


def _ad_2() -> Files:
    files: Files = {}
    for name in AD_2:
        files |= {
            f"{name}/train/good/000_regular.png": picture(),
            f"{name}/train/good/001_regular.png": picture(),
            f"{name}/validation/good/000_regular.png": picture(),
            f"{name}/test_public/good/000_regular.png": picture(),
            f"{name}/test_public/bad/000_shift_1.png": picture(),
            f"{name}/test_public/ground_truth/bad/000_shift_1_mask.png": mask(),
            f"{name}/test_private/000_regular.png": picture(),
            f"{name}/test_private_mixed/000_mixed.png": picture(),
        }
    return files


def _regions(names: list[str], defect: str, *, validation: bool) -> Files:
    files = {k: v for k, v in _mvtec(names, defect=defect).items() if "_mask" not in k}
    for name in names:
        files |= {
            f"{name}/defects_config.json": SATURATIONS,
            f"{name}/ground_truth/{defect}/000/000.png": mask(255),
            f"{name}/ground_truth/{defect}/000/001.png": mask(251, other=True),
        }
        if validation:
            files[f"{name}/validation/good/000.png"] = picture()
    return files


def _three_d() -> Files:
    files: Files = {}
    for name in THREE_D:
        for place in ("train/good", "validation/good", "test/good", "test/hole"):
            files |= {
                f"{name}/{place}/rgb/000.png": picture("RGB"),
                f"{name}/{place}/xyz/000.tiff": b"no picture: never opened",
            }
        files |= {
            f"{name}/train/good/rgb/001.png": picture("RGB"),
            f"{name}/test/good/gt/000.png": mask(0),
            f"{name}/test/hole/gt/000.png": mask(),
        }
    return files


def _visa_raw() -> Files:
    lines, files = ["object,split,label,image,mask"], {}
    for name in VISA:
        images, truth = f"{name}/Data/Images", f"{name}/Data/Masks/Anomaly/000.png"
        lines += [f"{name},train,normal,{images}/Normal/{i:04d}.JPG," for i in range(2)]
        lines += [f"{name},test,normal,{images}/Normal/0002.JPG,"]
        lines += [f"{name},test,anomaly,{images}/Anomaly/000.JPG,{truth}"]
        files |= {f"{images}/Normal/{i:04d}.JPG": picture("RGB", "JPEG") for i in range(3)}
        files |= {f"{images}/Anomaly/000.JPG": picture("RGB", "JPEG"), truth: mask(3)}
        files[f"{name}/image_anno.csv"] = b"image,label,mask\n"
    return files | {"split_csv/1cls.csv": "\n".join(lines).encode()}


def _btad() -> Files:
    files: Files = {}
    for name, ending in (("01", "bmp"), ("02", "png"), ("03", "bmp")):
        kind, truth = ending.upper(), "bmp" if name == "03" else "png"
        files |= {
            f"{name}/train/ok/0000.{ending}": picture("RGB", kind),
            f"{name}/train/ok/0001.{ending}": picture("RGB", kind),
            f"{name}/test/ok/0000.{ending}": picture("RGB", kind),
            # The sorted lists of images and of masks would pair wrongly: 0003 has no image.
            f"{name}/test/ko/0005.{ending}": picture("RGB", kind),
            f"{name}/ground_truth/ko/0003.{truth}": mask(other=True, kind=truth.upper()),
            f"{name}/ground_truth/ko/0005.{truth}": mask(kind=truth.upper()),
        }
    return files


def _real_iad() -> Files:
    files: Files = {}
    for name in REAL_IAD:
        content: dict[str, object] = {"meta": {"normal_class": "OK", "prefix": f"{name}/"}}
        for portion, place, defect in (
            ("train", "OK/S0001", "OK"), ("test", "OK/S0002", "OK"), ("test", "NG/HS/S0003", "HS")
        ):  # fmt: skip
            entries = content.setdefault(portion, [])
            assert isinstance(entries, list)
            for view in range(1, 6):
                stem = f"{place}/{name}_{place[-4:]}_{defect}_C{view}_2023"
                image, truth = f"{stem}.jpg", f"{stem}.png" if defect != "OK" else None
                files[f"realiad_1024/{name}/{image}"] = picture("RGB", "JPEG")
                if truth:
                    files[f"realiad_1024/{name}/{truth}"] = mask()
                entries.append({
                    "category": name, "anomaly_class": defect, "image_path": image,
                    "mask_path": truth,
                })  # fmt: skip
        files[f"realiad_jsons/realiad_jsons/{name}.json"] = json.dumps(content).encode()
    return files


def _kolektor() -> Files:
    files: Files = {}
    for item in range(1, 6):
        for part in range(2):
            defective = part == 1 and item == 5
            files |= {
                f"kos{item:02d}/Part{part}.jpg": picture(kind="JPEG"),
                f"kos{item:02d}/Part{part}_label.bmp": mask(255 if defective else 0, "BMP"),
            }
    return files


def _kolektor_2() -> Files:
    files: Files = {}
    for part, first in (("train", 10000), ("test", 20000)):
        for i in range(3 if part == "train" else 2):
            bad = i == 0
            files |= {
                f"{part}/{first + i}.png": picture("RGB"),
                f"{part}/{first + i}_GT.png": mask(255 if bad else 0),
            }
    return files


def _dagm() -> Files:
    files: Files = {}
    for name in [f"Class{i}" for i in range(1, 11)]:
        for part, count in (("Train", 3), ("Test", 2)):
            files |= {f"{name}/{part}/{i:04d}.PNG": picture() for i in range(count)}
            files |= {
                f"{name}/{part}/Label/0000_label.PNG": mask(),
                f"{name}/{part}/Label/Labels.txt": b"1\n1\t1\t0000.PNG\t1\t0000_label.PNG\n"
                b"2\t0\t0001.PNG\t0\t0\n",
            }
    return files


MINIATURES = (
    Miniature("mvtec-ad", lambda: _mvtec(AD), image="grid/test/crack/000.png",
              truth="grid/ground_truth/crack/000_mask.png", training="grid/train/good"),
    Miniature("mvtec-ad-2", _ad_2, VALIDATED, image="can/test_public/bad/000_shift_1.png",
              truth="can/test_public/ground_truth/bad/000_shift_1_mask.png",
              training="can/train/good"),
    Miniature("mvtec-loco", lambda: _regions(LOCO, "logical_anomalies", validation=True),
              VALIDATED, BOX + OTHER, image="pushpins/test/logical_anomalies/000.png",
              truth="pushpins/ground_truth/logical_anomalies/000", training="pushpins/train/good"),
    Miniature("mvtec-3d-ad", _three_d, VALIDATED, image="rope/test/hole/rgb/000.png",
              truth="rope/test/hole/gt/000.png", training="rope/train/good/rgb"),
    Miniature("visa", _visa_raw, image="pcb1/Data/Images/Anomaly/000.JPG",
              truth="pcb1/Data/Masks/Anomaly/000.png", training="pcb1/Data/Images/Normal"),
    Miniature("visa", lambda: _mvtec(VISA, "", "bad"), image="pcb1/test/bad/000.png",
              truth="pcb1/ground_truth/bad/000.png", training="pcb1/train/good"),
    Miniature("btad", _btad, image="03/test/ko/0005.bmp", truth="03/ground_truth/ko/0005.bmp",
              training="03/train/ok"),
    Miniature("mpdd", lambda: _mvtec(MPDD), image="tubes/test/crack/000.png",
              truth="tubes/ground_truth/crack/000_mask.png", training="tubes/train/good"),
    Miniature("real-iad", _real_iad, {"train": 5, "validation": 0, "good": 5, "bad": 5},
              image="realiad_1024/pcb/NG/HS/S0003/pcb_0003_HS_C3_2023.jpg",
              truth="realiad_1024/pcb/NG/HS/S0003/pcb_0003_HS_C3_2023.png",
              training="realiad_1024/pcb/OK/S0001"),
    Miniature("kolektor-sdd", _kolektor, {"train": 7, "validation": 0, "good": 2, "bad": 1},
              image="kos05/Part1.jpg", truth="", training=""),
    Miniature("kolektor-sdd2", _kolektor_2, image="test/20000.png", truth="", training="train"),
    Miniature("dagm", _dagm, image="Class7/Test/0000.PNG", truth="Class7/Test/Label/0000_label.PNG",
              training="Class7/Train"),
    Miniature("autovi", lambda: _regions(AUTOVI, "structural_anomalies", validation=False),
              area=BOX + OTHER, image="pipe_clip/test/structural_anomalies/000.png",
              truth="pipe_clip/ground_truth/structural_anomalies/000",
              training="pipe_clip/train/good"),
)  # fmt: skip
