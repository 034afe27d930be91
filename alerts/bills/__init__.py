"""A month's usage as a bill: priced at any moment, on the buyer's own terms, and told when it moves."""
