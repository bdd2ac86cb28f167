"""The life of one app, from its first deployment without data to its removal.

The tests run in the order in which they stand: each changes what the one before has left.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest

import cdk_personalize as personalize
from tools.assembly import DeploymentError

from .deployer import CommandError, Deployer
from .shop import DESTROY, Shop, interactions, items
from .used import assert_all_used

SHOP = Shop()
WORK = ("CreateDatasetImportJob", "CreateSolutionVersion", "CreateSolution", "CreateCampaign", "UpdateCampaign")


@pytest.fixture(scope="module")
def outputs(deployer: Deployer) -> dict[str, str]:
    return deployer.deploy(SHOP, cli=True)


def work_since(deployer: Deployer, number: int) -> list[str]:
    return [call["operation"] for call in deployer.cloud.calls(since=number) if call["operation"] in WORK]


def last_call(deployer: Deployer) -> int:
    calls = deployer.cloud.calls()
    return int(calls[-1]["number"]) if calls else 0


def dataset(deployer: Deployer, outputs: dict[str, str], kind: str) -> dict[str, Any]:
    arn = outputs["Group"].replace(":dataset-group/", ":dataset/") + f"/{kind}"
    described: dict[str, Any] = deployer.cloud.client("personalize").describe_dataset(datasetArn=arn)["dataset"]
    return described


def columns(deployer: Deployer, outputs: dict[str, str], kind: str) -> str:
    arn = dataset(deployer, outputs, kind)["schemaArn"]
    return str(deployer.cloud.client("personalize").describe_schema(schemaArn=arn)["schema"]["schema"])


def test_first_deploy_without_data_says_what_it_waits_for(deployer: Deployer, outputs: dict[str, str]) -> None:
    run = deployer.settled(outputs)
    assert run["status"] == "SUCCEEDED"
    assert run["output"]["status"] == "WAITING"
    waiting = " ".join(run["output"]["waitingFor"])
    assert f"interactions: no CSV file in s3://{outputs['Bucket']}/interactions/ yet" in waiting
    assert f"items: no CSV file in s3://{outputs['Bucket']}/items/ yet" in waiting


def test_files_uploaded_later_start_a_run_by_themselves(deployer: Deployer, outputs: dict[str, str]) -> None:
    before = len(deployer.runs(outputs))
    deployer.upload(outputs, interactions=interactions(), items=items())
    run = deployer.settled(outputs, more_than=before)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    assert len(deployer.recommend(outputs)) == 25
    versions = deployer.cloud.client("personalize").list_solution_versions(solutionArn=outputs["Solution"])
    assert [version["status"] for version in versions["solutionVersions"]] == ["ACTIVE"]
    assert work_since(deployer, 0).count("CreateDatasetImportJob") == 2


def test_run_by_hand_finds_nothing_to_do(deployer: Deployer, outputs: dict[str, str]) -> None:
    before, runs = last_call(deployer), len(deployer.runs(outputs))
    deployer.cloud.client("stepfunctions").start_execution(stateMachineArn=outputs["Workflow"])
    run = deployer.settled(outputs, more_than=runs)
    assert run["output"]["status"] == "COMPLETED"
    assert work_since(deployer, before) == []


def test_changed_minimum_tps_updates_only_the_campaign(deployer: Deployer, outputs: dict[str, str]) -> None:
    before, runs = last_call(deployer), len(deployer.runs(outputs))
    deployer.deploy(replace(SHOP, tps=2), cli=True)
    assert deployer.settled(outputs, more_than=runs)["status"] == "SUCCEEDED"
    assert work_since(deployer, before) == ["UpdateCampaign"]
    campaign = deployer.cloud.client("personalize").describe_campaign(campaignArn=outputs["Campaign"])["campaign"]
    assert campaign["minProvisionedTPS"] == 2


def test_nullable_column_evolves_the_items_in_place(deployer: Deployer, outputs: dict[str, str]) -> None:
    created = dataset(deployer, outputs, "ITEMS")["creationDateTime"]
    before = last_call(deployer)
    deployer.deploy(replace(SHOP, tps=2, color=True))
    deployer.settled(outputs)
    assert dataset(deployer, outputs, "ITEMS")["creationDateTime"] == created
    assert "COLOR" in columns(deployer, outputs, "ITEMS")
    assert "DeleteDataset" not in [call["operation"] for call in deployer.cloud.calls(since=before)]
    assert work_since(deployer, before) == []
    assert len(deployer.recommend(outputs)) == 25


def test_column_removed_from_interactions_is_refused(deployer: Deployer, outputs: dict[str, str]) -> None:
    created = dataset(deployer, outputs, "INTERACTIONS")["creationDateTime"]
    with pytest.raises(CommandError, match="EVENT_VALUE"):
        deployer.deploy(replace(SHOP, tps=2, color=True, event_value=False), cli=True)
    assert deployer.stack(SHOP.stack)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert dataset(deployer, outputs, "INTERACTIONS")["creationDateTime"] == created
    assert "EVENT_VALUE" in columns(deployer, outputs, "INTERACTIONS")
    assert len(deployer.recommend(outputs)) == 25


def test_failed_deploy_that_evolved_a_schema_rolls_back_with_the_data(
    deployer: Deployer, outputs: dict[str, str]
) -> None:
    deployer.cloud.fail("CreateFilter", code="LimitExceededException", message="too many filters", times=20)
    more = (*SHOP.filters, ("Books", 'INCLUDE ItemID WHERE Items.CATEGORY IN ("books")'))
    evolved = replace(SHOP, tps=2, color=True, filters=more)
    created = dataset(deployer, outputs, "ITEMS")["creationDateTime"]
    try:
        with pytest.raises(DeploymentError, match="too many filters"):
            deployer.deploy(evolved)
    finally:
        deployer.cloud._admin("forget_faults", {})
    assert deployer.stack(SHOP.stack)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert dataset(deployer, outputs, "ITEMS")["creationDateTime"] == created
    assert len(deployer.recommend(outputs)) == 25
    deployer.settled(outputs)


def test_changed_tag_replaces_nothing(deployer: Deployer, outputs: dict[str, str]) -> None:
    before = last_call(deployer)
    assert deployer.deploy(replace(SHOP, tps=2, color=True, team="blue", season=None)) == outputs
    deployer.settled(outputs)
    operations = {call["operation"] for call in deployer.cloud.calls(since=before)}
    assert not {name for name in operations if name.startswith(("Create", "Delete"))}
    personalize_client = deployer.cloud.client("personalize")
    tagged = [outputs["Group"], dataset(deployer, outputs, "ITEMS")["datasetArn"]]
    for arn in tagged:
        tags = personalize_client.list_tags_for_resource(resourceArn=arn)["tags"]
        assert {"tagKey": "team", "tagValue": "blue"} in tags
        assert "season" not in {tag["tagKey"] for tag in tags}


def test_changed_filter_expression_is_replaced(deployer: Deployer, outputs: dict[str, str]) -> None:
    books = 'INCLUDE ItemID WHERE Items.CATEGORY IN ("books")'
    deployer.deploy(replace(SHOP, tps=2, color=True, team="blue", filters=(("Unseen", books),)))
    filters = deployer.cloud.client("personalize").list_filters(datasetGroupArn=outputs["Group"])["Filters"]
    assert [entry["status"] for entry in filters] == ["ACTIVE"]
    found = deployer.recommend(outputs, filterArn=filters[0]["filterArn"])
    assert found
    assert all(int(item.split("-")[1]) % 4 == 0 for item in found)
    deployer.settled(outputs)


def test_changed_recipe_serves_throughout_and_removes_the_old_solution(
    deployer: Deployer, outputs: dict[str, str]
) -> None:
    runs = len(deployer.runs(outputs))
    with deployer.constant_client(outputs) as lengths:
        changed = deployer.deploy(
            replace(SHOP, tps=2, color=True, team="blue", recipe=personalize.Recipe.USER_PERSONALIZATION)
        )
        run = deployer.settled(outputs, more_than=runs)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    assert changed["Campaign"] == outputs["Campaign"]
    assert changed["Solution"] != outputs["Solution"]
    assert len(lengths) > 50
    assert set(lengths) == {25}
    client = deployer.cloud.client("personalize")
    solutions = client.list_solutions(datasetGroupArn=outputs["Group"])["solutions"]
    assert [solution["solutionArn"] for solution in solutions] == [changed["Solution"]]
    campaign = client.describe_campaign(campaignArn=outputs["Campaign"])["campaign"]
    assert campaign["solutionVersionArn"].startswith(changed["Solution"])


CHANGED = replace(SHOP, tps=2, color=True, team="blue", recipe=personalize.Recipe.USER_PERSONALIZATION)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE\nu,i,view,1\n", "line 1: the header lacks TIMESTAMP"),
        (interactions().replace("1700000060", "yesterday"), "line 3, column TIMESTAMP: 'yesterday' is not a long"),
        (interactions().replace("user-1,", ",", 1), r"line \d+, column USER_ID: is empty; a string is required"),
        (interactions(999), "has 999 records, a FULL import of interactions needs at least 1000"),
    ],
    ids=["column missing", "bad timestamp", "empty id", "too few"],
)
def test_bad_file_is_not_imported_and_the_campaign_goes_on(
    deployer: Deployer, outputs: dict[str, str], bad: str, reason: str
) -> None:
    before, runs, queue = last_call(deployer), len(deployer.runs(outputs)), deployer.subscribe(outputs)
    deployer.upload(outputs, interactions=bad)
    run = deployer.settled(outputs, more_than=runs)
    assert run["status"] == "FAILED"
    assert any("import of interactions" in message for message in deployer.told(queue))
    assert re.search(f"import of interactions: s3://{outputs['Bucket']}/interactions/.*{reason}", run["cause"])
    bucket, key = re.findall(r"All that was found: s3://([^/]+)/(\S+\.json)", run["cause"])[0]
    report = json.loads(deployer.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert re.search(reason, report["problems"][0])
    assert work_since(deployer, before) == []
    assert len(deployer.recommend(outputs)) == 25


def test_good_file_mends_it(deployer: Deployer, outputs: dict[str, str]) -> None:
    runs = len(deployer.runs(outputs))
    deployer.upload(outputs, interactions=interactions(3100))
    assert deployer.settled(outputs, more_than=runs)["output"]["imported"] == ["interactions"]


def test_additions_are_imported_and_counted(deployer: Deployer, outputs: dict[str, str]) -> None:
    before, runs = last_call(deployer), len(deployer.runs(outputs))
    new = interactions(1200).replace(",17000", ",16000")  # what is there already does not count
    deployer.upload(outputs, **{"new-interactions": new})
    assert deployer.settled(outputs, more_than=runs)["output"]["imported"] == ["interactions"]
    assert work_since(deployer, before) == ["CreateDatasetImportJob"]
    arn = dataset(deployer, outputs, "INTERACTIONS")["datasetArn"]
    client = deployer.cloud.client("personalize")
    jobs = client.list_dataset_import_jobs(datasetArn=arn)["datasetImportJobs"]
    newest = max(jobs, key=lambda job: job["creationDateTime"])
    assert (newest["status"], newest["importMode"]) == ("ACTIVE", "INCREMENTAL")
    described = client.describe_dataset_import_job(datasetImportJobArn=newest["datasetImportJobArn"])
    assert described["datasetImportJob"]["dataSource"] == {
        "dataLocation": f"s3://{outputs['Bucket']}/new-interactions/data.csv"
    }
    assert described["datasetImportJob"]["publishAttributionMetricsToS3"] is True


def test_workflow_of_another_construct_id_takes_over_what_the_former_one_made(
    deployer: Deployer, outputs: dict[str, str]
) -> None:
    before = last_call(deployer)
    with deployer.constant_client(outputs) as lengths:
        for workflow in ("Lifecycle", "Workflow"):
            again = deployer.deploy(replace(CHANGED, workflow=workflow))
            assert deployer.settled(again)["status"] == "SUCCEEDED"
    assert set(lengths) == {25}
    assert work_since(deployer, before) == []
    assert again["Workflow"] == outputs["Workflow"]


def test_who_trains_what_follows_and_what_is_measured_change_in_place(
    deployer: Deployer, outputs: dict[str, str]
) -> None:
    before, runs = last_call(deployer), len(deployer.runs(outputs))
    changed = replace(
        CHANGED,
        training=personalize.Training.automatic(every=cdk.Duration.days(3)),
        follow_latest=True,
        attributed_metrics=("views", "seen"),
    )
    now = deployer.deploy(changed)
    run = deployer.settled(outputs, more_than=runs)
    assert run["status"] == "SUCCEEDED", run.get("cause")

    client = deployer.cloud.client("personalize")
    made = [call["operation"] for call in deployer.cloud.calls(since=before)]
    updates = [name for name in made if name.startswith(("Create", "Update", "Delete"))]
    assert sorted(updates) == ["UpdateCampaign", "UpdateMetricAttribution", "UpdateSolution"]
    solution = client.describe_solution(solutionArn=now["Solution"])["solution"]
    assert solution["performAutoTraining"] is True
    assert solution["solutionConfig"]["autoTrainingConfig"] == {"schedulingExpression": "rate(3 days)"}
    campaign = client.describe_campaign(campaignArn=now["Campaign"])["campaign"]
    assert campaign["campaignConfig"]["syncWithLatestSolutionVersion"] is True
    found = client.list_metric_attribution_metrics()["metrics"]
    assert {(metric["metricName"], metric["eventType"]) for metric in found} == {("VIEWS", "VIEW"), ("SEEN", "VIEW")}

    deployer.deploy(CHANGED)
    assert deployer.settled(outputs, more_than=runs + 1)["status"] == "SUCCEEDED"
    solution = client.describe_solution(solutionArn=now["Solution"])["solution"]
    assert solution["performAutoTraining"] is False


def test_campaign_removed_from_the_code_is_gone_after_the_next_run(deployer: Deployer, outputs: dict[str, str]) -> None:
    runs = len(deployer.runs(outputs))
    deployer.deploy(replace(CHANGED, campaign=False))
    run = deployer.settled(outputs, more_than=runs)
    assert run["output"]["pruned"] == [outputs["Campaign"].rsplit("/", 1)[1]]
    assert deployer.cloud.client("personalize").list_campaigns()["campaigns"] == []
    deployer.deploy(CHANGED)
    deployer.settled(outputs, more_than=runs + 1)
    assert len(deployer.recommend(outputs)) == 25


def left(deployer: Deployer) -> dict[str, list[str]]:
    """Everything of Personalize that is still there, and buckets and roles but for the CLI's own."""
    client = deployer.cloud.client("personalize")
    answers = {
        "dataset groups": client.list_dataset_groups()["datasetGroups"],
        "datasets": client.list_datasets()["datasets"],
        "schemas": client.list_schemas()["schemas"],
        "solutions": client.list_solutions()["solutions"],
        "campaigns": client.list_campaigns()["campaigns"],
        "filters": client.list_filters()["Filters"],
        "event trackers": client.list_event_trackers()["eventTrackers"],
        "metric attributions": client.list_metric_attributions()["metricAttributions"],
        "buckets": deployer.cloud.client("s3").list_buckets()["Buckets"],
        "roles": deployer.cloud.client("iam").list_roles()["Roles"],
    }
    names = {
        kind: [str(entry.get("name") or entry.get("Name") or entry.get("RoleName")) for entry in entries]
        for kind, entries in answers.items()
    }
    return {
        kind: [name for name in found if not name.startswith(("cdk-", "AWSServiceRole"))]
        for kind, found in names.items()
    }


