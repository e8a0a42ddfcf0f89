"""Recipes of the embedded checkpoints."""
