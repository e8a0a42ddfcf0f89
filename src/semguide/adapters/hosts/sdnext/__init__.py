"""SD.Next. The script that it loads is in the folder `extension`; nothing of its code is here."""

from pathlib import Path

EXTENSION = Path(__file__).with_name("extension")
"""The folder to copy into SD.Next's `extensions`."""

__all__ = ["EXTENSION"]
