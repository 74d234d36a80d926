"""What outputs made elsewhere are tried with: clauses X4 and S8 of docs/contracts.md."""
