"""The one way out: an HTTP client for feeds and webhooks that bounds every call and connects only to checked addresses.

It is the lowest layer and knows no app. `client.Client` makes the calls, `conditional.fetch` reads a feed,
`configured.from_settings` gives the client that this installation's settings describe.
"""
