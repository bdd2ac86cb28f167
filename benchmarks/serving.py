"""Prints how fast a local cloud answers GetRecommendations over HTTP: 100,000 users, 5,000 items.

`python -m benchmarks.serving`. It starts a local cloud, makes everything through the API, and measures the latency that
one client sees, and the throughput of eight connections of `wrk` (`apt-get install wrk`). Requests are for users chosen
at random, without a filter, and with one that leaves out what the user has watched.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import free_port, start
from personalize_local.cloud.settings import CloudSettings

USERS: Final = 100_000
ITEMS: Final = 5_000
EVENTS_PER_USER: Final = 20
REQUESTS: Final = 2_000
CONNECTIONS: Final = 8
SECONDS: Final = 10
BUCKET: Final = "serving"
ROLE_NAME: Final = "personalize"
ROLE: Final = f"arn:aws:iam::000000000000:role/{ROLE_NAME}"
HEADERS: Final = {
    "Content-Type": "application/json",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/personalize/aws4_request, "
    "SignedHeaders=host, Signature=0",
}

SCHEMAS: Final = {
    "Interactions": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
    ],
    "Items": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "GENRES", "type": "string", "categorical": True},
    ],
}

WRK_SCRIPT: Final = """
local seed = os.time()
function init(args) math.randomseed(seed) end
function request()
  local body = string.format({body}, math.random({users}) - 1)
  return wrk.format("POST", "/recommendations", {{
    ["Content-Type"] = "application/json", ["Authorization"] = "{authorization}"
  }}, body)
end
function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(99),
    summary.errors.status + summary.errors.connect +
    summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long wrk runs")
    parser.add_argument("--only-personalize", action="store_true", help="without the rest of AWS")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="how many requests the one client makes")
    arguments = parser.parse_args()
    console = Console()
    with running(only_personalize=arguments.only_personalize) as (cloud, process):
        began = time.perf_counter()
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        role = ROLE if arguments.only_personalize else reading_role(cloud)
        campaign, filter_arn = planted(cloud, role)
        console.print(f"{USERS:,} users, {ITEMS:,} items: ready after {time.perf_counter() - began:.0f} s")
        table = Table("", "p50 ms", "p99 ms", f"{CONNECTIONS} connections: requests/s", "p99 ms", "errors", "CPU ms")
        for name, further in (("without a filter", {}), ("unseen items", {"filterArn": filter_arn})):
            request = {"campaignArn": campaign, **further}
            latencies = sorted(one_client(cloud.port, request, arguments.requests))
            before = cpu_seconds(process)
            many = wrk(cloud.port, request, arguments.seconds)
            cpu = (cpu_seconds(process) - before) / many["requests"]
            table.add_row(
                name,
                f"{statistics.median(latencies) * 1000:.1f}",
                f"{latencies[int(len(latencies) * 0.99)] * 1000:.1f}",
                f"{many['rate']:.0f}",
                f"{many['p99']:.1f}",
                f"{many['errors']:.0f}",
                f"{cpu * 1000:.2f}",
            )
        console.print(table)


