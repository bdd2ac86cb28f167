"""Remembers which local clouds this user started, so that `stop` and `status` find them."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from personalize_local.cloud.process import CloudProcess


def state_directory() -> Path:
    """Where this user's local clouds are remembered, and where they log by default."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "personalize-local"


def default_log_path(port: int) -> Path:
    """Where a local cloud on this port logs if nothing else is said."""
    return state_directory() / f"{port}.log"


@dataclass(frozen=True)
class Registry:
    """One file per port.

    :param directory: where the files are.
    """

    directory: Path

    def add(self, cloud: CloudProcess) -> None:
        """Remember a local cloud."""
        self.directory.mkdir(parents=True, exist_ok=True)
        entry = {"pid": cloud.pid, "log_path": str(cloud.log_path), "directory": str(cloud.directory)}
        self._path(cloud.port).write_text(json.dumps(entry))

    def find(self, port: int) -> CloudProcess | None:
        """The local cloud that was started on a port, if it still runs; a stale entry is removed."""
        try:
            entry = json.loads(self._path(port).read_text())
        except (OSError, ValueError):
            return None
        cloud = CloudProcess(entry["pid"], port, Path(entry["log_path"]), Path(entry["directory"]))
        if cloud.is_alive():
            return cloud
        self.remove(port)
        return None

    def remove(self, port: int) -> None:
        """Forget a local cloud."""
        self._path(port).unlink(missing_ok=True)

    def _path(self, port: int) -> Path:
        return self.directory / f"{port}.json"
