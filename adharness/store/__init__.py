"""What is stored, where, and under which name."""
