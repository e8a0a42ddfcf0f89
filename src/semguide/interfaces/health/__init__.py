"""What `semguide doctor` looks at: packages, machine, checkpoints. Each check returns findings, none raises."""

from semguide.interfaces.health.checkpoints import examine_checkpoints
from semguide.interfaces.health.finding import Finding, Status
from semguide.interfaces.health.machine import examine_devices, examine_folders, examine_settings
from semguide.interfaces.health.packages import examine_extras, examine_packages, examine_python
from semguide.interfaces.health.scorers import examine_scorers

__all__ = [
    "Finding",
    "Status",
    "examine_checkpoints",
    "examine_devices",
    "examine_extras",
    "examine_folders",
    "examine_packages",
    "examine_python",
    "examine_scorers",
    "examine_settings",
]
