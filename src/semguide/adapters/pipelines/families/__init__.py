"""The pipelines that can be steered: one row per family, and those that cannot and why."""
