"""The planning function against the Personalize emulator: what it says is done, and then nothing is left to do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_lambda.workflow import plan
from personalize_lambda.workflow.observe import remaining
from personalize_local.personalize.faults import Fault
from tests.local.personalize.support import (
    ACCOUNT,
    BUCKET,
    REGION,
    ROLE,
    V2,
    Builder,
    Cloud,
    interactions_csv,
)

PREFIX = f"arn:aws:personalize:{REGION}:{ACCOUNT}"
TAGS = [{"tagKey": "cdk-personalize:owner", "tagValue": "films"}]


class Bucket:
    """S3 as far as the function uses it, over the emulator's buckets."""

    def __init__(self, cloud: Cloud, document: dict[str, Any]) -> None:
        self.objects, self.document = cloud.buckets.objects, document

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps(self.document).encode())}

    def get_paginator(self, name: str) -> Bucket:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's names
        found = [
            (key, body) for (bucket, key), body in self.objects.items() if bucket == Bucket and key.startswith(Prefix)
        ]
        yield {"Contents": [{"Key": key, "ETag": str(hash(body)), "Size": len(body)} for key, body in found]}


class Lock:
    """DynamoDB as far as the function uses it."""

    def __init__(self, holder: str) -> None:
        self.holder = holder

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": {"execution": {"S": self.holder}}}


def document(**changes: Any) -> dict[str, Any]:
    campaign = {
        "name": "live",
        "campaignArn": f"{PREFIX}:campaign/live",
        "configuration": {"minProvisionedTPS": 1},
        "tags": TAGS,
    }
    return {
        "owner": "films",
        "datasetGroupArn": f"{PREFIX}:dataset-group/films",
        "datasets": [
            {
                "name": "interactions",
                "datasetArn": f"{PREFIX}:dataset/films/INTERACTIONS",
                "bucket": BUCKET,
                "prefix": "interactions/",
                "roleArn": ROLE,
                "jobPrefix": "films-interactions",
                "tags": TAGS,
            }
        ],
        "solutions": [
            {
                "name": "picks-1",
                "solutionArn": f"{PREFIX}:solution/picks-1",
                "configuration": {
                    "recipeArn": V2,
                    "performAutoTraining": False,
                    "solutionConfig": {"algorithmHyperParameters": {"apply_recency_bias": "true"}},
                },
                "tags": TAGS,
                "campaigns": [campaign],
            }
        ],
        **changes,
    }


