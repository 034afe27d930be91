"""Webhooks by the Standard Webhooks 1.0 specification."""
