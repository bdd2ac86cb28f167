"""AWS::Personalize::*: native templates, deployed by CloudFormation in the local cloud."""

import json
from typing import Any

import pytest

from personalize_local.cloud.adapter.cloudformation import ResourceHandler
from personalize_local.cloud.adapter.resource_types import TYPES
from personalize_local.cloud.client import LocalCloud
from personalize_local.personalize import Personalize, Settings, Uncertain
from personalize_local.personalize.operations import OPERATIONS
from personalize_local.personalize.uncertain import CLOUDFORMATION_REF
from tests.data_bucket import DataBucket

from ..personalize.support import Buckets
from .conftest import Stacks, unique, wait_for

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization"


def schema_text(dataset_type: str, *names: str) -> str:
    """An Avro schema with optional text columns beside the ids."""
    ids = {"Interactions": ("USER_ID", "ITEM_ID"), "Items": ("ITEM_ID",), "Users": ("USER_ID",)}[dataset_type]
    fields: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in ids]
    if dataset_type == "Interactions":
        fields += [{"name": "TIMESTAMP", "type": "long"}, {"name": "EVENT_TYPE", "type": "string"}]
    else:
        columns = names or ("COLOUR",)
        fields += [{"name": name, "type": ["null", "string"], "categorical": True} for name in columns]
    document = {"type": "record", "name": dataset_type, "namespace": "com.amazonaws.personalize.schema"}
    return json.dumps({**document, "fields": fields, "version": "1.0"})


SCHEMA = schema_text("Interactions")


