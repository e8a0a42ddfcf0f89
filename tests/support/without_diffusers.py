"""A plugin of pytest: neither diffusers nor transformers, nor what only they and the commands need, can be imported."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import Any

ABSENT = frozenset(
    {"diffusers", "transformers", "accelerate", "safetensors", "huggingface_hub", "pyarrow", "typer", "fastapi", "peft"}
)


class Absent:
    """An import hook that has none of them."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Refuse the import."""
        del path, target
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Absent())  # type: ignore[arg-type]
