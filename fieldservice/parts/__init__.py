"""Parts: catalogue, stock places, balances and the ledger of moves."""
