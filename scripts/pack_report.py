"""Put a run's board into `reports/published/`, with the stored results that it is made from.

    python scripts/pack_report.py reports/quickstart [reports/solar-cells ...]

`results.tar.xz` holds what the report reads and no more: maps that no picture of the page needs are
left out, and of equal files one is kept. A test makes the board again from it.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from adharness.bundle.scrub import Scrubber
from adharness.report import write_report
from adharness.report.reading import read_run
from adharness.store.files import read_arrays, read_json, sha256_of, write_arrays, write_json
from adharness.store.representatives import representatives

HOME = Path(__file__).resolve().parents[1] / "reports" / "published"
ARCHIVE = "results.tar.xz"
BOARD = ("leaderboard.html", "leaderboard.json", "leaderboard.csv", "unification_gap.csv",
         "cross_class.csv")  # fmt: skip
LEFT_OUT = (".run.lock", "events.jsonl", *BOARD)
_UNUSED, _RAW = "maps.npz", "scores.npz"


def pack(run: Path, home: Path = HOME) -> Path:
    """Publish a run: its board made anew, and the archive of what it was made from."""
    place = home / run.name
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / run.name
        shutil.copytree(run, copy, ignore=lambda _, names: set(names) & set(LEFT_OUT))
        _scrubbed(copy)
        for cell in _maps_that_nobody_reads(copy):
            _without_maps(cell)
        for scoring in sorted((copy / "scorings").iterdir()):
            _only_neighbours(scoring)
        write_report(copy)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in BOARD:
            shutil.copyfile(copy / name, place / name)
            (copy / name).unlink()
        _archive(copy, place / ARCHIVE)
    return place


def unpack(place: Path, into: Path) -> Path:
    """Give the folder of the run that a published board was made from."""
    with tarfile.open(place / ARCHIVE) as archive:
        archive.extractall(into, filter="data")
    return into / place.name


def _maps_that_nobody_reads(folder: Path) -> list[Path]:
    """Cells other than those that the page draws: one setting a protocol, where pixels may be."""
    run, cells = read_run(folder)
    drawn: set[str] = set()
    for data in run.datasets:
        own = [cell for cell in cells if cell.dataset == data.name and data.show_pixels]
        drawn |= {cell.id for its in representatives(own).values() for cell in its}
    return [folder / "cells" / cell.id for cell in cells if cell.id not in drawn]


def _scrubbed(folder: Path) -> None:
    """Take the paths of this machine out of what is published, as bundles do."""
    told = read_json(folder / "run.json") | {"environment": {}}  # whose it was is nobody's concern
    write_json(folder / "run.json", Scrubber([Path.home()]).value(told, "run.json"))


def _without_maps(cell: Path) -> None:
    record = read_json(cell / "result.json")
    if record["files"].pop(_UNUSED, None):
        write_json(cell / "result.json", record)
        (cell / _UNUSED).unlink()


def _only_neighbours(scoring: Path) -> None:
    """Keep what the page tells of a fitted model, whose rows are nearest; its scores are unread."""
    kept = {name: v for name, v in read_arrays(scoring / _RAW).items() if name != "patches"}
    if "neighbours" not in kept:
        shutil.rmtree(scoring)
        return
    record = read_json(scoring / "result.json")
    record["files"][_RAW] = write_arrays(scoring / _RAW, kept)
    write_json(scoring / "result.json", record)


def _archive(folder: Path, target: Path) -> None:
    """Write the same bytes for the same files: sorted, without owners and dates."""
    first: dict[str, str] = {}
    with tarfile.open(target, "w:xz", preset=9, format=tarfile.PAX_FORMAT) as archive:
        for path in _files(folder):
            entry = tarfile.TarInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
            entry.mode, known = 0o644, first.setdefault(sha256_of(path), entry.name)
            if known != entry.name:
                entry.type, entry.linkname = tarfile.LNKTYPE, known
                archive.addfile(entry)
                continue
            content = path.read_bytes()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _files(folder: Path) -> Iterator[Path]:
    """Files by their names, so that those of a kind are neighbours: they are packed better so."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return iter(sorted(found, key=lambda path: (path.name, path.as_posix())))


def main() -> None:
    """Pack the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("runs", nargs="+", type=Path)
    for run in parser.parse_args().runs:
        place = pack(run)
        sizes = ", ".join(f"{p.name} {p.stat().st_size:,}" for p in sorted(place.iterdir()))
        print(f"{place}: {sizes}")


if __name__ == "__main__":
    main()
