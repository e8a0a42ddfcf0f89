"""Fitted scores of models: kept as JSON in the user's data folder, or shipped with a checkpoint; no torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, shown
from semguide.files import field_of, object_of, read_json, write_json
from semguide.models.catalog import embedded

DATA = "SEMGUIDE_DATA"
"""Environment variable with the folder of what semguide keeps for a user, in the place of the platform's."""
FILE = "calibration.json"
"""Name of the file in the folder of a checkpoint."""
FORMAT, VERSION = "semguide-calibration", 2


@dataclass(frozen=True)
class Calibration:
    """How likely a model's concepts are to be right, as fitted to its own images.

        P(concept k is right) = 1 / (1 + exp(-(intercept + slope * log-odds of k)))

    Attributes:
        fingerprint: `weights_fingerprint` of the model.
        intercept: The constant.
        slope: Weight of the log-odds that `semguide.guidance.signal_score` gives on every model.
        fitted_on: From what it was fitted, as JSON values: model, suite, judge, counts, sampling, quality.
    """

    fingerprint: str
    intercept: float
    slope: float
    fitted_on: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def probabilities(self, log_odds: Sequence[float]) -> list[float]:
        """Return the probabilities of concepts, in [0, 1]. Imports torch."""
        from semguide.guidance.signal_score import chance

        return [chance(self.intercept + self.slope * odds) for odds in log_odds]

    def write(self, file: Path) -> None:
        """Write it, whole or not at all."""
        write_json(file, {"format": FORMAT, "version": VERSION, **asdict(self)})


def data_folder() -> Path:
    """Return the folder of what semguide keeps for a user: `SEMGUIDE_DATA`, else the platform's; it need not exist."""
    named = os.environ.get(DATA, "")
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "semguide"
    variable, otherwise = ("LOCALAPPDATA", "AppData/Local") if os.name == "nt" else ("XDG_DATA_HOME", ".local/share")
    base = os.environ.get(variable, "")
    return (Path(base) if base else Path.home() / otherwise) / "semguide"


def calibration_file(fingerprint: str, data: Path | None = None) -> Path:
    """Return where the calibration of a model is kept.

    Args:
        fingerprint: Of the model.
        data: A folder in the place of `data_folder()`.
    """
    return (data_folder() if data is None else data) / "calibrations" / f"{fingerprint}.json"


def find_calibration(fingerprint: str) -> Calibration | None:
    """Return the calibration of a model: the user's own, else one that an installed package ships; None without one.

    Raises:
        InvalidArgument: The user's file is broken.
    """
    own = calibration_file(fingerprint)
    if own.is_file():
        return read_calibration(own)
    shipped = (model.path / FILE for model in embedded().values())
    found = (read_calibration(file) for file in shipped if file.is_file())
    return next((calibration for calibration in found if calibration.fingerprint == fingerprint), None)


def any_calibration() -> bool:
    """Say whether any model has one: without one no model need be fingerprinted."""
    own = data_folder() / "calibrations"
    return (own.is_dir() and any(own.glob("*.json"))) or any((m.path / FILE).is_file() for m in embedded().values())


def read_calibration(file: Path) -> Calibration:
    """Read a calibration.

    Raises:
        InvalidArgument: It is none, or one of an earlier version.
    """
    again = "run semguide calibrate again, or remove the file"
    try:
        value = object_of(read_json(file), "it")
        if (value.get("format"), value.get("version")) == (FORMAT, 1):
            rule = "must be a fit of the score that semguide has now, which this earlier version's is not"
            raise InvalidArgument("calibration", rule, file, again)
        for name, wanted in (("format", FORMAT), ("version", VERSION)):
            if value.get(name) != wanted:
                raise ValueError(f"{name} must be {wanted!r}, got {shown(value.get(name))}")
        return Calibration(
            field_of(value, "fingerprint", str),
            float(field_of(value, "intercept", float)),
            float(field_of(value, "slope", float)),
            field_of(value, "fitted_on", dict),
        )
    except InvalidArgument:
        raise
    except (OSError, ValueError) as error:
        rule = f"must be a file of semguide calibrate (version {VERSION}; {error})"
        raise InvalidArgument("calibration", rule, file, again) from error