def attribute(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def group_template(name: str, event_type: str = "watch", tags: dict[str, str] | None = None) -> dict[str, Any]:
    """A dataset group with interactions, an event tracker and a filter whose name follows its expression."""
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    resources: dict[str, Any] = {
        "Group": {"Type": "AWS::Personalize::DatasetGroup", "Properties": {"Name": name}},
        "Schema": {"Type": "AWS::Personalize::Schema", "Properties": {"Name": name, "Schema": SCHEMA}},
        "Interactions": {
            "Type": "AWS::Personalize::Dataset",
            "Properties": {
                "Name": name,
                "DatasetType": "Interactions",
                "DatasetGroupArn": attribute("Group", "DatasetGroupArn"),
                "SchemaArn": attribute("Schema", "SchemaArn"),
            },
        },
        "Tracker": {
            "Type": "AWS::Personalize::EventTracker",
            "DependsOn": "Interactions",
            "Properties": {
                "Name": name,
                "DatasetGroupArn": attribute("Group", "DatasetGroupArn"),
                "Tags": listed,
            },
        },
        "Filter": {
            "Type": "AWS::Personalize::Filter",
            "DependsOn": "Interactions",
            "Properties": {
                "Name": f"{name}-{event_type}",
                "DatasetGroupArn": attribute("Group", "DatasetGroupArn"),
                "FilterExpression": f'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("{event_type}")',
                "Tags": listed,
            },
        },
    }
    outputs = {
        "TrackingId": {"Value": attribute("Tracker", "TrackingId")},
        "TrackerArn": {"Value": attribute("Tracker", "EventTrackerArn")},
        "FilterArn": {"Value": attribute("Filter", "FilterArn")},
        "FilterStatus": {"Value": attribute("Filter", "Status")},
        "FilterRef": {"Value": {"Ref": "Filter"}},
    }
    return {"Resources": resources, "Outputs": outputs}


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


class TestResourceTypes:
    def test_life(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        personalize, name = personalize_local.client("personalize"), unique("g")
        stack = stacks.deploy(group_template(name, tags={"team": "a", "old": "x"}), name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.events(name)
        first = outputs(stack)
        assert first["FilterRef"] == first["FilterArn"]
        assert first["FilterStatus"] == "ACTIVE"
        tracker = personalize.describe_event_tracker(eventTrackerArn=first["TrackerArn"])["eventTracker"]
        assert tracker["trackingId"] == first["TrackingId"]

        tagged = outputs(stacks.deploy(group_template(name, tags={"team": "b", "new": "y"}), name))
        assert tagged == first
        tags = personalize.list_tags_for_resource(resourceArn=first["TrackerArn"])["tags"]
        assert {tag["tagKey"]: tag["tagValue"] for tag in tags} == {"team": "b", "new": "y"}

        replaced = outputs(stacks.deploy(group_template(name, "click", {"team": "b"}), name))
        assert replaced["TrackerArn"] == first["TrackerArn"]
        assert replaced["FilterArn"].endswith(f"{name}-click")
        with pytest.raises(personalize.exceptions.ResourceNotFoundException):
            personalize.describe_filter(filterArn=first["FilterArn"])

        stacks.delete(name)
        groups = personalize.list_dataset_groups()["datasetGroups"]
        assert name not in {group["name"] for group in groups}

    def test_a_changed_stack_tag_replaces_a_type_whose_tags_are_create_only(self, stacks: Stacks) -> None:
        name = unique("g")
        template = {"Resources": {"Group": {"Type": "AWS::Personalize::DatasetGroup", "Properties": {"Name": name}}}}
        stacks.deploy(template, name, Tags=[{"Key": "stage", "Value": "one"}])
        stack = stacks.deploy(template, name, Tags=[{"Key": "stage", "Value": "two"}])
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert any("already exists" in reason for _, _, reason in stacks.events(name))

    def test_what_is_to_be_retained_stays(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        """With the stack by DeletionPolicy, when it is replaced by UpdateReplacePolicy."""
        personalize, name = personalize_local.client("personalize"), unique("g")
        template = group_template(name)
        for policy, resource in (("DeletionPolicy", "Group"), ("UpdateReplacePolicy", "Filter")):
            template["Resources"][resource][policy] = "Retain"
        stack = stacks.deploy(template, name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.events(name)
        first = outputs(stack)["FilterArn"]
        changed = group_template(name, "click")
        for resource in ("Group", "Filter"):
            changed["Resources"][resource] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        second = outputs(stacks.deploy(changed, name))["FilterArn"]
        assert first != second
        kept = {each["filterArn"] for each in personalize.list_filters()["Filters"]}
        assert {first, second} <= kept
        # the filters keep the dataset, which is not retained
        for arn in (first, second):
            personalize.delete_filter(filterArn=arn)
        stacks.delete(name)
        group = next(
            each["datasetGroupArn"]
            for each in personalize.list_dataset_groups()["datasetGroups"]
            if each["name"] == name
        )
        assert personalize.list_datasets(datasetGroupArn=group)["datasets"] == []
        personalize.delete_dataset_group(datasetGroupArn=group)

    def test_what_fails_to_stabilize_leaves_nothing(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name = unique("g")
        personalize_local.fail("CreateFilter", failure_reason="it was asked to", name=f"{name}-*")
        stack = stacks.deploy(group_template(name), name)
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE", stacks.events(name)
        assert any("CREATE FAILED: it was asked to" in reason for _, _, reason in stacks.events(name))
        groups = personalize_local.client("personalize").list_dataset_groups()["datasetGroups"]
        assert name not in {group["name"] for group in groups}

    def test_what_failed_and_cannot_be_deleted_stays_in_the_stack(
        self, personalize_local: LocalCloud, stacks: Stacks
    ) -> None:
        name = unique("g")
        for verb, effect in (("Create", {"failure_reason": "it was asked to"}), ("Delete", {"code": "OtherException"})):
            personalize_local.fail(f"{verb}DatasetGroup", rate=1.0, **effect)
        try:
            stack = stacks.deploy({"Resources": {"Group": resource("DatasetGroup", Name=name)}}, name)
        finally:
            personalize_local.forget_faults()
        assert stack["StackStatus"] == "ROLLBACK_FAILED", stacks.events(name)
        stacks.delete(name)
        groups = personalize_local.client("personalize").list_dataset_groups()["datasetGroups"]
        assert name not in {group["name"] for group in groups}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::Personalize::{kind}", "Properties": properties}


def dataset_resources(name: str, dataset_type: str, *columns: str, **properties: Any) -> dict[str, Any]:
    """A dataset whose schema's name follows its columns, as a schema cannot change."""
    schema_name = "-".join([name, dataset_type, *columns])
    return {
        f"{dataset_type}Schema": resource("Schema", Name=schema_name, Schema=schema_text(dataset_type, *columns)),
        dataset_type: resource(
            "Dataset",
            Name=f"{name}-{dataset_type}",
            DatasetType=dataset_type,
            DatasetGroupArn=attribute("Group", "DatasetGroupArn"),
            SchemaArn=attribute(f"{dataset_type}Schema", "SchemaArn"),
            **properties,
        ),
    }


def import_job(bucket: DataBucket, job: str, folder: str = "data/") -> dict[str, Any]:
    return {"JobName": job, "DataSource": {"DataLocation": bucket.location + folder}, "RoleArn": bucket.role_arn}


def reasons(stacks: Stacks, name: str) -> str:
    return "\n".join(reason for _, _, reason in stacks.events(name))


def active_group(personalize: Any, name: str) -> str:
    """A dataset group that no stack made."""
    arn: str = personalize.create_dataset_group(name=name)["datasetGroupArn"]
    wait_for(
        lambda: personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE",
        "the dataset group",
    )
    return arn


@pytest.fixture(scope="module")
def bucket(personalize_local: LocalCloud) -> DataBucket:
    """1000 interactions."""
    made = DataBucket(personalize_local.client, unique("native"))
    rows = [f"u{number % 50},i{number % 30},{1_600_000_000 + number},watch" for number in range(1000)]
    made.put("data/a.csv", "\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", *rows]))
    return made


class TestEveryType:
    def test_a_stack_of_all_that_needs_no_training(
        self, personalize_local: LocalCloud, stacks: Stacks, bucket: DataBucket
    ) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")
        resources = {
            "Group": resource("DatasetGroup", Name=name, Tags=[{"Key": "team", "Value": "films"}]),
            **dataset_resources(name, "Interactions", DatasetImportJob=import_job(bucket, name)),
            **dataset_resources(name, "Items"),
            **dataset_resources(name, "Users"),
            "Solution": {
                **resource(
                    "Solution",
                    Name=name,
                    DatasetGroupArn=attribute("Group", "DatasetGroupArn"),
                    RecipeArn=RECIPE,
                    EventType="watch",
                    SolutionConfig={"EventValueThreshold": 0.5},
                ),
                "DependsOn": "Interactions",
            },
        }
        outputs_of = {f"{key}Ref": {"Value": {"Ref": key}} for key in resources}
        stack = stacks.deploy({"Resources": resources, "Outputs": outputs_of}, name, Tags=[{"Key": "x", "Value": "y"}])
        assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.events(name)
        made = outputs(stack)
        assert CLOUDFORMATION_REF == "ARN"
        assert all(value.startswith("arn:aws:personalize:") for value in made.values())
        job = personalize.list_dataset_import_jobs(datasetArn=made["InteractionsRef"])["datasetImportJobs"]
        assert [(found["jobName"], found["status"], found["importMode"]) for found in job] == [(name, "ACTIVE", "FULL")]
        solution = personalize.describe_solution(solutionArn=made["SolutionRef"])["solution"]
        assert solution["performAutoTraining"] is Uncertain().cloudformation_solution_trains
        assert solution["solutionConfig"]["eventValueThreshold"] == "0.5"
        tags = personalize.list_tags_for_resource(resourceArn=made["GroupRef"])["tags"]
        assert {tag["tagKey"]: tag["tagValue"] for tag in tags} == {"team": "films", "x": "y"}

        versions = personalize.list_solution_versions(solutionArn=made["SolutionRef"])["solutionVersions"]
        assert versions == []
        stacks.delete(name)
        assert name not in {group["name"] for group in personalize.list_dataset_groups()["datasetGroups"]}

    @pytest.mark.skipif(
        ("personalize", "CreateMetricAttribution") not in OPERATIONS, reason="metric attributions are not emulated yet"
    )
    def test_a_metric_attribution(self, personalize_local: LocalCloud, stacks: Stacks, bucket: DataBucket) -> None:
        name = unique("g")

        def template(prefix: str, metric: str = "views") -> dict[str, Any]:
            attribution = resource(
                "MetricAttribution",
                Name=name,
                DatasetGroupArn=attribute("Group", "DatasetGroupArn"),
                Metrics=[{"EventType": "watch", "MetricName": metric, "Expression": "SAMPLECOUNT()"}],
                MetricsOutputConfig={
                    "RoleArn": bucket.role_arn,
                    "S3DataDestination": {"Path": bucket.location + prefix},
                },
            )
            resources = {
                "Group": resource("DatasetGroup", Name=name),
                **dataset_resources(name, "Interactions"),
                "Attribution": {**attribution, "DependsOn": "Interactions"},
            }
            return {"Resources": resources, "Outputs": {"Arn": {"Value": {"Ref": "Attribution"}}}}

        personalize = personalize_local.client("personalize")
        stack = stacks.deploy(template("one/"), name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.events(name)
        arn = outputs(stack)["Arn"]
        metrics = personalize.list_metric_attribution_metrics(metricAttributionArn=arn)["metrics"]
        assert [(metric["eventType"], metric["metricName"]) for metric in metrics] == [("WATCH", "VIEWS")]
        assert drifted(stacks, name)["Attribution"] == "IN_SYNC"

        assert outputs(stacks.deploy(template("two/"), name))["Arn"] == arn
        config = personalize.describe_metric_attribution(metricAttributionArn=arn)["metricAttribution"]
        assert config["metricsOutputConfig"]["s3DataDestination"]["path"] == f"{bucket.location}two/"

        stack = stacks.deploy(template("two/", "clicks"), name)
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        stacks.delete(name)


class TestRefusals:
    @pytest.mark.parametrize(
        ("template_resource", "reason"),
        [
            (resource("DatasetGroup"), "#: required key [Name] not found"),
            (resource("DatasetGroup", Name="a", Region="x"), "#: extraneous key [Region] is not permitted"),
            (
                resource("Schema", Name="a", Schema="{}", SchemaArn="arn"),
                "#: extraneous key [SchemaArn] is not permitted",
            ),
        ],
    )
    def test_properties(self, stacks: Stacks, template_resource: dict[str, Any], reason: str) -> None:
        name = unique("refused")
        assert stacks.deploy({"Resources": {"Bad": template_resource}}, name)["StackStatus"] == "ROLLBACK_COMPLETE"
        message = f"Properties validation failed for resource Bad with message:\n[{reason}]"
        assert ("Bad", "CREATE_FAILED", message) in stacks.events(name)

    def test_a_stack_tag_with_a_space_is_refused_by_the_old_types_alone(
        self, personalize_local: LocalCloud, stacks: Stacks
    ) -> None:
        name = unique("g")
        tags = [{"Key": "cost centre", "Value": "12"}]
        group = {"Resources": {"Group": resource("DatasetGroup", Name=name)}}
        assert stacks.deploy(group, unique("old"), Tags=tags)["StackStatus"] == "ROLLBACK_COMPLETE"
        arn = active_group(personalize_local.client("personalize"), name)
        tracker = {"Resources": {"Tracker": resource("EventTracker", Name=name, DatasetGroupArn=arn)}}
        stack = stacks.deploy(tracker, unique("new"), Tags=tags)
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        personalize_local.reset()

    def test_the_services_own_refusal(self, stacks: Stacks) -> None:
        name = unique("refused")
        stacks.deploy({"Resources": {"Bad": resource("Schema", Name=name, Schema='{"type": "record"}')}}, name)
        assert "(Service: Personalize, Status Code: 400)" in reasons(stacks, name)
        assert "(HandlerErrorCode: InvalidInput)" in reasons(stacks, name)


class TestDatasets:
    def test_a_change_deletes_the_dataset_first(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name = unique("g")
        group = {"Group": resource("DatasetGroup", Name=name)}
        stacks.deploy({"Resources": group | dataset_resources(name, "Items")}, name)
        since = personalize_local.calls()[-1]["number"]
        stack = stacks.deploy({"Resources": group | dataset_resources(name, "Items", "COLOUR", "SIZE")}, name)
        assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.events(name)
        writes = ("Create", "Update", "Delete")
        calls = [call["operation"] for call in personalize_local.calls(since=since)]
        assert [call for call in calls if call.startswith(writes)] == [
            "CreateSchema",
            "DeleteDataset",
            "CreateDataset",
            "DeleteSchema",
        ]

    def test_a_change_that_fails_brings_the_old_one_back(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")
        resources = {"Group": resource("DatasetGroup", Name=name), **dataset_resources(name, "Items")}
        outputs_of = {"Arn": {"Value": {"Ref": "Items"}}, "Schema": {"Value": {"Ref": "ItemsSchema"}}}
        made = outputs(stacks.deploy({"Resources": resources, "Outputs": outputs_of}, name))
        users = {"Users": resource("Schema", Name=f"{name}-u", Schema=schema_text("Users"))}
        resources["Items"]["Properties"]["SchemaArn"] = attribute("Users", "SchemaArn")
        stack = stacks.deploy({"Resources": resources | users, "Outputs": outputs_of}, name)
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stacks.events(name)
        dataset = personalize.describe_dataset(datasetArn=made["Arn"])["dataset"]
        assert (dataset["status"], dataset["schemaArn"]) == ("ACTIVE", made["Schema"])
        stacks.delete(name)

    def test_import_jobs(self, personalize_local: LocalCloud, stacks: Stacks, bucket: DataBucket) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")

        def deploy(*job: str) -> dict[str, Any]:
            more = {"DatasetImportJob": import_job(bucket, job[0])} if job else {}
            resources = {
                "Group": resource("DatasetGroup", Name=name),
                **dataset_resources(name, "Interactions", **more),
            }
            return stacks.deploy({"Resources": resources, "Outputs": {"Arn": {"Value": {"Ref": "Interactions"}}}}, name)

        arn = outputs(deploy())["Arn"]

        def jobs() -> list[str]:
            return sorted(
                job["jobName"] for job in personalize.list_dataset_import_jobs(datasetArn=arn)["datasetImportJobs"]
            )

        assert outputs(deploy(f"{name}-1"))["Arn"] == arn
        assert jobs() == [f"{name}-1"]
        deploy(f"{name}-2")
        deploy()
        assert jobs() == [f"{name}-1", f"{name}-2"]
        assert deploy(f"{name}-1")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert "already exists" in reasons(stacks, name)

    def test_a_failed_import_fails_the_dataset(
        self, personalize_local: LocalCloud, stacks: Stacks, bucket: DataBucket
    ) -> None:
        name = unique("g")
        job = import_job(bucket, name, "nothing/")
        resources = {
            "Group": resource("DatasetGroup", Name=name),
            **dataset_resources(name, "Interactions", DatasetImportJob=job),
        }
        assert stacks.deploy({"Resources": resources}, name)["StackStatus"] == "ROLLBACK_COMPLETE"
        assert "did not stabilize: CREATE FAILED" in reasons(stacks, name)
        groups = personalize_local.client("personalize").list_dataset_groups()["datasetGroups"]
        assert name not in {group["name"] for group in groups}


class TestCampaigns:
    def test_life(self, personalize_local: LocalCloud, stacks: Stacks, bucket: DataBucket) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")
        base = {
            "Group": resource("DatasetGroup", Name=name),
            **dataset_resources(name, "Interactions", DatasetImportJob=import_job(bucket, name)),
            "Solution": {
                **resource(
                    "Solution", Name=name, DatasetGroupArn=attribute("Group", "DatasetGroupArn"), RecipeArn=RECIPE
                ),
                "DependsOn": "Interactions",
            },
        }

        def template(tps: int, *tags: str) -> dict[str, Any]:
            campaign = resource(
                "Campaign",
                Name=name,
                SolutionVersionArn={"Fn::Sub": "${Solution.SolutionArn}/$LATEST"},
                MinProvisionedTPS=tps,
                CampaignConfig={"ItemExplorationConfig": {"explorationWeight": 0.1}},
                Tags=[{"Key": tag, "Value": "1"} for tag in tags],
            )
            values = {
                "Arn": {"Value": {"Ref": "Campaign"}},
                "Status": {"Value": attribute("Campaign", "Status")},
                "Created": {"Value": attribute("Campaign", "CreationDateTime")},
            }
            return {"Resources": {**base, "Campaign": campaign}, "Outputs": values}

        # Nothing trained the solution yet, so one stack of solution and campaign cannot succeed.
        assert stacks.deploy(template(1), unique("early"))["StackStatus"] == "ROLLBACK_COMPLETE"
        base["Interactions"]["Properties"]["DatasetImportJob"] = import_job(bucket, f"{name}-2")
        stacks.deploy({"Resources": base}, name)
        solution = next(
            found["solutionArn"] for found in personalize.list_solutions()["solutions"] if name == found["name"]
        )
        version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]

        def trained() -> bool:
            status = personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]["status"]
            assert status != "CREATE FAILED"
            return bool(status == "ACTIVE")

        wait_for(trained, "the version")
        stack = stacks.deploy(template(1), name)
        assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.events(name)
        made = outputs(stack)
        assert made["Status"] == "ACTIVE"
        assert made["Created"].startswith("20")

        stack = stacks.deploy(template(2), name)
        assert outputs(stack)["Arn"] == made["Arn"]
        campaign = personalize.describe_campaign(campaignArn=made["Arn"])["campaign"]
        assert (campaign["minProvisionedTPS"], campaign["status"]) == (2, "ACTIVE")

        personalize_local.fail("UpdateCampaign", failure_reason="no capacity", name="*")
        stack = stacks.deploy(template(3), name)
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert "did not stabilize: CREATE FAILED: no capacity" in reasons(stacks, name)
        # A change of tags alone starts no update, so the failed one before it does not matter.
        assert stacks.deploy(template(2, "team"), name)["StackStatus"] == "UPDATE_COMPLETE"
        tags = personalize.list_tags_for_resource(resourceArn=made["Arn"])["tags"]
        assert tags == [{"tagKey": "team", "tagValue": "1"}]
        stacks.delete(name)


class TestReplacement:
    def test_a_changed_filter_of_the_same_name_collides(self, stacks: Stacks) -> None:
        name = unique("g")
        template = group_template(name)
        stacks.deploy(template, name)
        template["Resources"]["Filter"]["Properties"]["FilterExpression"] = (
            'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
        )
        assert stacks.deploy(template, name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert f":filter/{name}-watch already exists" in reasons(stacks, name)

    def test_a_renamed_event_tracker_meets_its_predecessor(self, stacks: Stacks) -> None:
        name = unique("g")
        template = group_template(name)
        stacks.deploy(template, name)
        template["Resources"]["Tracker"]["Properties"]["Name"] = f"{name}-2"
        assert stacks.deploy(template, name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


class TestDeletion:
    def test_what_was_made_outside_blocks_it(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")
        made = outputs(stacks.deploy(group_template(name), name))
        group = made["FilterArn"].replace(f":filter/{name}-watch", f":dataset-group/{name}")
        solution = personalize.create_solution(
            name=name, datasetGroupArn=group, recipeArn=RECIPE, performAutoTraining=False
        )["solutionArn"]
        wait_for(
            lambda: personalize.describe_solution(solutionArn=solution)["solution"]["status"] == "ACTIVE",
            "the solution",
        )
        stacks.client.delete_stack(StackName=name)
        assert stacks.settled(name)["StackStatus"] == "DELETE_FAILED"
        assert "(HandlerErrorCode: ResourceInUse)" in reasons(stacks, name)
        personalize.delete_solution(solutionArn=solution)
        wait_for(lambda: not personalize.list_solutions(datasetGroupArn=group)["solutions"], "its end")
        stacks.delete(name)

    def test_what_is_gone_already_is_no_failure(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name = unique("g")
        made = outputs(stacks.deploy(group_template(name), name))
        personalize_local.client("personalize").delete_filter(filterArn=made["FilterArn"])
        stacks.delete(name)


def drifted(stacks: Stacks, name: str) -> dict[str, str]:
    """How each resource of a stack differs from its template."""
    detection = stacks.client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]

    def done() -> bool:
        found = stacks.client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        return bool(found["DetectionStatus"] != "DETECTION_IN_PROGRESS")

    wait_for(done, "drift detection")
    found = stacks.client.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    return {drift["LogicalResourceId"]: drift["StackResourceDriftStatus"] for drift in found}


class TestWhatExists:
    def test_drift(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")
        made = outputs(stacks.deploy(group_template(name, tags={"team": "a"}), name))
        in_sync = dict.fromkeys(("Group", "Schema", "Interactions", "Tracker", "Filter"), "IN_SYNC")
        assert drifted(stacks, name) == in_sync
        personalize.tag_resource(resourceArn=made["TrackerArn"], tags=[{"tagKey": "team", "tagValue": "b"}])
        personalize.delete_filter(filterArn=made["FilterArn"])
        group = made["FilterArn"].replace(f":filter/{name}-watch", f":dataset-group/{name}")
        wait_for(lambda: not personalize.list_filters(datasetGroupArn=group)["Filters"], "its end")
        assert drifted(stacks, name) == {**in_sync, "Tracker": "MODIFIED", "Filter": "DELETED"}

    def test_adoption(self, personalize_local: LocalCloud, stacks: Stacks) -> None:
        name, personalize = unique("g"), personalize_local.client("personalize")
        arn = active_group(personalize, name)
        template = {"Resources": {"Group": {**resource("DatasetGroup", Name=name), "DeletionPolicy": "Delete"}}}

        def change_set(identifier: str) -> dict[str, Any]:
            stacks.client.create_change_set(
                StackName=name,
                ChangeSetName=identifier.rpartition("/")[2],
                ChangeSetType="IMPORT",
                TemplateBody=json.dumps(template),
                ResourcesToImport=[
                    {
                        "ResourceType": "AWS::Personalize::DatasetGroup",
                        "LogicalResourceId": "Group",
                        "ResourceIdentifier": {"DatasetGroupArn": identifier},
                    }
                ],
            )
            found: dict[str, Any] = stacks.client.describe_change_set(
                StackName=name, ChangeSetName=identifier.rpartition("/")[2]
            )
            return found

        missing = change_set(f"{arn}-other")
        assert (missing["Status"], "ResourceNotFound" in missing["StatusReason"]) == ("FAILED", True)
        stacks.client.execute_change_set(StackName=name, ChangeSetName=change_set(arn)["ChangeSetName"])
        wait_for(
            lambda: stacks.client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "IMPORT_COMPLETE",
            "the import",
        )
        stacks.client.delete_stack(StackName=name)
        wait_for(lambda: not [g for g in personalize.list_dataset_groups()["datasetGroups"] if g["name"] == name], "it")


class TestUncertain:
    """What the handlers of AWS may do otherwise."""

    @pytest.mark.parametrize("trains", [True, False])
    def test_whether_a_solution_trains_by_itself(self, trains: bool) -> None:
        service = Personalize(objects=Buckets(), settings=Settings(time_scale=0))
        uncertain = Uncertain(cloudformation_solution_trains=trains)

        def create(kind: str, **properties: Any) -> str:
            resource_type = next(found for found in TYPES if found.kind == kind)
            arn, _ = ResourceHandler(service, resource_type, uncertain).create(kind, properties, "stack")
            return arn

        schema = create("Schema", Name="s", Schema=SCHEMA)
        group = create("DatasetGroup", Name="g")
        create("Dataset", Name="d", DatasetType="Interactions", DatasetGroupArn=group, SchemaArn=schema)
        solution = create("Solution", Name="s", DatasetGroupArn=group, RecipeArn=RECIPE)
        described = service.call(
            "personalize", "DescribeSolution", {"solutionArn": solution}, account="000000000000", region="us-east-1"
        )
        assert described["solution"]["performAutoTraining"] is trains
        service.close()
