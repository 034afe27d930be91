"""Email: to verified addresses only, as text and HTML, with one-click unsubscribing."""
