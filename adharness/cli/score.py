"""`adharness score`: what a saved method says of new images."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from PIL import Image

from adharness.cli import exit_codes, render
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER
from adharness.contracts import Extractor, FeatureGrid, LookupExtractor
from adharness.data.images import read_image
from adharness.data.loose import LooseImages, image_files
from adharness.engine.extract import extracted
from adharness.engine.extraction import make_extractor
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.saved import SavedJudge, Verdict, bound_component, open_judge
from adharness.errors import StoreError
from adharness.registry import Registry
from adharness.report.pictures import lay_over
from adharness.store.files import atomic, explained
from adharness.store.models import SavedMethod, read_method
from adharness.store.provenance import installed_versions


@dataclass(frozen=True)
class Judged:
    """One image: its verdict, or why there is none."""

    path: Path
    verdict: Verdict | None
    problem: str | None = None


@click.command()
@click.argument("saved", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--class", "class_name", help="Class of the images, where the protocol knows it.")
@click.option("--out", type=FOLDER, help="Folder for overlays and scores.csv.")
@click.option("--device", help="auto, cpu or cuda.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
@click.pass_context
def score(  # noqa: PLR0913 - one argument an option
    ctx: click.Context,
    saved: Path,
    images: tuple[Path, ...],
    class_name: str | None,
    out: Path | None,
    device: str | None,
    *,
    as_json: bool,
) -> None:
    """Score IMAGES, files or folders, with the method that `adharness save` wrote to SAVED.

    An image is anomalous where its score is above the threshold. Overlays show the anomaly map,
    with a white edge around the pixels above the pixel threshold.
    """
    registry = read_registry()
    record = read_method(saved)
    note_versions(record)
    paths = image_files(images)
    judge = open_judge(saved, record, class_name, registry)
    extractor = saved_extractor(record, registry, device)
    judged = []
    for number, one in enumerate(judge_images(judge, extractor, paths, record.stored_as)):
        judged.append(one)
        if out is not None and one.verdict is not None:
            write_overlay(out, number, one.path, one.verdict, judge)
    if out is not None:
        _write_csv(out / "scores.csv", judged)
    if as_json:
        render.print_json({"method": record.method, "images": [_facts(one) for one in judged]})
    else:
        _say(judged, out)
    if any(one.problem for one in judged):
        ctx.exit(exit_codes.CELLS_FAILED)


def note_versions(record: SavedMethod) -> None:
    """Say what has another version than when the method was saved: its last bits may differ."""
    now = installed_versions(record.versions)
    other = [f"{name} {old}, now {now.get(name, 'none')}" for name, old in record.versions.items()
             if now.get(name) != old]  # fmt: skip
    if other:
        render.print_note(f"saved with other versions, so scores may differ: {'; '.join(other)}")


def saved_extractor(record: SavedMethod, registry: Registry, device: str | None) -> Extractor:
    """Make the extractor of a saved method.

    Raises
    ------
    StoreError
        Its weights are not those of the run, or it only looks up features of known images.
    """
    settings = {"device": device} if device else {}
    extractor = make_extractor(bound_component(record.extractor, "extractor", registry, settings))
    if isinstance(extractor, LookupExtractor):
        raise StoreError(
            f"extractor '{record.extractor.use}' only looks up features that were made elsewhere",
            hint="run the suite with an extractor that sees pixels, and save that",
        )
    if extractor.fingerprint() != record.fingerprint:
        raise StoreError(
            f"the weights of extractor '{record.extractor.use}' are not those of the saved method",
            hint="give it the weights that the run had, or run and save again",
        )
    return extractor


def judge_images(
    judge: SavedJudge, extractor: Extractor, paths: Sequence[Path], stored_as: str = "float32"
) -> Iterator[Judged]:
    """Judge files in order, in batches as a run extracts them, so that scores agree to the bit."""
    dataset = LooseImages(paths)
    identity = {"use": "saved", "stored_as": stored_as}
    job = ExtractionJob(dataset, dataset.samples(), [], extractor, identity, "skip")
    seen = extractor.preprocess
    size, margins, pad = seen.seen_size, seen.margins, seen.pad
    for start, grid, batch in extracted(job):
        for i, native in enumerate(batch.sizes):
            path = paths[start + i]
            if i in batch.skipped:
                yield Judged(path, None, batch.skipped[i])
                continue
            sizes = {"native_size": native, "input_size": size}
            verdict = judge.verdict(_one(grid, i), **sizes, margins=margins, pad=pad)
            yield Judged(path, verdict)


def _one(grid: FeatureGrid, i: int) -> FeatureGrid:
    embeddings = None if grid.embeddings is None else grid.embeddings[i : i + 1]
    return FeatureGrid(grid.patches[i : i + 1], embeddings)


def write_overlay(
    folder: Path, number: int, path: Path, verdict: Verdict, judge: SavedJudge
) -> None:
    """Write the map over the image, at its own size; nothing where the scorer gives no map."""
    if verdict.map is None or judge.part.colours is None:
        return
    mask = None
    if verdict.flagged is not None:
        mask = Image.fromarray(verdict.flagged.astype(np.uint8) * 255)
    picture = Image.fromarray(read_image(path))
    drawn = lay_over(picture, verdict.map, judge.part.colours, mask)
    with atomic(folder / "overlays" / f"{number:04d}-{path.stem}.png") as file:
        drawn.save(file, format="PNG")


def _facts(one: Judged) -> dict[str, object]:
    if one.verdict is None:
        return {"image": str(one.path), "problem": one.problem}
    return {
        "image": str(one.path),
        "score": one.verdict.score,
        "threshold": one.verdict.threshold,
        "anomalous": one.verdict.anomalous,
    }


def _write_csv(path: Path, judged: Sequence[Judged]) -> None:
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            names = ["image", "score", "threshold", "anomalous", "problem"]
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(_facts(one) for one in judged)


def _row(one: Judged) -> render.Row:
    verdict = one.verdict
    if verdict is None:
        return render.Row([str(one.path), "", "", f"not read: {one.problem}"], bad=True)
    said = "anomalous" if verdict.anomalous else "normal"
    numbers = [f"{verdict.score:.4f}", f"{verdict.threshold:.4f}"]
    return render.Row([str(one.path), *numbers, said], bad=verdict.anomalous)


def _say(judged: Sequence[Judged], out: Path | None) -> None:
    render.print_table(["image", "score", "threshold", "verdict"], map(_row, judged))
    known = [one.verdict for one in judged if one.verdict]
    flagged = sum(v.anomalous for v in known)
    render.print_line(f"{flagged} of {len(known)} images are anomalous")
    if out is not None:
        render.print_line(f"overlays and scores.csv: {out}")
