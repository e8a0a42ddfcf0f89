"""The pipelines that can be steered: one spec per family, and those that cannot and why."""
