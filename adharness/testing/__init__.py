"""What plugin authors test with. Nothing here is used by a run."""
