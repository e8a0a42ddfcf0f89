"""Readers of the official prompt files of benchmarks."""

from semguide.evaluation.official.geneval import geneval_entries
from semguide.evaluation.official.reading import read_official

__all__ = ["geneval_entries", "read_official"]
