"""Amounts in another currency than they are sold in, by exchange rates that are dated and cited."""
