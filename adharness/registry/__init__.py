"""What is installed: discover -> Registry (an immutable value) with its problems, and look-ups."""

from adharness.registry.discovery import discover
from adharness.registry.records import Component, Distribution, Problem, Stage
from adharness.registry.value import Registry

__all__ = ["Component", "Distribution", "Problem", "Registry", "Stage", "discover"]
