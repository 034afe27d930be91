"""Where sellers route their ids, told, resolved and shown like prices: on both time axes, through the ledger."""