@pytest.fixture
def ask(cloud: Cloud, clients: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Plan a phase."""

    monkeypatch.setenv("LOCK_TABLE", "lock")

    def phase(name: str, wanted: dict[str, Any], failed: tuple[str, ...] = (), holder: str = "run") -> Any:
        clients(personalize=cloud.personalize, s3=Bucket(cloud, wanted), dynamodb=Lock(holder))
        event = {"phase": name, "document": {"bucket": BUCKET, "key": "k"}, "execution": "run", "failedImports": failed}
        return plan.handler(event, None)

    return phase


def camel(arguments: Any, *, maps: tuple[str, ...] = ("AlgorithmHyperParameters",)) -> Any:
    """What Step Functions sends for these arguments."""
    if isinstance(arguments, dict):
        return {
            key[0].lower() + key[1:]: value if key in maps else camel(value, maps=maps)
            for key, value in arguments.items()
        }
    return [camel(entry, maps=maps) for entry in arguments] if isinstance(arguments, list) else arguments


def test_plan_is_carried_out_until_nothing_is_left(cloud: Cloud, ask: Callable[..., Any]) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.dataset(make.group())
    wanted = document()
    assert ask("imports", wanted)["waitingFor"] == [f"interactions: no CSV file in s3://{BUCKET}/interactions/ yet"]
    waiting = {"trainings": [], "solutions": [], "recommenders": [], "waitingFor": ["picks-1: data for interactions"]}
    assert ask("solutions", wanted) == waiting

    cloud.buckets.put("interactions/a.csv", interactions_csv())
    (step,) = ask("imports", wanted)["imports"]
    job = client.create_dataset_import_job(**camel(step["create"]))["datasetImportJobArn"]
    assert job == step["createArn"]
    make.wait("dataset_import_job", job)
    assert ask("imports", wanted) == {"imports": [], "waitingFor": []}

    (step,) = ask("solutions", wanted)["solutions"]
    assert step["create"]["SolutionConfig"] == {"AlgorithmHyperParameters": {"apply_recency_bias": "true"}}
    solution = client.create_solution(**camel(step["create"]))["solutionArn"]
    assert solution == step["solutionArn"]
    make.wait("solution", solution)
    version = client.create_solution_version(**camel(step["train"]))["solutionVersionArn"]
    make.wait("solution_version", version)
    (action,) = step["campaigns"]
    client.create_campaign(**camel(action["arguments"]), solutionVersionArn=version)
    make.wait("campaign", action["campaignArn"])
    assert ask("solutions", wanted) == {"trainings": [], "solutions": [], "recommenders": [], "waitingFor": []}
    assert not any(ask("prune", wanted).values())
    assert remaining(wanted, personalize=client) == ["campaign live (ACTIVE)", "solution picks-1 (ACTIVE)"]

    pruned = ask("prune", document(solutions=[]))
    assert [entry["campaignArn"] for entry in pruned["campaigns"]] == [action["campaignArn"]]
    assert [entry["solutionArn"] for entry in pruned["prunedSolutions"]] == [solution]


def _campaign(client: Any, arn: str) -> tuple[str, str | None]:
    """The version that a campaign serves, and the status of its latest update."""
    found = client.describe_campaign(campaignArn=arn)["campaign"]
    return found["solutionVersionArn"], found.get("latestCampaignUpdate", {}).get("status")


def _update_status(client: Any, solution: str) -> str:
    found = client.describe_solution(solutionArn=solution)["solution"]
    return str(found["latestSolutionUpdate"]["status"])


@pytest.mark.parametrize("follows", [True, False])
def test_what_is_changed_in_place(cloud: Cloud, ask: Callable[..., Any], follows: bool) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    nothing = {"trainings": [], "solutions": [], "recommenders": [], "waitingFor": []}
    solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS)
    version = make.version(solution)
    make.campaign(version, tags=TAGS)
    wanted = document()
    wanted["solutions"][0]["configuration"] = {"recipeArn": V2, "performAutoTraining": False}
    campaign = wanted["solutions"][0]["campaigns"][0]
    assert ask("solutions", wanted) == nothing

    for schedule in ("rate(7 days)", "rate(1 day)", None):
        wanted["solutions"][0]["configuration"] = {
            "recipeArn": V2,
            "performAutoTraining": bool(schedule),
            "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": schedule}} if schedule else {},
        }
        (step,) = ask("solutions", wanted)["solutions"]
        assert (step["create"], step["train"], step["campaigns"]) == (None, None, [])
        client.update_solution(**camel(step["update"]))
        assert ask("solutions", wanted) == nothing  # while it is being updated
        while _update_status(client, solution) != "ACTIVE":
            pass
        assert client.describe_solution(solutionArn=solution)["solution"]["performAutoTraining"] is bool(schedule)
        assert ask("solutions", wanted) == nothing

    campaign["configuration"] = {
        "minProvisionedTPS": 1,
        "campaignConfig": {"syncWithLatestSolutionVersion": follows},
    }
    steps = ask("solutions", wanted)["solutions"]
    assert len(steps) == follows
    for step in steps:
        client.update_campaign(**camel(step["campaigns"][0]["arguments"]))
        while _campaign(client, campaign["campaignArn"])[1] != "ACTIVE":
            pass
    assert ask("solutions", wanted) == nothing
    newer = make.version(solution)
    served = newer if follows else version
    while _campaign(client, campaign["campaignArn"])[0] != served:
        pass
    steps = ask("solutions", wanted)["solutions"]
    assert [step["solutionVersionArn"] for step in steps] == ([] if follows else [newer])


def test_a_failed_update_is_tried_again(cloud: Cloud, ask: Callable[..., Any]) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS, performAutoTraining=True)
    cloud.service.faults.add(Fault("UpdateSolution", failure_reason="The service is tired."))
    wanted = document()
    before = ask("solutions", wanted)["solutions"][0]["update"]
    client.update_solution(**camel(before))
    while _update_status(client, solution) != "CREATE FAILED":
        pass
    assert ask("solutions", wanted)["solutions"][0]["update"] == before


def test_members_that_are_newer_than_the_sdk_are_passed_on(cloud: Cloud, ask: Callable[..., Any]) -> None:
    make = Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    wanted = document()
    wanted["solutions"][0]["configuration"]["newConfig"] = {
        "someLimit": 1,
        "more": {"deepLimit": 2},
        "many": [{"oneOf": 3}],
    }
    (step,) = ask("solutions", wanted)["solutions"]
    assert step["create"]["NewConfig"] == {"SomeLimit": 1, "More": {"DeepLimit": 2}, "Many": [{"OneOf": 3}]}


def test_a_run_that_has_given_the_lock_back_does_not_go_on(ask: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="the run run does not hold the lock, another does; a run that has ended"):
        ask("imports", document(), holder="another")


def test_what_is_declared_and_belongs_to_another_dataset_group_is_left_alone(
    cloud: Cloud, ask: Callable[..., Any]
) -> None:
    make = Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    other = make.group("another")
    make.solution(other, "picks-1")
    with pytest.raises(ValueError, match="a solution named picks-1 exists already and does not carry"):
        ask("solutions", document())


def test_unknown_phase_is_refused(ask: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="phase is 'sleep'; allowed are imports, solutions and prune"):
        ask("sleep", document(datasets=[]))
