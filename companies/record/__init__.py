"""The curated record on disk: its files, their entries, and what is right in them."""
