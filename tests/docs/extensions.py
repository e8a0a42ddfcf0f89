"""The Sphinx extensions of docs/_ext, which lie outside the package and the tests."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from docs.snippets import ROOT


def extension(name: str) -> ModuleType:
    """Import docs/_ext/NAME.py."""
    spec = importlib.util.spec_from_file_location(f"docs_ext_{name}", ROOT / "docs" / "_ext" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
