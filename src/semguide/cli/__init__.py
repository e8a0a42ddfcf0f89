"""The command line: one module per command; each imports heavy packages only when it runs."""
