"""Runs, from a request to the images in a folder; shared by command line and server. No typer, no FastAPI."""
