"""What a scorer is tried with: clauses S of docs/contracts.md."""
