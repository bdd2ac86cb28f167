"""Prints how fast a local cloud with Personalize alone starts, and how much memory 100 idle dataset groups take.

`python -m benchmarks.memory`
"""

import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.soak import SCHEMA
from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings

GROUPS = 100
GROUPS_PER_ACCOUNT = 5  # the quota


def resident_megabytes(pid: int) -> float:
    """The memory of a process that is in RAM."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) / 1024


def fill(cloud: LocalCloud) -> None:
    """Make dataset groups, each with a dataset, an event tracker and a filter, in as many accounts as needed."""
    for number in range(GROUPS // GROUPS_PER_ACCOUNT):
        client = cloud.client("personalize", account=f"{number:012d}")
        schema = client.create_schema(name="s", schema=SCHEMA)["schemaArn"]
        for place in range(GROUPS_PER_ACCOUNT):
            group = client.create_dataset_group(name=f"g{place}")["datasetGroupArn"]
            while client.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"] != "ACTIVE":
                time.sleep(0.005)
            client.create_dataset(name="d", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")
            client.create_event_tracker(name="t", datasetGroupArn=group)
            client.create_filter(
                name=f"f{place}",
                datasetGroupArn=group,
                filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
            )


def main() -> None:
    """Measure and print."""
    console = Console(highlight=False)
    settings = CloudSettings(port=free_port(), only_personalize=True, time_scale=0, exit_with_parent=True)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = start(settings, Path(folder) / "log")
        try:
            console.print(f"start: {time.perf_counter() - began:.2f} s")
            console.print(f"memory after the start: {resident_megabytes(process.pid):.0f} MB")
            fill(LocalCloud(process.port))
            time.sleep(1)
            console.print(f"memory with {GROUPS} idle dataset groups: {resident_megabytes(process.pid):.0f} MB")
        finally:
            process.stop()


if __name__ == "__main__":
    main()