@contextmanager
def running(*, only_personalize: bool) -> Iterator[tuple[LocalCloud, int]]:
    """A local cloud of its own, and the number of its process."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        process = start(CloudSettings(port=free_port(), exit_with_parent=True, only_personalize=only_personalize), log)
        try:
            yield LocalCloud(process.port, log), process.pid
        finally:
            process.stop()


def planted(cloud: LocalCloud, role: str) -> tuple[str, str]:
    """Make a campaign, and a filter that leaves out what was watched."""
    client = cloud.client("personalize")
    group = client.create_dataset_group(name="serving")["datasetGroupArn"]
    wait(lambda: client.describe_dataset_group(datasetGroupArn=group)["datasetGroup"])
    for kind, rows in (("Interactions", interactions_csv()), ("Items", items_csv())):
        schema = {"type": "record", "name": kind, "namespace": "x", "fields": SCHEMAS[kind], "version": "1.0"}
        schema_arn = client.create_schema(name=kind, schema=json.dumps(schema))["schemaArn"]
        dataset = client.create_dataset(name=kind, schemaArn=schema_arn, datasetGroupArn=group, datasetType=kind)[
            "datasetArn"
        ]
        wait(lambda dataset=dataset: client.describe_dataset(datasetArn=dataset)["dataset"])  # type: ignore[misc]
        cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{kind}.csv", Body=rows.encode())
        job = client.create_dataset_import_job(
            jobName=kind,
            datasetArn=dataset,
            dataSource={"dataLocation": f"s3://{BUCKET}/{kind}.csv"},
            roleArn=role,
        )["datasetImportJobArn"]
        wait(lambda job=job: client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"])  # type: ignore[misc]
    solution = client.create_solution(
        name="serving",
        datasetGroupArn=group,
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization-v2",
        performAutoTraining=False,
    )["solutionArn"]
    wait(lambda: client.describe_solution(solutionArn=solution)["solution"])
    version = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    wait(lambda: client.describe_solution_version(solutionVersionArn=version)["solutionVersion"])
    campaign = client.create_campaign(name="serving", solutionVersionArn=version)["campaignArn"]
    wait(lambda: client.describe_campaign(campaignArn=campaign)["campaign"])
    unseen = client.create_filter(
        name="unseen",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    )["filterArn"]
    wait(lambda: client.describe_filter(filterArn=unseen)["filter"])
    return campaign, unseen


def reading_role(cloud: LocalCloud) -> str:
    """Make a role that may read the bucket."""
    reading = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    service = {"Principal": {"Service": "personalize.amazonaws.com"}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", **service}
    cloud.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy({**reading, **service}))
    iam = cloud.client("iam")
    arn: str = iam.create_role(RoleName=ROLE_NAME, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="read", PolicyDocument=policy(reading))
    return arn


def policy(statement: dict[str, Any]) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def interactions_csv() -> str:
    """Every user likes one of fifty groups of items, some of which are liked by many."""
    chance = random.Random(0)
    rows = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE"]
    for user in range(USERS):
        group = user % 50
        for step in range(EVENTS_PER_USER):
            item = (group * 100 + int(100 * chance.random() ** 2)) if step % 4 else int(ITEMS * chance.random() ** 2)
            rows.append(f"u{user},i{item},{1_700_000_000 + step * 3600 + user % 1000},watch")
    return "\n".join(rows) + "\n"


def items_csv() -> str:
    """Every item has two genres of twenty."""
    return "ITEM_ID,GENRES\n" + "".join(f"i{item},g{item % 20}|h{item % 7}\n" for item in range(ITEMS))


def wait(describe: Callable[[], dict[str, Any]]) -> None:
    """Wait until something is ACTIVE."""
    while (found := describe())["status"] != "ACTIVE":
        if "FAILED" in found["status"]:
            raise SystemExit(f"{found['status']}: {found.get('failureReason')}")
        time.sleep(0.1)


def one_client(port: int, request: dict[str, Any], count: int) -> Iterator[float]:
    """Ask one by one over one connection, and give the seconds that each answer took."""
    chance = random.Random(1)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(count + 50):
        body = json.dumps({**request, "userId": f"u{chance.randrange(USERS)}"})
        began = time.perf_counter()
        connection.request("POST", "/recommendations", body, HEADERS)
        answer = connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - began
        if answer.status != 200 or len(json.loads(content)["itemList"]) != 25:
            raise SystemExit(f"{answer.status}: {content.decode()}")
        if number >= 50:
            yield seconds
    connection.close()


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(port: int, request: dict[str, Any], seconds: int) -> dict[str, float]:
    """Ask over eight connections at once."""
    command = shutil.which("wrk")
    if command is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    body = json.dumps({**request, "userId": "u%d"})
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK_SCRIPT.format(body=json.dumps(body), users=USERS, authorization=HEADERS["Authorization"]))
        script.flush()
        output = subprocess.run(
            [command, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    requests, duration, p99, errors = map(float, output[output.index("RESULT ") + 7 :].split())
    return {"requests": requests, "rate": requests / duration * 1e6, "p99": p99 / 1000, "errors": errors}


if __name__ == "__main__":
    main()
