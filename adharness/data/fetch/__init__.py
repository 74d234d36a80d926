"""Fetching data sets: download, verify, check, unpack."""

from adharness.data.fetch.fetching import fetch_set, folder_of
from adharness.data.fetch.members import Limits
from adharness.data.fetch.transfer import Patience
from adharness.data.fetch.unpack import unpack

__all__ = ["Limits", "Patience", "fetch_set", "folder_of", "unpack"]
