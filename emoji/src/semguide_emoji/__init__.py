"""The emoji world of semguide: scenes with exact ground truth, checkpoints that draw them, a judge, and suites."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"
"""The checkpoints, each in a folder of its name, and the sprites."""
