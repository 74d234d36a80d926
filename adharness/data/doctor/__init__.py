"""The doctor: what kind of set this is, what is missing, and what would make its numbers wrong."""

from adharness.data.doctor.counts import ClassCounts
from adharness.data.doctor.diagnosis import Diagnosis, examine_folder, examine_set
from adharness.data.doctor.findings import SEVERITIES, Finding, Severity, tally
from adharness.data.doctor.recognise import Trial

__all__ = [
    "SEVERITIES",
    "ClassCounts",
    "Diagnosis",
    "Finding",
    "Severity",
    "Trial",
    "examine_folder",
    "examine_set",
    "tally",
]
