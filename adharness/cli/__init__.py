"""The command line: one file a group of commands. Only `render` prints; only `main` exits."""
