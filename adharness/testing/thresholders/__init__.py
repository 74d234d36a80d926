"""What a thresholder is tried with: clauses T of docs/contracts.md."""
