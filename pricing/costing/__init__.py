"""Pricing usage by the record: which offering a line means, its sheet as believed, and what the usage cost.

The arithmetic is in ``pricing.cost``; here is what it needs of the database, kept in memory while the record stands.
"""
