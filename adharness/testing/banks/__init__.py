"""What a bank is tried with: clauses B of docs/contracts.md."""
