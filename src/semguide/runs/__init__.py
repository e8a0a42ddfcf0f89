"""A run from its request to its folder: what the command line and the server share. No typer, no FastAPI."""
