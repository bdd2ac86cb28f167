"""The planning function against the Personalize emulator: what it says is done, and then nothing is left to do."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from personalize_lambda.planner import imports
from personalize_lambda.planner.solutions import plan_solutions
from personalize_lambda.workflow import plan
from personalize_lambda.workflow.observe import observe, remaining
from personalize_local.personalize import Settings
from personalize_local.personalize.faults import Fault
from tests.local.personalize.kinds.test_recommenders import Videos
from tests.local.personalize.support import (
    ACCOUNT,
    BUCKET,
    REGION,
    ROLE,
    USERS_SCHEMA,
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


class Table:
    """DynamoDB as far as the function uses it."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}

    def get_item(self, *, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"Item": self.items[Key["id"]["S"]]} if Key["id"]["S"] in self.items else {}

    def put_item(self, *, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803
        self.items[Item["id"]["S"]] = Item


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
def table() -> Table:
    return Table()


@pytest.fixture
def ask(
    cloud: Cloud, table: Table, clients: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Plan from a phase on."""

    monkeypatch.setenv("LOCK_TABLE", "lock")

    def phase(
        name: str,
        wanted: dict[str, Any],
        failed: tuple[str, ...] = (),
        holder: str = "run",
        run: str = "run",
        **input: Any,
    ) -> Any:
        clients(personalize=cloud.personalize, s3=Bucket(cloud, wanted), dynamodb=table)
        table.items["lock"] = {"execution": {"S": holder}}
        event = {
            "phase": name,
            "document": {"bucket": BUCKET, "key": "k"},
            "execution": run,
            "input": input,
            "failedImports": failed,
        }
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


def todo(plan: dict[str, Any]) -> dict[str, Any]:
    """What of a plan is not empty."""
    return {part: entries for part, entries in plan.items() if entries}


def test_plan_is_carried_out_until_nothing_is_left(cloud: Cloud, ask: Callable[..., Any]) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.dataset(make.group())
    wanted = document()
    no_data = [f"interactions: no CSV file in s3://{BUCKET}/interactions/ yet", "picks-1: data for interactions"]
    assert todo(ask("imports", wanted)) == {"waitingFor": no_data}
    assert todo(ask("solutions", wanted)) == {"waitingFor": no_data[1:]}

    cloud.buckets.put("interactions/a.csv", interactions_csv())
    plan = ask("imports", wanted)
    (step,) = plan["imports"]
    assert plan["next"] == "solutions"
    import_all(client, make, step)

    plan = ask("imports", wanted)
    (step,) = plan["solutions"]
    assert (plan["imports"], plan["next"]) == ([], "prune")
    assert step["create"]["SolutionConfig"] == {"AlgorithmHyperParameters": {"apply_recency_bias": "true"}}
    solution = client.create_solution(**camel(step["create"]))["solutionArn"]
    assert solution == step["solutionArn"]
    make.wait("solution", solution)
    version = client.create_solution_version(**camel(step["train"]))["solutionVersionArn"]
    make.wait("solution_version", version)
    (action,) = step["campaigns"]
    client.create_campaign(**camel(action["arguments"]), solutionVersionArn=version)
    make.wait("campaign", action["campaignArn"])
    assert not todo(ask("imports", wanted))
    assert remaining(wanted, personalize=client) == ["campaign live (ACTIVE)", "solution picks-1 (ACTIVE)"]

    pruned = ask("imports", document(solutions=[]))
    assert [entry["campaignArn"] for entry in pruned["campaigns"]] == [action["campaignArn"]]
    assert [entry["solutionArn"] for entry in pruned["prunedSolutions"]] == [solution]


def import_all(client: Any, make: Builder, step: dict[str, Any]) -> None:
    """Run the jobs of a step one after another."""
    for entry in step["jobs"]:
        job = client.create_dataset_import_job(**camel(entry["create"]))["datasetImportJobArn"]
        assert job == entry["arn"]
        make.wait("dataset_import_job", job)


def test_additions_are_imported_once_each_and_again_when_all_is_replaced(cloud: Cloud, ask: Callable[..., Any]) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.dataset(make.group())
    wanted = document()
    wanted["datasets"][0]["incremental"] = {"bucket": BUCKET, "prefix": "more/"}
    cloud.buckets.put("more/1.csv", interactions_csv(seed=2))
    assert "can only be added to what was imported from there" in ask("imports", wanted)["waitingFor"][0]

    expected = {"interactions/a.csv": ["FULL", "INCREMENTAL"], "more/week/2.csv": ["INCREMENTAL"]}
    for seed, (key, modes) in enumerate(expected.items()):
        cloud.buckets.put(key, interactions_csv(seed=seed + 3))
        (step,) = ask("imports", wanted)["imports"]
        assert [entry["create"]["ImportMode"] for entry in step["jobs"]] == modes
        import_all(client, make, step)
        assert ask("imports", wanted)["imports"] == []

    cloud.advance(60)
    cloud.buckets.put("interactions/a.csv", interactions_csv(seed=9))
    (step,) = ask("imports", wanted, holder="later", run="later")["imports"]
    import_all(client, make, step)
    assert [entry["create"]["ImportMode"] for entry in step["jobs"]] == ["FULL", "INCREMENTAL", "INCREMENTAL"]
    assert ask("imports", wanted)["imports"] == []


def test_many_additions_are_imported_in_rounds(
    cloud: Cloud, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_JOBS", 5)
    client, make = cloud.personalize, Builder(cloud)
    dataset = make.dataset(make.group(), "Users", USERS_SCHEMA)
    wanted = document(solutions=[])
    wanted["datasets"][0] |= {"datasetArn": dataset, "incremental": {"bucket": BUCKET, "prefix": "more/"}}
    keys = ["interactions/a.csv", *(f"more/{number:02}.csv" for number in range(12))]
    for number, key in enumerate(keys):
        cloud.buckets.put(key, f"USER_ID,AGE\nu{number},{number}\n")
    rounds = []
    while not rounds or rounds[-1]["next"]:
        rounds.append(ask("imports", wanted))
        for step in rounds[-1]["imports"]:
            import_all(client, make, step)
            cloud.advance(60)
    assert [(plan["next"], len(plan["imports"][0]["jobs"])) for plan in rounds] == [
        ("imports", 5),
        ("imports", 5),
        (None, 3),
    ]
    pages = client.get_paginator("list_dataset_import_jobs").paginate(datasetArn=dataset)
    jobs = [job["datasetImportJobArn"] for page in pages for job in page["datasetImportJobs"]]
    described = [client.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"] for arn in jobs]
    made = sorted(described, key=lambda job: job["creationDateTime"])
    assert [job["dataSource"]["dataLocation"].removeprefix(f"s3://{BUCKET}/") for job in made] == [
        "interactions/",
        *keys[1:],
    ]
    assert ask("imports", wanted)["imports"] == []


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
    solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS)
    version = make.version(solution)
    make.campaign(version, tags=TAGS)
    wanted = document()
    wanted["solutions"][0]["configuration"] = {"recipeArn": V2, "performAutoTraining": False}
    campaign = wanted["solutions"][0]["campaigns"][0]
    assert not todo(ask("solutions", wanted))

    for schedule in ("rate(7 days)", "rate(1 day)", None):
        wanted["solutions"][0]["configuration"] = {
            "recipeArn": V2,
            "performAutoTraining": bool(schedule),
            "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": schedule}} if schedule else {},
        }
        (step,) = ask("solutions", wanted)["solutions"]
        assert (step["create"], step["train"], step["campaigns"]) == (None, None, [])
        client.update_solution(**camel(step["update"]))
        assert not todo(ask("solutions", wanted))  # while it is being updated
        while _update_status(client, solution) != "ACTIVE":
            pass
        assert client.describe_solution(solutionArn=solution)["solution"]["performAutoTraining"] is bool(schedule)
        assert not todo(ask("solutions", wanted))

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
    assert not todo(ask("solutions", wanted))
    newer = make.version(solution)
    served = newer if follows else version
    while _campaign(client, campaign["campaignArn"])[0] != served:
        pass
    steps = ask("solutions", wanted)["solutions"]
    assert [step["solutionVersionArn"] for step in steps] == ([] if follows else [newer])


def test_retraining_and_rollback(cloud: Cloud, ask: Callable[..., Any]) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS)
    first = make.version(solution)
    make.campaign(first, tags=TAGS)
    wanted = document()
    wanted["solutions"][0] |= {
        "configuration": {"recipeArn": V2, "performAutoTraining": False},
        "training": {"every": 3600.0},
        "gate": {"thresholds": [{"metric": "coverage", "minimum": 0, "maxDrop": 1}], "firstVersion": "SERVE"},
    }
    assert ask("solutions", wanted)["solutions"] == []
    cloud.advance(3601)
    (step,) = ask("solutions", wanted)["solutions"]
    assert step["train"] == {
        "SolutionArn": solution,
        "TrainingMode": "FULL",
        "Tags": [{"TagKey": "cdk-personalize:owner", "TagValue": "films"}],
    }
    assert step["gate"]["solutionVersionArn"] == first
    second = make.version(solution)
    client.update_campaign(campaignArn=f"{PREFIX}:campaign/live", solutionVersionArn=second)
    while _campaign(client, f"{PREFIX}:campaign/live") != (second, "ACTIVE"):
        pass
    assert ask("solutions", wanted)["solutions"] == []

    with pytest.raises(ValueError, match=f"possible: {second}, {first}|possible: {first}, {second}"):
        ask("imports", wanted, rollback=f"{first}0")
    (step,) = ask("solutions", wanted, rollback=first)["solutions"]
    for verdict in step["verdicts"]:
        client.tag_resource(**camel(verdict))
    assert step["campaigns"][0]["arguments"]["CampaignArn"] == f"{PREFIX}:campaign/live"
    client.update_campaign(**camel(step["campaigns"][0]["arguments"]), solutionVersionArn=step["solutionVersionArn"])
    while _campaign(client, f"{PREFIX}:campaign/live") != (first, "ACTIVE"):
        pass
    assert ask("solutions", wanted)["solutions"] == []
    cloud.advance(3601)
    (step,) = ask("solutions", wanted)["solutions"]
    assert (step["train"]["TrainingMode"], step["otherwise"]["solutionVersionArn"]) == ("FULL", first)


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
    with pytest.raises(ValueError, match="phase is 'sleep'; allowed are imports, solutions, prune"):
        ask("sleep", document(datasets=[]))


def declared_job(kind: str, configuration: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": kind,
        "jobPrefix": f"films-{kind}",
        "roleArn": ROLE,
        "tags": TAGS,
        "configuration": configuration,
        **members,
    }


def batch_job(kind: str, solution: str) -> dict[str, Any]:
    configuration = {
        "jobInput": {"s3DataSource": {"path": f"s3://{BUCKET}/{kind}/in/"}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/{kind}/out/"}},
        "numResults": 3,
    }
    source = {"bucket": BUCKET, "prefix": f"{kind}/in/", "suffix": ""}
    return declared_job(kind, configuration, input=source, solutionArn=f"{PREFIX}:solution/{solution}")


def test_jobs_are_run_until_nothing_is_left(cloud: Cloud, ask: Callable[..., Any]) -> None:
    client, make = cloud.personalize, Builder(cloud)
    group = make.group()
    make.import_csv(make.dataset(group), interactions_csv())
    affinity = "arn:aws:personalize:::recipe/aws-item-affinity"
    for name, arguments in (("picks-1", {}), ("segments-1", {"recipeArn": affinity})):
        make.version(make.solution(group, name, tags=TAGS, **arguments))
    wanted = document(
        datasets=[],
        solutions=[
            {
                "name": name,
                "solutionArn": f"{PREFIX}:solution/{name}",
                "configuration": {},
                "tags": TAGS,
                "campaigns": [],
            }
            for name in ("picks-1", "segments-1")
        ],
        jobs=[
            batch_job("BatchInferenceJob", "picks-1"),
            batch_job("BatchSegmentJob", "segments-1"),
            declared_job(
                "DatasetExportJob",
                {
                    "ingestionMode": "ALL",
                    "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/export/"}},
                },
                datasetArn=f"{PREFIX}:dataset/films/INTERACTIONS",
            ),
            declared_job(
                "DataDeletionJob",
                {"dataSource": {"dataLocation": f"s3://{BUCKET}/forget/"}},
                input={"bucket": BUCKET, "prefix": "forget/", "suffix": ".csv"},
                datasetGroupArn=group,
            ),
        ],
    )
    wanted["datasets"] = document()["datasets"]
    cloud.buckets.put("BatchInferenceJob/in/", "")
    assert ask("imports", wanted)["deletions"] == []
    planned = ask("prune", wanted)
    assert planned["waitingFor"] == []
    assert [step["kind"] for step in planned["jobs"]] == ["DatasetExportJob"]

    del cloud.buckets.objects[BUCKET, "BatchInferenceJob/in/"]
    cloud.buckets.put("BatchInferenceJob/in/users.json", '{"userId": "u1"}\n')
    cloud.buckets.put("BatchSegmentJob/in/items.json", '{"itemId": "i1"}\n')
    cloud.buckets.put("forget/read-me.txt", "USER_ID\nu1\n")
    assert ask("imports", wanted)["deletions"] == []
    cloud.buckets.put("forget/users.csv", "USER_ID\nu3\n")
    steps = [*ask("imports", wanted)["deletions"], *ask("prune", wanted)["jobs"]]
    assert [step["kind"] for step in steps] == [
        "DataDeletionJob",
        "BatchInferenceJob",
        "BatchSegmentJob",
        "DatasetExportJob",
    ]
    for step in steps:
        kind = re.sub("(?=[A-Z])", "_", step["kind"]).lower().removeprefix("_")
        answer = getattr(client, f"create_{kind}")(**camel(step["create"]))
        assert next(iter(answer.values())) == step["createArn"]
        make.wait(kind, step["createArn"], until=("ACTIVE", "COMPLETED"))
        name = step["create"]["JobName"]
        if step["output"]:
            assert step["output"].endswith(f"/{name}/")
            folder = step["output"].removeprefix(f"s3://{BUCKET}/")
            assert [key for _, key in cloud.buckets.objects if key.startswith(folder)], step
    assert ask("imports", wanted)["deletions"] == []
    assert ask("prune", wanted)["jobs"] == []
    assert remaining(wanted, personalize=client) == ["solution picks-1 (ACTIVE)", "solution segments-1 (ACTIVE)"]

    world = observe(wanted, personalize=client, s3=Bucket(cloud, wanted))
    described = client.describe_data_deletion_job(dataDeletionJobArn=steps[0]["createArn"])["dataDeletionJob"]
    assert described["numDeleted"] == 25
    assert world.last_deletion == described["lastUpdatedDateTime"].timestamp()
    versions = [version for state in world.solutions.values() for version in state.versions]
    assert all(version.created < world.last_deletion for version in versions)

    make.version(f"{PREFIX}:solution/picks-1")
    cloud.buckets.put("forget/users.csv", "USER_ID\nu5\n")
    assert [step["kind"] for step in ask("prune", wanted)["jobs"]] == ["BatchInferenceJob"]
    assert [step["running"] for step in ask("imports", wanted)["deletions"]] == [None]


def test_jobs_under_way_are_followed_and_pages_are_read_to_the_end(
    cloud: Cloud, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, make = cloud.personalize, Builder(cloud)
    group = make.group()
    deletion = declared_job(
        "DataDeletionJob",
        {"dataSource": {"dataLocation": f"s3://{BUCKET}/forget/"}},
        input={"bucket": BUCKET, "prefix": "forget/", "suffix": ".csv"},
        datasetGroupArn=group,
    )
    wanted = document(datasets=[], solutions=[], jobs=[deletion])
    cloud.buckets.put("forget/users.csv", "USER_ID\nu3\n")
    (step,) = ask("imports", wanted)["deletions"]
    job = client.create_data_deletion_job(**camel(step["create"]))["dataDeletionJobArn"]
    for number in range(3):
        client.create_data_deletion_job(**{**camel(step["create"]), "jobName": f"by-hand-{number}"})
    list_jobs = client.list_data_deletion_jobs
    monkeypatch.setattr(client, "list_data_deletion_jobs", lambda **given: list_jobs(maxResults=1, **given))

    found = observe(wanted, personalize=client, s3=Bucket(cloud, wanted)).jobs["films-DataDeletionJob"]

    assert [each.arn for each in found.jobs] == [job]
    make.wait("data_deletion_job", job, until=("COMPLETED",))
    assert ask("imports", wanted)["deletions"] == []


def test_a_dataset_that_is_exported_is_described_once(
    cloud: Cloud, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, make = cloud.personalize, Builder(cloud)
    dataset = make.dataset(make.group())
    make.import_csv(dataset, interactions_csv())
    output = {"s3DataDestination": {"path": f"s3://{BUCKET}/export/"}}
    export = declared_job("DatasetExportJob", {"ingestionMode": "ALL", "jobOutput": output}, datasetArn=dataset)
    described: list[str] = []
    describe = client.describe_dataset
    monkeypatch.setattr(
        client, "describe_dataset", lambda **given: described.append(given["datasetArn"]) or describe(**given)
    )
    for number in (1, 2):
        (step,) = ask("prune", document(jobs=[export]))["jobs"]
        assert described == [dataset] * number
    job = client.create_dataset_export_job(**camel(step["create"]))["datasetExportJobArn"]
    make.wait("dataset_export_job", job)
    assert ask("prune", document(jobs=[export]))["jobs"] == []


def test_imports_that_nothing_depends_on_leave_nothing_to_plan_later(cloud: Cloud, ask: Callable[..., Any]) -> None:
    make = Builder(cloud)
    make.dataset(make.group())
    cloud.buckets.put("interactions/a.csv", interactions_csv())
    plan = ask("imports", document(solutions=[]))
    assert set(todo(plan)) == {"imports"}
    assert plan["next"] is None


def test_what_a_run_would_do_is_told_without_the_lock(cloud: Cloud, ask: Callable[..., Any]) -> None:
    make = Builder(cloud)
    group = make.group()
    make.dataset(group)
    make.solution(group, "former", tags=TAGS)
    cloud.buckets.put("interactions/a.csv", interactions_csv())
    told = ask("imports", document(), holder="another", mode="plan")
    assert told["steps"] == [
        "import interactions",
        "create solution picks-1",
        "train solution picks-1 (FULL)",
        "create campaign live",
        "delete solution former",
    ]
    assert (told["status"], told["waitingFor"], told["imported"]) == ("PLANNED", [], ["interactions"])
    assert told["solutions"] == [{"name": "picks-1", "solutionVersionArn": None, "metrics": {}, "campaigns": ["live"]}]
    assert told["pruned"] == ["former"]


def test_what_was_changed_by_hand_is_named_by_the_next_run_and_by_no_later_one(
    cloud: Cloud, ask: Callable[..., Any]
) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS)
    campaign = make.campaign(make.version(solution), tags=TAGS)
    wanted = document()
    wanted["solutions"][0]["configuration"] = {"recipeArn": V2, "performAutoTraining": False}
    assert ask("imports", wanted, holder="first", run="first")["drift"] == []

    client.update_campaign(campaignArn=campaign, minProvisionedTPS=7)
    while _campaign(client, campaign)[1] != "ACTIVE":
        pass
    drift = ["campaign live minProvisionedTPS is 7, was 1"]
    assert ask("imports", wanted, mode="plan")["drift"] == drift
    plan = ask("imports", wanted)
    assert (plan["drift"], plan["next"]) == (drift, "prune")
    assert [step["action"] for step in plan["solutions"][0]["campaigns"]] == ["update"]
    # asked again after it broke off, and in each phase, it tells the same; the run tells what it was told last
    assert [ask(phase, wanted)["drift"] for phase in ("imports", "solutions", "prune")] == [drift] * 3
    # a run that stops here leaves a change of its own behind, which is no drift
    assert ask("imports", wanted, holder="later", run="later")["drift"] == []


def test_what_was_remembered_before_runs_were_is_read(table: Table, ask: Callable[..., Any], cloud: Cloud) -> None:
    make = Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    left = {f"{PREFIX}:campaign/live": {"name": "live", "minProvisionedTPS": 1}}
    table.items["left"] = {"id": {"S": "left"}, "left": {"S": json.dumps(left)}}
    assert ask("imports", document())["drift"] == ["campaign live is gone"]


def test_a_run_that_crashes_once_it_has_remembered_tells_its_drift_when_it_is_asked_again(
    cloud: Cloud, table: Table, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    table.items["left"] = {
        "id": {"S": "left"},
        "left": {"S": json.dumps({f"{PREFIX}:campaign/live": {"name": "live"}})},
    }
    put_item = table.put_item

    def crash(**given: Any) -> None:
        put_item(**given)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(table, "put_item", crash)
    with pytest.raises(RuntimeError, match="out of memory"):
        ask("imports", document())
    monkeypatch.setattr(table, "put_item", put_item)
    assert ask("imports", document())["drift"] == ["campaign live is gone"]


def test_what_is_kept_is_not_left_to_remove(cloud: Cloud) -> None:
    client, make = cloud.personalize, Builder(cloud)
    make.import_csv(make.dataset(make.group()), interactions_csv())
    solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS)
    nothing = document(datasets=[], solutions=[])
    assert remaining(nothing, personalize=client) == ["solution picks-1 (ACTIVE)"]
    assert remaining({**nothing, "keptSolutions": [solution]}, personalize=client) == []


def test_an_update_under_way_is_waited_for_and_not_made_again() -> None:
    cloud = Cloud(Settings(time_scale=1))
    try:
        client, make = cloud.personalize, Builder(cloud)
        make.import_csv(make.dataset(make.group()), interactions_csv())
        solution = make.solution(f"{PREFIX}:dataset-group/films", "picks-1", tags=TAGS)
        first = make.version(solution)
        campaign = make.campaign(first, tags=TAGS)
        second = make.version(solution)
        client.update_campaign(campaignArn=campaign, solutionVersionArn=second, minProvisionedTPS=2)

        def actions(requests: int) -> list[str]:
            wanted = document()
            wanted["solutions"][0]["campaigns"][0]["configuration"] = {"minProvisionedTPS": requests}
            there = observe(wanted, personalize=client, s3=Bucket(cloud, wanted))
            steps = plan_solutions(wanted, there, [])["solutions"]
            return [action["action"] for step in steps for action in step["campaigns"]]

        assert _campaign(client, campaign) == (first, "CREATE PENDING")
        assert (actions(2), actions(1)) == (["wait"], ["update"])
        while _campaign(client, campaign)[1] != "ACTIVE":
            assert actions(2) in (["wait"], [])
            cloud.advance(60)
        assert (actions(2), actions(1)) == ([], ["update"])
    finally:
        cloud.service.close()


def test_what_an_update_under_way_makes_of_a_recommender_is_read() -> None:
    cloud = Cloud(Settings(time_scale=1))
    try:
        client, videos = cloud.personalize, Videos(cloud)
        arn = videos.recommender()

        def configured() -> tuple[bool, int]:
            wanted = {**document(datasets=[], solutions=[]), "recommenders": [], "datasetGroupArn": videos.group_arn}
            found = observe(wanted, personalize=client, s3=None).recommenders[arn]
            return found.is_busy, found.configuration["minRecommendationRequestsPerSecond"]

        assert configured() == (False, 1)
        client.update_recommender(recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 2})
        assert configured() == (True, 2)
        videos.wait_for_update(arn)
        assert configured() == (False, 2)

        cloud.service.faults.add(Fault("UpdateRecommender", failure_reason="The service is tired."))
        client.update_recommender(recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 3})
        assert configured() == (True, 3)
        assert videos.wait_for_update(arn)["latestRecommenderUpdate"]["status"] == "CREATE FAILED"
        assert configured() == (False, 2)
    finally:
        cloud.service.close()
