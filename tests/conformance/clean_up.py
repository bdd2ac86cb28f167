"""Deletes what conformance tests left: `python -m tests.conformance.clean_up --region eu-west-1`, which only lists it.

Nothing is touched whose name does not begin with `conformance-` and eight hexadecimal digits.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from tests.conformance.account import clients, error_code

_NAME = re.compile(r"(conformance-[0-9a-f]{8})(-.*)?")
_GONE = ("ResourceNotFoundException", "NoSuchBucket", "NoSuchEntity")


@dataclass(frozen=True)
class Left:
    """A resource that a run left.

    :param run: the run.
    :param id: what deletes it: an ARN or a name.
    :param deleting: whether it is being deleted already.
    """

    run: str
    id: str
    deleting: bool = False


@dataclass(frozen=True)
class Step:
    """One kind of resource.

    :param kind: what it is called.
    :param find: lists all of them, those of others too, as (name, id, status).
    :param delete: begins to delete one.
    """

    kind: str
    find: Callable[[], Iterator[tuple[str, str, str]]]
    delete: Callable[[str], Any]

    def left(self, run: str | None) -> list[Left]:
        """What a run left, or any run."""
        named = [(_NAME.fullmatch(name), key, status) for name, key, status in self.find()]
        found = [Left(match[1], key, status.startswith("DELETE_IN")) for match, key, status in named if match]
        return [item for item in found if run in (None, item.run)]


@dataclass
class CleanUp:
    """Deletes in the order in which the service lets things go, and goes on after failures.

    :param client: makes a boto3 client of a service.
    :param poll_seconds: how long to wait between two tries.
    :param patience: for how many seconds to try each kind of resource.
    :param say: what to tell the user. Default: - print
    """

    client: Callable[[str], Any]
    poll_seconds: float = 10
    patience: float = 1800
    say: Callable[[str], None] = print

    def steps(self) -> list[Step]:
        """What is deleted, in this order."""
        return [
            Step("stack", self._stacks, lambda name: self.client("cloudformation").delete_stack(StackName=name)),
            self._personalize("Campaign"),
            self._personalize("Recommender"),
            self._personalize("Solution", self._stop_training),
            self._personalize("Filter"),
            self._personalize("EventTracker"),
            self._personalize("MetricAttribution"),
            self._personalize("Dataset"),
            self._personalize("DatasetGroup"),
            self._personalize("Schema"),
            Step("bucket", self._buckets, self._delete_bucket),
            Step("role", self._roles, self._delete_role),
        ]

    def find(self, run: str | None = None) -> dict[str, list[Left]]:
        """What there is to delete, by kind."""
        found: dict[str, list[Left]] = {}
        for step in self.steps():
            try:
                left = step.left(run)
            except ClientError as error:
                self.say(f"{step.kind}: {error}")
                continue
            if left:
                found[step.kind] = left
        return found

    def delete(self, run: str | None = None) -> list[str]:
        """Delete what a run left, or all runs.

        :returns: what could not be deleted, and why; empty when all is gone.
        """
        return [problem for step in self.steps() for problem in self._empty(step, run)]

    def _empty(self, step: Step, run: str | None) -> list[str]:
        reasons: dict[str, str] = {}
        deadline = time.monotonic() + self.patience
        try:
            while left := step.left(run):
                for item in left:
                    if not item.deleting:
                        self.say(f"deleting {step.kind} {item.id}")
                        reasons[item.id] = self._try(step, item.id)
                if time.monotonic() > deadline:
                    return [f"{step.kind} {item.id}: {reasons.get(item.id, 'is being deleted')}" for item in left]
                time.sleep(self.poll_seconds)
        except ClientError as error:
            # An endpoint that lacks the operation has nothing of that kind.
            lacks = error.response["ResponseMetadata"].get("HTTPStatusCode") == 501
            return [] if lacks else [f"{step.kind}: {error}"]
        return []

    def _try(self, step: Step, id: str) -> str:
        try:
            step.delete(id)
        except ClientError as error:
            return "is gone" if error.response["Error"]["Code"] in _GONE else str(error)
        return "is being deleted"

    def _personalize(self, kind: str, before: Callable[[str], None] = lambda arn: None) -> Step:
        client = self.client("personalize")
        member = kind[0].lower() + kind[1:]
        plural = "Filters" if kind == "Filter" else f"{member}s"
        snake = re.sub(r"(?<!^)([A-Z])", r"_\1", kind).lower()

        def find() -> Iterator[tuple[str, str, str]]:
            for page in client.get_paginator(f"list_{snake}s").paginate():
                for item in page[plural]:
                    status = item.get("status", "").replace(" ", "_").replace("DELETE_PENDING", "DELETE_IN_PROGRESS")
                    yield item["name"], item[f"{member}Arn"], status

        def delete(arn: str) -> None:
            before(arn)
            getattr(client, f"delete_{snake}")(**{f"{member}Arn": arn})

        return Step(kind, find, delete)

    def _stop_training(self, solution: str) -> None:
        client = self.client("personalize")
        for page in client.get_paginator("list_solution_versions").paginate(solutionArn=solution):
            for version in page["solutionVersions"]:
                if version["status"] in ("CREATE PENDING", "CREATE IN_PROGRESS"):
                    arn = version["solutionVersionArn"]
                    error_code(client.stop_solution_version_creation, solutionVersionArn=arn)

    def _stacks(self) -> Iterator[tuple[str, str, str]]:
        for page in self.client("cloudformation").get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if stack["StackStatus"] != "DELETE_COMPLETE":
                    yield stack["StackName"], stack["StackName"], stack["StackStatus"]

    def _buckets(self) -> Iterator[tuple[str, str, str]]:
        for bucket in self.client("s3").list_buckets()["Buckets"]:
            yield bucket["Name"], bucket["Name"], ""

    def _delete_bucket(self, name: str) -> None:
        s3 = self.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=name, Key=item["Key"])
        s3.delete_bucket(Bucket=name)

    def _roles(self) -> Iterator[tuple[str, str, str]]:
        for page in self.client("iam").get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                yield role["RoleName"], role["RoleName"], ""

    def _delete_role(self, name: str) -> None:
        iam = self.client("iam")
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def main(
    region: Annotated[str, typer.Option(help="The AWS Region that the tests ran in.")],
    run: Annotated[str | None, typer.Option(help="Delete what this run left, such as conformance-0123abcd.")] = None,
    all_runs: Annotated[bool, typer.Option("--all", help="Delete what any run left.")] = False,
    endpoint_url: Annotated[str | None, typer.Option(help="Another endpoint than that of AWS.")] = None,
) -> None:
    """List what conformance tests left in an account, or delete it."""
    if run is not None and not re.fullmatch(r"conformance-[0-9a-f]{8}", run):
        raise typer.BadParameter(f"a run is conformance- and eight hexadecimal digits, got {run!r}")
    work = CleanUp(clients(region, endpoint_url), poll_seconds=0.2 if endpoint_url else 10)
    if run is None and not all_runs:
        found = work.find()
        for kind, left in found.items():
            for item in left:
                typer.echo(f"{item.run}: {kind} {item.id}")
        typer.echo("Delete with --run RUN or --all." if found else "Nothing is left.")
        raise typer.Exit(1 if found else 0)
    problems = work.delete(run)
    for problem in problems:
        typer.echo(f"still there: {problem}", err=True)
    raise typer.Exit(1 if problems else 0)


if __name__ == "__main__":
    typer.run(main)
