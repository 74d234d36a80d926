"""What the files of precomputed features may hold, and how each mistake in them is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness import DataError, ImageName, Preprocess
from adharness.exchange.feature_files import write_table
from adharness.exchange.precomputed import Precomputed, PrecomputedParams

PATHS = [f"nut/train/good/{i:03d}.png" for i in range(6)]


def table(seed: int = 0, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    made = {
        "patches": rng.normal(size=(6, 12, 5)).astype(np.float32),
        "cls": rng.normal(size=(6, 5)).astype(np.float32),
        "patch_hw": np.array([3, 4]),
        "input_hw": np.array([24, 32]),
    }
    return made | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_class(tmp_path, "bolt")
    write_class(tmp_path, "nut")
    return tmp_path


def write_class(folder: Path, name: str, **more: Any) -> None:
    rows = [(path.replace("nut", name), 30, 40) for path in PATHS]
    write_table(folder / f"{name}_px.npz", folder / f"{name}_meta.csv", table(**more), rows)


def reader(folder: Path, **params: Any) -> Precomputed:
    return Precomputed(PrecomputedParams(root=folder, features="{cat}_px.npz", **params))


def nut(path: str = PATHS[0]) -> ImageName:
    return ImageName(path, "nut")


def test_a_row_is_found_and_its_patches_go_row_by_row(folder):
    found = reader(folder).look_up(nut(PATHS[2]))
    assert found.patches.tobytes() == table()["patches"][2].reshape(1, 3, 4, 5).tobytes()
    assert found.embeddings.tobytes() == table()["cls"][2:3].tobytes()


@pytest.mark.parametrize(
    "written",
    ["/mnt/x y/mvtec/nut/train/good/000.png", r"C:\\mvtec\\nut\\train\\good\\000.png",
     "./nut/train/good/000.png"],
)  # fmt: skip
def test_a_path_may_begin_anywhere_above_the_root(folder, written):
    meta = folder / "nut_meta.csv"
    meta.write_text(meta.read_text().replace(PATHS[0], written.replace("\\\\", "\\")))
    assert reader(folder).look_up(nut()).patches.shape == (1, 3, 4, 5)


def test_the_input_is_what_the_file_says_or_patches_times_their_side(folder):
    assert reader(folder).preprocess == Preprocess(24, 32)
    write_class(folder, "bolt", resize_hw=np.array([27, 32]))
    assert reader(folder).preprocess == Preprocess(27, 32, crop=(24, 32))
    assert reader(folder, patch_px=8).preprocess.input_size == (24, 32)
    with pytest.raises(DataError, match=r"says inputs of \(24, 32\) px, patch_px says \(48, 64\)"):
        _ = reader(folder, patch_px=16).preprocess
    bare = {k: v for k, v in table().items() if k != "input_hw"}
    np.savez(folder / "bolt_px.npz", **bare)
    with pytest.raises(DataError, match="does not say how large") as told:
        _ = reader(folder).preprocess
    assert "patch_px" in told.value.hint
    assert reader(folder, patch_px=14).preprocess == Preprocess(42, 56)


def test_the_fingerprint_is_of_the_contents_and_not_of_the_place(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("moved")
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    assert reader(folder).fingerprint() == reader(other).fingerprint()
    write_class(other, "nut", seed=1)
    assert reader(folder).fingerprint() != reader(other).fingerprint()


def test_a_template_names_the_class_once():
    with pytest.raises(ValueError, match="features"):
        PrecomputedParams(root=Path(), features="all.npz")


def changed(**arrays: Callable[[Any], Any]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        held = table()
        turned = {name: turn(held[name]) for name, turn in arrays.items()}
        left = {name: value for name, value in (held | turned).items() if value is not None}
        np.savez(folder / "nut_px.npz", **left)

    return change


def rewritten(turn: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        meta = folder / "nut_meta.csv"
        meta.write_text("\n".join(turn(meta.read_text().splitlines())) + "\n")

    return change


def with_nan(patches: Any) -> Any:
    patches[5, 2, 0] = np.nan
    return patches


def one_array(folder: Path) -> None:
    with (folder / "nut_px.npz").open("wb") as file:
        np.save(file, np.zeros(3))


def cut_off(folder: Path) -> None:
    file = folder / "nut_px.npz"
    file.write_bytes(file.read_bytes()[:900])


def bent(folder: Path) -> None:
    file = folder / "nut_px.npz"
    held = bytearray(file.read_bytes())
    held[700] ^= 255
    file.write_bytes(held)


MISTAKES: dict[str, tuple[Callable[[Path], None], str]] = {
    "fewer features": (changed(patches=lambda p: p[:-1]),
                       "patches of nut_px.npz has 5 rows, nut_meta.csv has 6"),
    "fewer embeddings": (changed(cls=lambda p: p[:-1]), "cls of nut_px.npz has 5 rows"),
    "wrong patch_hw": (changed(patch_hw=lambda p: p + 1),
                       "nut_px.npz has 12 patches an image, its patch_hw 4 x 5 makes 20"),
    "patch_hw of one": (changed(patch_hw=lambda p: p[:1]), "not a height and a width"),
    "patch_hw of floats": (changed(patch_hw=lambda p: p * 1.0), "not a height and a width"),
    "no patches": (changed(patches=lambda p: None), "nut_px.npz has no array 'patches'"),
    "patches of an axis too few": (changed(patches=lambda p: p[0]), "expected"),
    "nan": (changed(patches=with_nan),
            "row 5, line 7 of nut_meta.csv, nut/train/good/005.png"),
    "too large for float32": (changed(cls=lambda p: p.astype(float) + 1e300),
                              "cls of nut_px.npz hold a value that is not finite: row 0"),
    "objects": (changed(patches=lambda p: np.array([{}], dtype=object)),
                "cannot read nut_px.npz"),
    "integers": (changed(patches=lambda p: p.astype(int)), "are int64, not floats"),
    "another grid": (changed(patches=lambda p: p[:, :6], patch_hw=lambda p: np.array([3, 2])),
                     "nut_px.npz and bolt_px.npz differ"),
    "a missing image": (rewritten(lambda s: [s[0], s[1].replace(".png", ".bmp"), *s[2:]]),
                        "no row of nut_meta.csv is of nut/train/good/000.png"),
    "an image twice": (rewritten(lambda s: [*s[:2], s[1], *s[3:]]),
                       "lines 2, 3 of nut_meta.csv are all of nut/train/good/000.png"),
    "no column": (rewritten(lambda s: ["file", *s[1:]]), "nut_meta.csv has no column 'path'"),
    "an empty path": (rewritten(lambda s: [*s[:4], ",1,1", *s[5:]]), "line 5 of nut_meta.csv"),
    "an empty csv": (lambda f: (f / "nut_meta.csv").write_text(""), "no column 'path'"),
    "a csv in no text": (lambda f: (f / "nut_meta.csv").write_bytes(b"path\n\xff"),
                         "cannot read nut_meta.csv"),
    "a csv with a hole": (lambda f: (f / "nut_meta.csv").write_bytes(b'path\n"' + b"x" * 200000),
                          "line 2 of nut_meta.csv"),
    "no csv": (lambda f: (f / "nut_meta.csv").unlink(), "cannot read nut_meta.csv"),
    "no npz": (lambda f: (f / "nut_px.npz").unlink(), "there is no nut_px.npz for class 'nut'"),
    "cut off": (cut_off, "cannot read nut_px.npz"),
    "bent": (bent, "cannot read nut_px.npz"),
    "one array": (one_array, "it is one array, not an npz"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_file_is_told_with_the_file_and_the_row(folder, mistake):
    change, said = MISTAKES[mistake]
    change(folder)
    with pytest.raises(DataError) as told:
        reader(folder).look_up(nut())
    assert said in told.value.message
    assert str(folder) in told.value.where


def test_a_folder_without_files_says_what_it_holds(folder):
    with pytest.raises(DataError, match="no file is called") as told:
        _ = Precomputed(PrecomputedParams(root=folder)).preprocess
    assert "bolt_px.npz" in told.value.hint
    with pytest.raises(DataError, match="no file is called"):
        _ = Precomputed(PrecomputedParams(root=folder / "nowhere")).preprocess


def test_a_bank_is_asked_only_for_what_the_features_lack(folder):
    meta = folder / "nut_meta.csv"
    whole = meta.read_text().splitlines()
    write_table(
        folder / "nut_bank.npz",
        folder / "nut_bank_meta.csv",
        table(seed=1),
        [(path.replace("train", "bank") if i else path, 30, 40) for i, path in enumerate(PATHS)],
    )
    stored = reader(folder, bank="{cat}_bank.npz")
    assert stored.look_up(nut()).patches[0, 0, 0, 0] == table()["patches"][0, 0, 0]
    from_bank = stored.look_up(nut("nut/bank/good/001.png"))
    assert from_bank.patches[0, 0, 0, 0] == table(seed=1)["patches"][1, 0, 0]
    assert len(whole) == 7
    with pytest.raises(DataError, match=r"nut_meta.csv or nut_bank_meta.csv is of nut/x.png"):
        stored.look_up(nut("nut/x.png"))
