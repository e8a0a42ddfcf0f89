"""What `semguide doctor` looks at: packages, machine, checkpoints. Each check returns findings, none raises."""

from semguide.cli.health.checkpoints import examine_checkpoints
from semguide.cli.health.finding import HealthFinding, Status
from semguide.cli.health.machine import examine_devices, examine_folders, examine_settings
from semguide.cli.health.packages import examine_extras, examine_packages, examine_python
from semguide.cli.health.scorers import examine_scorers

__all__ = [
    "HealthFinding",
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
