"""What an application is told of a dataset group, read as the application reads it."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk

import cdk_personalize as personalize

from .deployer import Deployer


def loyalty(app: cdk.App) -> cdk.App:
    stack = cdk.Stack(app, "Loyalty")
    group = personalize.DatasetGroup(stack, "Loyalty", removal_policy=cdk.RemovalPolicy.DESTROY)
    group.add_interactions(schema=personalize.Schema.interactions(event_type=True))
    group.add_actions(schema=personalize.Schema.actions(value=True))
    group.add_action_interactions(schema=personalize.Schema.action_interactions())
    group.add_event_tracker()
    group.add_filter("Joined", expression='EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Taken")')
    personalize.Published(stack, "Published", dataset_group=group, parameter_prefix="/loyalty", outputs=True)
    return app


def test_parameters_and_outputs_hold_what_the_service_has(deployer: Deployer, tmp_path: Path) -> None:
    assembly = tmp_path / "assembly"
    loyalty(cdk.App(outdir=str(assembly))).synth()
    deployer.cdk("deploy", "--app", str(assembly), "--all", "--require-approval", "never")
    service = deployer.cloud.client("personalize")
    parameters = deployer.cloud.client("ssm").get_parameters_by_path(Path="/loyalty", Recursive=True)["Parameters"]
    found = {each["Name"].removeprefix("/loyalty/"): each["Value"] for each in parameters}

    [group] = service.list_dataset_groups()["datasetGroups"]
    arns = {each["datasetType"].lower(): each["datasetArn"] for each in service.list_datasets()["datasets"]}
    outcomes = service.describe_dataset(datasetArn=arns["action_interactions"])["dataset"]
    [tracker] = service.list_event_trackers()["eventTrackers"]
    [joined] = service.list_filters()["Filters"]
    assert found == {
        "action-tracking-id": outcomes["trackingId"],
        "dataset-group": group["datasetGroupArn"],
        **{f"datasets/{kind}": arn for kind, arn in arns.items()},
        "filters/Joined": joined["filterArn"],
        "tracking-id": service.describe_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])["eventTracker"][
            "trackingId"
        ],
    }
    assert sorted(deployer.outputs("Loyalty").values()) == sorted(found.values())

    deployer.cdk("destroy", "--app", str(assembly), "--all", "--force")
    assert deployer.cloud.client("ssm").get_parameters_by_path(Path="/loyalty", Recursive=True)["Parameters"] == []
