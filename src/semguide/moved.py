"""Modules and what they hold by their names in 0.1.0: they still import, with a DeprecationWarning of the new name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any

from semguide.plugins import EMBEDDED

MOVED = {
    "semguide.adapters.comfyui": "semguide.adapters.hosts.comfyui",
    "semguide.adapters.forge": "semguide.adapters.hosts.forge",
    "semguide.adapters.sdnext": "semguide.adapters.hosts.sdnext",
    "semguide.adapters.hosts.steering": "semguide.adapters.hosts.sampler_session",
    "semguide.adapters.pipeline": "semguide.adapters.pipelines.steer",
    "semguide.adapters.architecture": "semguide.adapters.pipelines.families.spec",
    "semguide.adapters.architectures": "semguide.adapters.pipelines.families.registry",
    "semguide.adapters.guider": "semguide.adapters.guiders.guider",
    "semguide.adapters.guided_pipeline": "semguide.adapters.guiders.guider_pipeline",
    "semguide.adapters.modular": "semguide.adapters.guiders.modular",
    "semguide.adapters.notices": "semguide.errors",
    "semguide.adapters.selection": "semguide.selection.best_of",
    "semguide.adapters.criteria": "semguide.selection.criteria",
    "semguide.adapters.start": "semguide.selection.partial_run",
    "semguide.adapters.rule_config": "semguide.adapters.guiders.rule_config",
    "semguide.guidance.rules.sgt": "semguide.guidance.rules.balanced_sgt",
    "semguide.concepts.chunker": "semguide.concepts.lexicon.chunker",
    "semguide.concepts.context": "semguide.concepts.lexicon.context",
    "semguide.concepts.describe": "semguide.concepts.lexicon.describe",
    "semguide.concepts.repeats": "semguide.concepts.spans",
    "semguide.concepts.subjects": "semguide.concepts.lexicon.subjects",
    "semguide.concepts.words": "semguide.concepts.lexicon.words",
    "semguide.evaluation.judge": "semguide_emoji.evaluation.detections",
    "semguide.evaluation.makers": "semguide.evaluation.sampling_methods",
    "semguide.evaluation.makers.maker": "semguide.evaluation.sampling_methods.base",
    "semguide.evaluation.bench.metrics": "semguide.evaluation.bench.row_metrics",
    "semguide.evaluation.makers.registry": "semguide.evaluation.sampling_methods",
    "semguide.evaluation.pictures": "semguide.evaluation.image_batches",
    "semguide.evaluation.metrics.rendered": "semguide_emoji.rendered",
    "semguide.evaluation.quality": "semguide_emoji.evaluation.quality",
    "semguide.evaluation.verdict": "semguide_emoji.evaluation.verdict",
    "semguide.interfaces": "semguide.cli",
    "semguide.interfaces.cli": "semguide.cli.main",
    "semguide.interfaces.commands": "semguide.cli",
    "semguide.interfaces.commands.scenes": "semguide_emoji.cli.scenes",
    "semguide.interfaces.commands.train": "semguide_emoji.cli.train",
    "semguide.interfaces.serving": "semguide.server",
    "semguide.models.clip": "semguide_emoji.clip",
    "semguide.models.judge": "semguide_emoji.judge",
    "semguide.scenes": "semguide_emoji.scenes",
    "semguide.training": "semguide_emoji.training",
}
"""Old name -> new name; what lay in an old package is looked for in the new one."""

NAMES = {
    "semguide.adapters": {
        "Candidate": "semguide.selection.Candidate",
        "Criterion": "semguide.selection.Criterion",
        "GuidanceEnergy": "semguide.selection.GuidanceEnergy",
        "Promising": "semguide.selection.DetectorScore",
        "Selection": "semguide.selection.Selection",
        "SemguideWarning": "semguide.errors.SemguideWarning",
        "Start": "semguide.selection.PartialRun",
        "best_of": "semguide.selection.best_of",
    },
    "semguide.adapters.criteria": {"Promising": "semguide.selection.DetectorScore"},
    "semguide.adapters.start": {"Start": "semguide.selection.PartialRun"},
    "semguide.evaluation.judge": {"Finding": "semguide_emoji.evaluation.detections.Detection"},
    "semguide.evaluation.makers": {
        "ImageMaker": "semguide.evaluation.sampling_methods.SamplingMethod",
        "MAKERS": "semguide.evaluation.sampling_methods.SAMPLING_METHODS",
        "Sampling": "semguide.evaluation.sampling_methods.SamplingOptions",
    },
}
"""Module by its name in 0.1.0 -> what it held there -> the new name of that."""


def attribute(module: str, name: str) -> Any:
    """Return what a module held in 0.1.0, with a DeprecationWarning that says its new name.

    Args:
        module: Name of the module in 0.1.0.
        name: Name of the attribute in 0.1.0.

    Raises:
        AttributeError: There is no such name in `NAMES`.
    """
    new = NAMES[module].get(name)
    if new is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    home, _, own = new.rpartition(".")
    warnings.warn(f"{module}.{name} is now {new}; import it from there", DeprecationWarning, stacklevel=3)
    return getattr(import_module(home), own)


def new_name(old: str) -> str | None:
    """Return what a module is called now; None where its name has not changed."""
    head, tail = old, ""
    while head.startswith("semguide."):
        if head in MOVED:
            return MOVED[head] + tail
        head, _, last = head.rpartition(".")
        tail = f".{last}{tail}"
    return None


def register(old: str) -> None:
    """Enter a loaded module in `sys.modules` by its old name, where diffusers finds the classes of saved pipelines."""
    module = sys.modules[MOVED[old]]
    sys.modules.setdefault(old, module)
    parent, _, name = old.rpartition(".")
    setattr(sys.modules[parent], name, module)


def install() -> None:
    """Let old names import; once is enough."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # first: a module of an old package would else be found and run again


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        new = new_name(fullname)
        return None if new is None else ModuleSpec(fullname, _Loader(fullname, new))


class _Loader(Loader):
    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the module under its new name; it serves under the old one, too."""
        del spec
        try:
            module = import_module(self._new)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{self._new}.".startswith(f"{error.name}."):
                raise
            absent = self._new.startswith("semguide_emoji.") and sys.modules.get("semguide_emoji") is None
            where = EMBEDDED if absent else f"{error.name} does not exist"
            raise ModuleNotFoundError(f"{self._old} would now be {self._new}, but {where}", name=self._old) from error
        warnings.warn(f"{self._old} is now {self._new}; import it from there", DeprecationWarning, stacklevel=2)
        self._spec = module.__spec__
        if self._old in NAMES:
            vars(module).setdefault("__getattr__", self._attribute)
        return module

    def _attribute(self, name: str) -> Any:
        return attribute(self._old, name)

    def exec_module(self, module: ModuleType) -> None:
        """Undo what importing under the old name changed, and name what the package has loaded already."""
        module.__spec__ = self._spec
        for name in [name for name in sys.modules if name.startswith(f"{self._new}.")]:
            sys.modules.setdefault(self._old + name.removeprefix(self._new), sys.modules[name])

    def get_code(self, _fullname: str) -> CodeType | None:
        """Return the code for `python -m`."""
        spec = find_spec(self._new)
        loader: Any = None if spec is None else spec.loader
        return None if loader is None else loader.get_code(self._new)
