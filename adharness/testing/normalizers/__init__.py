"""What a normalizer is tried with: clauses N of docs/contracts.md."""
