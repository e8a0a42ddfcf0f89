"""One module per command; each imports heavy packages only when it runs."""