def test_destroy_by_default_keeps_the_data_and_nothing_that_is_billed_by_the_hour(
    deployer: Deployer, outputs: dict[str, str]
) -> None:
    deployer.destroy(CHANGED)
    remains = left(deployer)
    assert len(remains["dataset groups"]) == 1
    assert len(remains["datasets"]) == 2
    for kind in ("solutions", "campaigns", "filters", "event trackers", "metric attributions"):
        assert remains[kind] == [], kind


def test_redeploy_adopts_the_data(deployer: Deployer, outputs: dict[str, str]) -> None:
    created = dataset(deployer, outputs, "INTERACTIONS")["creationDateTime"]
    before = last_call(deployer)
    again = deployer.deploy(CHANGED)
    run = deployer.settled(again)
    assert run["status"] == "SUCCEEDED", run.get("cause")
    assert again["Group"] == outputs["Group"]
    assert dataset(deployer, again, "INTERACTIONS")["creationDateTime"] == created
    made = {call["operation"] for call in deployer.cloud.calls("Create*", since=before) if call["error"] is None}
    assert not made & {"CreateDatasetGroup", "CreateDataset", "CreateSchema"}
    # the files went with the bucket, the data in the datasets did not: it is trained on again
    assert work_since(deployer, before) == ["CreateSolution", "CreateSolutionVersion", "CreateCampaign"]
    assert len(deployer.recommend(again)) == 25


def test_destroy_with_the_delete_policy_leaves_nothing(deployer: Deployer, outputs: dict[str, str]) -> None:
    deployer.deploy(replace(CHANGED, removal_policy=DESTROY))
    for kind in ("Dataset", "DatasetGroup", "MetricAttribution"):
        deployer.cloud.fail(f"Delete{kind}", code="ResourceInUseException")
    deployer.cloud.fail("DeleteCampaign", delay_seconds=1)  # so that the teardown has to wait for it
    deployer.destroy(replace(CHANGED, removal_policy=DESTROY), cli=True)
    assert {kind: names for kind, names in left(deployer).items() if names} == {}
    assert_all_used(deployer, SHOP.stack)
