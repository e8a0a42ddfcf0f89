"""The rules by their name on the command line: the project's own, and those of other packages."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Final, TypeVar, get_origin, get_type_hints

from semguide.errors import InvalidArgument, notify
from semguide.guidance.parameters import Parameter, parameters_of
from semguide.guidance.rule import Rule
from semguide.guidance.rules import (
    APG,
    CDG,
    CFG,
    SEGA,
    BalancedSGT,
    CFGZeroStar,
    CO3Composition,
    Composable,
    PerpNeg,
    Personalization,
    SGTv1,
    SGTv2,
)

GROUP: Final = "semguide.rules"
"""The entry points in which other packages name their rules, a class each."""
BENCHMARK_METHODS: Final = (
    "co3",
    "attend-excite",
    "syngen",
    "focus",
    "best-of-detector",
    "best-of-rejection",
    "best-of-clip",
    "retry",
    "fk-steering",
    "pag",
    "apg-denoised",
    "guider",
)
"""Names that no rule may have, as the methods that only a benchmark has stand under them."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PARAMETER: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_Kind = TypeVar("_Kind", bound=type[Rule[Any]])


class Registry(Mapping[str, type[Rule[Any]]]):
    """Rules by name, in the order in which they were registered; an alias finds its rule, and is not listed.

    The rules of other packages are loaded when it is first looked at. One that cannot be is left out with a warning.
    """

    def __init__(self) -> None:
        self._rules: dict[str, type[Rule[Any]]] = {}
        self._loading = threading.RLock()
        self._loaded = False

    def add(self, kind: type[Rule[Any]]) -> None:
        """Add a rule, checked as `check_rule` does; once more is no error."""
        check_rule(kind)
        for name in (kind.name, *kind.aliases):
            known = self._find(name)
            if known not in (None, kind) or name in BENCHMARK_METHODS:
                taken = "a benchmark method" if known is None else f"{known.__module__}.{known.__qualname__}"
                raise InvalidArgument(
                    "name", f"must be another one than that of {taken}", name, f"rename {kind.__qualname__}"
                )
        self._rules[kind.name] = kind

    def __getitem__(self, name: str) -> type[Rule[Any]]:
        self._load()
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(tuple(self._rules))

    @property
    def names(self) -> list[str]:
        """All names that are found: those of the rules, then their aliases."""
        return [*self, *(alias for kind in self.values() for alias in kind.aliases)]

    def __len__(self) -> int:
        self._load()
        return len(self._rules)

    def _find(self, name: str) -> type[Rule[Any]] | None:
        found = self._rules.get(name)
        return found or next((kind for kind in self._rules.values() if name in kind.aliases), None)

    def _load(self) -> None:
        with self._loading:
            if not self._loaded:
                self._loaded = True
                for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
                    self._load_entry(entry)

    def _load_entry(self, entry: EntryPoint) -> None:
        try:
            self.add(entry.load())
        except Exception as error:  # noqa: BLE001 - another package's code; the rules of others still work
            package = entry.dist.name if entry.dist else "an unknown package"
            cause = " ".join(str(error).split()) or "no reason given"
            notify(f"the rule {entry.name!r} of {package} is left out ({type(error).__name__}: {cause})")


METHODS: Final = Registry()


def register_rule(kind: _Kind) -> _Kind:
    """Register a rule, so that command, benchmark, server, page and nodes have it; also as a class decorator.

    A package names its rules in the entry points "semguide.rules" instead, and they are there wherever semguide runs.

    Raises:
        InvalidArgument: An interface could not show it: it lacks a name, a default or a method, a field is of a type
            other than float, int, bool, str or a Literal of words, or another method has its name.
    """
    METHODS.add(kind)
    return kind


def get_method(name: str) -> type[Rule[Any]]:
    """Return the rule class of a method name or alias.

    >>> get_method("sgt-v1").__name__
    'SGTv1'
    >>> get_method("sgt").__name__
    'BalancedSGT'

    Raises:
        InvalidArgument: There is none; the message lists the names.
    """
    if name not in METHODS:
        raise InvalidArgument("method", f"must be one of {', '.join(METHODS.names)}", name)
    return METHODS[name]


def check_rule(kind: type[Rule[Any]]) -> None:
    """Check that every interface can show a rule.

    Raises:
        InvalidArgument: One could not.
    """
    if not (inspect.isclass(kind) and issubclass(kind, Rule)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgument("rule", "must be a class that extends semguide.Rule", kind)
    where = kind.__qualname__
    if missing := sorted(getattr(kind, "__abstractmethods__", ())):
        raise InvalidArgument("rule", f"must have the methods {', '.join(missing)}", where, "write them")
    for name in (getattr(kind, "name", ""), *kind.aliases):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidArgument("name", f"of {where} must be of a-z, 0-9 and hyphens, at most 64", name)
    parameters = parameters_of(kind)
    _check_fields(kind, [each.name for each in parameters])
    for each in parameters:
        _check_parameter(where, each)
    if sum(each.strength for each in parameters) > 1:
        raise InvalidArgument("strength", f"must be one parameter of {where} at most")
    kind()


def _check_fields(kind: type[Rule[Any]], fields: list[str]) -> None:
    """Refuse annotated attributes that are no parameters, as of a class that is no dataclass."""
    for name, hint in get_type_hints(kind).items():
        if get_origin(hint) is not ClassVar and hint not in (ClassVar, KW_ONLY) and name not in fields:
            remedy = f"decorate {kind.__qualname__} with @dataclass(frozen=True)"
            raise InvalidArgument(name, f"must be a field of {kind.__qualname__}, or a ClassVar", remedy=remedy)


def _check_parameter(where: str, each: Parameter) -> None:
    if not _PARAMETER.fullmatch(each.name):
        raise InvalidArgument(each.name, f"of {where} must be of a-z, 0-9 and underscores, at most 64")
    each.check(each.default)
    if each.strength and not (each.type == "number" and isinstance(each.default, int | float) and each.default > 0):
        raise InvalidArgument(each.name, f"of {where} must be a number with a default > 0, as it is the strength")


_FIELD: Final = (CFG, Composable, SEGA, PerpNeg, CO3Composition, CDG, APG, CFGZeroStar, Personalization)
for _kind in (BalancedSGT, SGTv1, SGTv2, *_FIELD):
    register_rule(_kind)
