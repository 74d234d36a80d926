"""What an extractor is tried with: clauses X of docs/contracts.md."""
