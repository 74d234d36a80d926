"""The suite language: from a YAML file to names bound to components."""
