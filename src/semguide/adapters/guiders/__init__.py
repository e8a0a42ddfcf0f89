"""The rules as a diffusers guider, for modular pipelines and pipelines that take one."""
