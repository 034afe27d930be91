"""Compares the changes of the API with what an independent script computed from the same documents."""
