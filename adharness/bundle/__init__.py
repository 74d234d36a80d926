"""Runs in one file for others: made, checked as if hostile, and put beside one's own.

Nothing of a bundle is believed: its file is opened within limits, its records are read strictly,
and its numbers are measured again by the judge itself. See docs/bundles.md.
"""

from __future__ import annotations

from adharness.bundle.merge import Merged, merge
from adharness.bundle.pack import Packed, pack_run
from adharness.bundle.verify import Verdict, verify_bundle

__all__ = ["Merged", "Packed", "Verdict", "merge", "pack_run", "verify_bundle"]
