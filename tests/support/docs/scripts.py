"""The scripts and Sphinx extensions of docs, which lie outside the package and the tests."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from support.docs.snippets import ROOT


def script(path: str) -> ModuleType:
    """Import a Python file below docs."""
    file = ROOT / "docs" / path
    spec = importlib.util.spec_from_file_location(f"docs_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module
