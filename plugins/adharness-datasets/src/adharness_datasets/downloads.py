"""Archives that the owners of a set let anybody download, with checksums that are known.

Each checksum was published by several projects for the same address; none is made up or taken from
the download itself. Sets whose owners ask for a form (MVTec, Real-IAD) or whose checksum nobody
published have no record: `adharness data fetch` says what to do by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from adharness import Download

_NC_SA = ("CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/")

DOWNLOADS: Mapping[str, Download] = MappingProxyType(
    {
        "visa": Download(
            url="https://amazon-visual-anomaly.s3.us-west-2.amazonaws.com/VisA_20220922.tar",
            sha256="2eb8690c803ab37de0324772964100169ec8ba1fa3f7e94291c9ca673f40f362",
            size_bytes=1_929_840_640,
            licence="CC BY 4.0",
            terms="https://creativecommons.org/licenses/by/4.0/",
        ),
        "btad": Download(
            "https://avires.dimi.uniud.it/papers/btad/btad.zip",
            "461c9387e515bfed41ecaae07c50cf6b10def647b36c9e31d239ab2736b10d2a",
            None,
            *_NC_SA,
        ),
        "kolektor-sdd": Download(
            "https://data.vicos.si/datasets/KSDD/KolektorSDD.zip",
            "65dc621693418585de9c4467d1340ea7958a6181816f0dc2883a1e8b61f9d4dc",
            101_831_129,
            *_NC_SA,
        ),
    }
)
"""By the name of the set. VisA and KolektorSDD: checksum and size agree in several projects; of
BTAD's archive only the checksum is published."""
