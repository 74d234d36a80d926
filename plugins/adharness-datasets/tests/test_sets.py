"""Every published set, read from a miniature of its exact layout."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

import adharness_datasets
from adharness import DataError, Dataset, DatasetSpec, DeclaredRegions
from adharness.data import make_split
from miniatures import MINIATURES, Miniature, mask, write

SPECS = {spec.name: spec for spec in adharness_datasets.SETS}
each = pytest.mark.parametrize("mini", MINIATURES, ids=lambda m: f"{m.use}-{m.image[:12]}")
paired = pytest.mark.parametrize(
    "mini", [m for m in MINIATURES if m.truth], ids=lambda m: f"{m.use}-{m.image[:12]}"
)
LISTED = ("real-iad", "dagm")
Build = Callable[[Miniature], Dataset]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def made(mini: Miniature) -> Dataset:
        return reader(mini, write(tmp_path / "set", mini.files()))

    return made


def reader(mini: Miniature, root: Path, **params: object) -> Dataset:
    spec = SPECS[mini.use]
    return spec.make(spec.params.model_validate({"root": root, **params}))


def refuses(dataset: Dataset, fact: str) -> str:
    with pytest.raises(DataError, match=fact) as caught:
        dataset.samples()
    return str(caught.value)


def test_the_plugin_is_found_and_each_record_says_where_its_data_comes_from() -> None:
    found = {e.name: e.value for e in entry_points(group="adharness")}
    assert found["datasets"] == "adharness_datasets"
    specs = list(adharness_datasets.adharness_datasets())
    assert {spec.name for spec in specs} == {m.use for m in MINIATURES} | {"elpv"}
    for spec in specs:
        assert isinstance(spec, DatasetSpec)
        assert spec.citation
        assert spec.url.startswith("http")
        assert spec.expected
        assert set(spec.expected.counts) <= set(spec.expected.classes)


def test_only_a_licence_that_allows_it_lets_a_page_show_pictures() -> None:
    shown = {n for n, spec in SPECS.items() if spec.make(spec.params()).licence.show_pixels}
    assert shown == {"visa"}


@pytest.mark.parametrize(
    ("use", "totals"),
    [
        ("mvtec-ad", (3629, 467, 1258, 0)),
        ("mvtec-ad-2", (2528, 379, 705, 302)),
        ("mvtec-loco", (1778, 575, 993, 305)),  # 1772 and 304 on the page; see its source
        ("mvtec-3d-ad", (2656, 249, 948, 294)),
        ("visa", (8659, 962, 1200, 0)),
        ("btad", (1799, 451, 290, 0)),
        ("mpdd", (888, 176, 282, 0)),
        ("kolektor-sdd", (278, 69, 52, 0)),
        ("kolektor-sdd2", (2085, 894, 110, 0)),
    ],
)
def test_the_expected_counts_add_up_to_the_published_totals(
    use: str, totals: tuple[int, ...]
) -> None:
    expected = SPECS[use].expected
    assert expected is not None
    assert set(expected.counts) == set(expected.classes)
    assert tuple(map(sum, zip(*expected.counts.values(), strict=True))) == totals


@each
def test_each_class_has_the_images_of_its_layout_and_no_other(
    mini: Miniature, build: Build
) -> None:
    dataset = build(mini)
    assert isinstance(dataset, Dataset)
    kinds = Counter(
        (s.class_name, s.portion if s.portion != "test" else "bad" if s.label else "good")
        for s in dataset.samples()
    )
    expected = SPECS[mini.use].expected
    assert expected is not None
    wanted = {(c, kind): n for c in expected.classes for kind, n in mini.counts.items() if n}
    assert dict(kinds) == wanted
    assert len({s.path for s in dataset.samples()}) == len(dataset.samples())


@each
def test_each_anomaly_has_the_mask_that_was_drawn_for_it_and_no_normal_has_one(
    mini: Miniature, build: Build
) -> None:
    dataset = build(mini)
    anomalous = [s for s in dataset.samples() if s.label]
    assert mini.image in {s.path for s in anomalous}
    for sample in anomalous[:12]:
        ground = dataset.mask(sample)
        assert ground is not None
        masks = ground.masks if isinstance(ground, DeclaredRegions) else [ground]
        assert int(np.any(masks, axis=0).sum()) == mini.area
        assert dataset.image(sample).shape == (6, 8, 3)
        assert dataset.fingerprint(sample).mask is not None
        assert sample.defect != "good"
    normal = next(s for s in dataset.samples() if not s.label)
    assert (normal.defect, normal.has_mask, dataset.mask(normal)) == ("good", False, None)


@each
def test_it_splits_by_holdout(mini: Miniature, build: Build) -> None:
    samples = build(mini).samples()
    if mini.use == "real-iad":  # one group of five views trains: none can be held out
        split = make_split(samples, policy="holdout", normal=0.0)
    else:
        split = make_split(samples, policy="holdout")
    assert split.train
    assert split.test


@each
def test_hidden_files_texts_and_strange_folders_change_nothing(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    before = build(mini).samples()
    folder = (tmp_path / "set" / mini.image).parent
    write(folder, {".hidden.png": mask(), "license.txt": b"", "Thumbs.db": b"x"})
    write(tmp_path / "set", {"license.txt": b"", "my_results/map.png": mask(), "a.png": mask()})
    assert reader(mini, tmp_path / "set").samples() == before


@paired
def test_a_copy_without_a_mask_is_refused_by_name(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset, lost = build(mini), tmp_path / "set" / mini.truth
    if lost.is_dir():
        shutil.rmtree(lost)
    else:
        lost.unlink()
    told = refuses(dataset, "has no mask|there is no file")
    assert mini.truth.removesuffix(lost.suffix) in told


@each
def test_a_copy_without_training_images_is_refused_by_name(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset = build(mini)
    if mini.training:
        shutil.rmtree(tmp_path / "set" / mini.training)
    else:
        for picture in (tmp_path / "set").rglob("*.jpg"):
            if str(picture) != str(tmp_path / "set" / mini.image):
                picture.unlink()
    told = refuses(dataset, "has no image in|there is no file")
    assert str(tmp_path / "set") in told


@each
def test_a_wrong_or_missing_root_says_what_to_give_and_where_it_comes_from(
    mini: Miniature, tmp_path: Path
) -> None:
    spec = SPECS[mini.use]
    assert isinstance(spec, DatasetSpec)
    told = refuses(spec.make(spec.params()), "none was given")
    assert spec.url in told
    assert "--data-root" in told
    assert str(tmp_path / "gone") in refuses(reader(mini, tmp_path / "gone"), "does not exist")
    (tmp_path / "empty").mkdir()
    assert str(tmp_path / "empty") in refuses(
        reader(mini, tmp_path / "empty"), "holds no|there is no list"
    )


@each
def test_a_class_under_another_name_is_missed_by_name(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset, expected = build(mini), SPECS[mini.use].expected
    assert expected is not None
    first = next((c for c in expected.classes if (tmp_path / "set" / c).is_dir()), None)
    if first is None:
        with pytest.raises(DataError, match="has no class 'nutt'"):
            reader(mini, tmp_path / "set", classes=["nutt"]).samples()
        return
    (tmp_path / "set" / first).rename(tmp_path / "set" / f"{first} copy")
    refuses(dataset, first)


@each
def test_an_image_that_is_a_link_out_of_the_root_is_refused(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset, image = build(mini), tmp_path / "set" / mini.image
    image.rename(tmp_path / "elsewhere")
    image.symlink_to(tmp_path / "elsewhere")
    assert str(image) in refuses(dataset, "leaves the root")


@each
def test_a_folder_that_is_a_link_out_of_the_root_is_refused(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset, folder = build(mini), (tmp_path / "set" / mini.image).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert str(folder) in refuses(dataset, "leaves the root")


@each
def test_an_image_or_folder_that_is_a_link_in_a_loop_is_refused(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset, image = build(mini), tmp_path / "set" / mini.image
    image.unlink()
    image.symlink_to(image)
    assert str(image) in refuses(dataset, "runs in a loop")
    shutil.rmtree(image.parent)
    image.parent.symlink_to(image.parent.parent)
    assert str(image.parent) in refuses(dataset, "runs in a loop")


@pytest.mark.parametrize(
    "mini",
    # The other sets have lists that name each file exactly.
    [m for m in MINIATURES if m.use not in LISTED and m.truth and "Data/" not in m.image],
    ids=lambda m: f"{m.use}-{m.image[:12]}",
)
def test_names_may_hold_spaces_and_any_letters_and_endings_any_case(
    mini: Miniature, build: Build, tmp_path: Path
) -> None:
    dataset, root = build(mini), tmp_path / "set"
    image, truth = root / mini.image, root / mini.truth
    shout = image.with_name(f"größe 7 x{image.suffix.upper()}")
    image.rename(shout)
    truth.rename(truth.with_name(truth.name.replace(image.stem, "größe 7 x")))
    sample = next(s for s in dataset.samples() if s.path.endswith(shout.name))
    ground = dataset.mask(sample)
    assert ground is not None


def test_a_class_alone_can_be_asked_for(tmp_path: Path) -> None:
    mini = next(m for m in MINIATURES if m.use == "mvtec-ad")
    files = {name: content for name, content in mini.files().items() if name.startswith("grid")}
    dataset = reader(mini, write(tmp_path, files), classes=["grid"])
    assert {s.class_name for s in dataset.samples()} == {"grid"}
    refuses(reader(mini, tmp_path), "14 of the 15 classes of 'mvtec-ad' are missing")
