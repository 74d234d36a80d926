"""`feed.json`: a JSON Feed 1.1 that readers can subscribe to, with every row for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from adharness.report.formats import listed
from adharness.report.headings import protocol_title
from adharness.report.site_history import headline_told
from adharness.report.site_records import PAGE, SiteRun
from adharness.report.site_view import method_url, winners_of

SCHEMA = 1
_ROW = ("dataset", "protocol", "method", "normalizer", "thresholder", "class_name", "metric",
        "value", "low", "high", "seeds", "rank", "of", "caution", "origin", "judged", "settings",
        "versions")  # fmt: skip


def feed(title: str, base_url: str, runs: Sequence[SiteRun]) -> str:
    """Write the feed, newest run first.

    Parameters
    ----------
    base_url
        What stands before the links, ending in `/`; empty for links relative to the feed.
    runs
        Oldest first.

    References
    ----------
    JSON Feed version 1.1, https://www.jsonfeed.org/version/1.1/. What begins with `_` is an
    extension there: `_adharness` holds the rows.
    """
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        **({"home_page_url": base_url, "feed_url": f"{base_url}feed.json"} if base_url else {}),
        "items": [_item(run, base_url) for run in reversed(runs)],
        "_adharness": {
            "schema": SCHEMA,
            "methods": {row.method: base_url + method_url(row.method)
                        for run in runs for row in run.rows},
        },
    }  # fmt: skip
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _item(run: SiteRun, base_url: str) -> dict[str, Any]:
    place = base_url + run.place
    return {
        "id": f"{run.suite}/{run.id}",
        "url": f"{place}/{PAGE}",
        "title": f"{run.suite}, {run.started[:10]}",
        "content_text": _told(run),
        "date_published": run.started,
        "tags": [run.suite, *(data.name for data in run.datasets)],
        "_adharness": {
            "run": run.id,
            "suite": run.suite,
            "started": run.started,
            "adharness": run.version,
            "commit": run.commit,
            "cells": run.cells,
            "failed": run.failed,
            "files": {name: f"{place}/{name}" for name in sorted(run.files)},
            "judged": {
                key: {name: one.told for name, one in under.items()}
                for key, under in sorted(run.judged.items())
            },
            "rows": [
                {("class" if key == "class_name" else key): getattr(row, key) for key in _ROW}
                for row in run.rows
            ],
        },
    }


def _told(run: SiteRun) -> str:
    said = []
    for data in run.datasets:
        for protocol in run.protocols:
            if first := winners_of(run, data.name, protocol):
                names = listed([row.method for row in first])
                share = "share the first rank" if len(first) > 1 else "leads"
                best = "highest " if len(first) > 1 else ""
                number = f"{best}{headline_told(first[0])} {100 * (first[0].value or 0.0):.1f} %"
                where = f"{data.name}, {protocol_title(protocol).lower()}"
                said.append(f"{where}: {names} {share} ({number}).")
    return " ".join(said) or "No method is ranked."
