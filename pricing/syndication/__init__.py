"""Pricing changes and what is coming, in the formats that feed readers and calendars subscribe to."""
