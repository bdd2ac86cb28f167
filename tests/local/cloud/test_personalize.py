"""Personalize in the local cloud: its permissions and what only a local cloud can do."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.cloud.client import AdminError, LocalCloud

from .conftest import StateMachines, machine, unique, wait_for

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
            {"name": "EVENT_TYPE", "type": "string"},
        ],
        "version": "1.0",
    }
)


class TestPermissions:
    """Imports need the role's policy and the bucket's policy."""

    READ = ("s3:GetObject", "s3:ListBucket")

    def import_data(self, cloud: LocalCloud, *, role: bool, bucket_policy: bool) -> dict[str, Any]:
        name, s3, iam = unique("p"), cloud.client("s3"), cloud.client("iam")
        personalize = cloud.client("personalize")
        resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        principal = {"Service": "personalize.amazonaws.com"}
        account = {"StringEquals": {"aws:SourceAccount": "000000000000"}}

        def policy(**statement: Any) -> str:
            return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

        s3.create_bucket(Bucket=name)
        rows = [f"u{number % 50},i{number % 30},{1_600_000_000 + number},watch" for number in range(1000)]
        s3.put_object(Bucket=name, Key="i/a.csv", Body="\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", *rows]))
        if bucket_policy:
            allowed = policy(Principal=principal, Action=self.READ, Resource=resources, Condition=account)
            s3.put_bucket_policy(Bucket=name, Policy=allowed)
        trust = policy(Principal=principal, Action="sts:AssumeRole", Condition=account)
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if role:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(Action="s3:*", Resource=resources))
        group = personalize.create_dataset_group(name=name)["datasetGroupArn"]
        schema = personalize.create_schema(name=name, schema=SCHEMA)["schemaArn"]
        wait_for(
            lambda: personalize.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"] == "ACTIVE",
            "the dataset group",
        )
        dataset = personalize.create_dataset(
            name=name, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
        )["datasetArn"]
        wait_for(lambda: personalize.describe_dataset(datasetArn=dataset)["dataset"]["status"] == "ACTIVE", "dataset")
        job = personalize.create_dataset_import_job(
            jobName=name, datasetArn=dataset, roleArn=arn, dataSource={"dataLocation": f"s3://{name}/i/"}
        )["datasetImportJobArn"]

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
            return found if found["status"] in ("ACTIVE", "CREATE FAILED") else None

        described: dict[str, Any] = wait_for(ended, "the import job")
        return described

    @pytest.mark.parametrize(
        ("role", "bucket_policy", "status"),
        [(True, True, "ACTIVE"), (False, True, "CREATE FAILED"), (True, False, "CREATE FAILED")],
    )
    def test_both_policies_must_allow(
        self, personalize_local: LocalCloud, role: bool, bucket_policy: bool, status: str
    ) -> None:
        job = self.import_data(personalize_local, role=role, bucket_policy=bucket_policy)
        assert job["status"] == status
        if status != "ACTIVE":
            assert "Insufficient privileges for accessing data in Amazon S3" in job["failureReason"]


class TestAdministration:
    def test_calls_are_logged_wherever_they_come_from(
        self, personalize_local: LocalCloud, machines: StateMachines
    ) -> None:
        since = max((call["number"] for call in personalize_local.calls()), default=0)
        personalize_local.client("personalize").list_schemas(maxResults=3)
        resource = "arn:aws:states:::aws-sdk:personalize:listSchemas"
        machines.jsonata({"Type": "Task", "Resource": resource, "Arguments": {"MaxResults": 4}})
        requests = [call["request"] for call in personalize_local.calls("ListSchemas", since=since)]
        assert requests == [{"maxResults": 3}, {"maxResults": 4}]

    def test_a_throttled_integration_has_the_sdks_general_error_name(
        self, personalize_local: LocalCloud, machines: StateMachines
    ) -> None:
        personalize_local.fail("ListSchemas", code="ThrottlingException", message="slow down")
        state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:personalize:listSchemas", "Arguments": {}}
        ended = machines.run(machine(state))
        assert ended["error"] == "Personalize.PersonalizeException"
        assert ended["cause"].startswith("slow down")

    def test_injected_errors_reach_clients(self, personalize_local: LocalCloud) -> None:
        personalize_local.fail("DescribeRecipe", code="LimitExceededException", times=1)
        recipe = {"recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization-v2"}
        with pytest.raises(ClientError, match="LimitExceededException"):
            personalize_local.client("personalize").describe_recipe(**recipe)

    def test_unknown_actions_are_refused(self, personalize_local: LocalCloud) -> None:
        with pytest.raises(AdminError, match="action must be one of"):
            personalize_local._admin("nothing", {})
        with pytest.raises(AdminError, match="fault has"):
            personalize_local.fail("CreateFilter", colour="red")
