"""What a data set is tried with: clauses D of docs/contracts.md."""
