"""The workflow's state machine for a solution in the local cloud: changes in place, training, gate and rollback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from cdk_personalize.workflow.deadlines import Deadlines
from cdk_personalize.workflow.removal_states import stop_states
from cdk_personalize.workflow.solution_definition import VERDICT_TAG, solution_definition
from personalize_local.cloud.client import LocalCloud
from tests.data_bucket import DataBucket
from tests.local.personalize.support import INTERACTIONS_SCHEMA, interactions_csv
from tests.told import told

from .conftest import StateMachines, unique, wait_for

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
POPULAR = "arn:aws:personalize:::recipe/aws-popularity-count"
DEFINITION = solution_definition(partition="aws", deadlines=Deadlines())
NOTHING: dict[str, Any] = {"solutionVersionArn": None, "campaigns": []}
NDCG = "normalized_discounted_cumulative_gain_at_25"


def plan(arn: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "picks",
        "solutionArn": arn,
        "verdicts": [],
        "create": None,
        "update": None,
        "train": None,
        "trainedUntil": 0,
        "solutionVersionArn": None,
        "isNew": False,
        "gate": None,
        "campaigns": [],
        "otherwise": NOTHING,
        **changes,
    }


def schedule(arn: str, expression: str) -> dict[str, Any]:
    config = {"AutoTrainingConfig": {"SchedulingExpression": expression}}
    return {"SolutionArn": arn, "PerformAutoTraining": True, "SolutionUpdateConfig": config}


@dataclass
class Made:
    """A solution with two versions, of which a campaign serves the first."""

    client: Any
    group: str
    solution: str
    old: str
    new: str
    campaign: str
    popular: str = ""

    def created(self) -> list[float]:
        listed = self.client.list_solution_versions(solutionArn=self.solution)["solutionVersions"]
        return [version["creationDateTime"].timestamp() for version in listed]

    def verdict(self, version: str) -> str | None:
        tags = self.client.list_tags_for_resource(resourceArn=version)["tags"]
        return next((tag["tagValue"] for tag in tags if tag["tagKey"] == VERDICT_TAG), None)

    def served(self) -> str:
        found: str = self.client.describe_campaign(campaignArn=self.campaign)["campaign"]["solutionVersionArn"]
        return found

    def serve(self, version: str) -> None:
        self.client.update_campaign(campaignArn=self.campaign, solutionVersionArn=version)
        wait_for(lambda: self.served() == version, version)

    def train(self, solution: str | None = None) -> str:
        version: str = self.client.create_solution_version(solutionArn=solution or self.solution)["solutionVersionArn"]
        active(self.client, "solution_version", version)
        return version

    def action(self, **arguments: Any) -> dict[str, Any]:
        update = {"CampaignArn": self.campaign, **arguments}
        return {"name": "live", "campaignArn": self.campaign, "action": "update", "arguments": update}

    def plan(self, **changes: Any) -> dict[str, Any]:
        """To serve the second version."""
        otherwise = {"solutionVersionArn": self.old, "campaigns": []}
        return plan(
            self.solution,
            **{"solutionVersionArn": self.new, "campaigns": [self.action()], "otherwise": otherwise, **changes},
        )

    def metrics(self, version: str) -> Mapping[str, float]:
        found: Mapping[str, float] = self.client.get_solution_metrics(solutionVersionArn=version)["metrics"]
        return found


def active(client: Any, kind: str, arn: str) -> None:
    member = kind.split("_")[0] + "".join(word.capitalize() for word in kind.split("_")[1:])
    describe = getattr(client, f"describe_{kind}")
    wait_for(lambda: describe(**{f"{member}Arn": arn})[member]["status"] == "ACTIVE", arn)


@pytest.fixture(scope="module")
def made(personalize_local: LocalCloud) -> Made:
    client, bucket = personalize_local.client("personalize"), DataBucket(personalize_local.client, unique("data"))
    personalize_local.client("s3").put_object(Bucket=bucket.name, Key="a.csv", Body=interactions_csv().encode())
    group = client.create_dataset_group(name=unique("group"))["datasetGroupArn"]
    active(client, "dataset_group", group)
    schema = client.create_schema(name=unique("schema"), schema=INTERACTIONS_SCHEMA)["schemaArn"]
    dataset = client.create_dataset(
        name=unique("data"), schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    active(client, "dataset", dataset)
    job = client.create_dataset_import_job(
        jobName=unique("job"),
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{bucket.name}/a.csv"},
        roleArn=bucket.role_arn,
    )["datasetImportJobArn"]
    active(client, "dataset_import_job", job)
    solution, popular = (
        client.create_solution(
            name=unique("picks"), datasetGroupArn=group, recipeArn=recipe, performAutoTraining=False
        )["solutionArn"]
        for recipe in (RECIPE, POPULAR)
    )
    for arn in (solution, popular):
        active(client, "solution", arn)
    found = Made(client, group, solution, "", "", "")
    found.old, found.new, found.popular = found.train(), found.train(), found.train(popular)
    found.campaign = client.create_campaign(name=unique("live"), solutionVersionArn=found.old)["campaignArn"]
    active(client, "campaign", found.campaign)
    return found


@pytest.fixture
def picks(made: Made) -> Made:
    """As made: without verdicts, the first version being served."""
    for version in (made.old, made.new):
        made.client.untag_resource(resourceArn=version, tagKeys=[VERDICT_TAG])
    if made.served() != made.old:
        made.serve(made.old)
    return made


def test_training_is_turned_on(machines: StateMachines, made: Made) -> None:
    output, events = machines.told(DEFINITION, plan(made.solution, update=schedule(made.solution, "rate(3 days)")))

    assert told(events) == [("solution", "UPDATED", {})]
    assert (output["failures"], output["solutionVersionArn"]) == ([], None)
    found = made.client.describe_solution(solutionArn=made.solution)["solution"]
    assert found["performAutoTraining"] is True
    assert found["solutionConfig"]["autoTrainingConfig"] == {"schedulingExpression": "rate(3 days)"}
    assert found["latestSolutionUpdate"]["status"] == "ACTIVE"
    made.client.update_solution(solutionArn=made.solution, performAutoTraining=False)


def test_an_update_that_is_refused_is_told_at_the_end(machines: StateMachines, made: Made) -> None:
    output, events = machines.told(DEFINITION, plan(made.solution, update=schedule(made.solution, "rate(99 days)")))

    assert [change for _, change, _ in told(events)] == ["UPDATE_FAILED"]
    [failure] = output["failures"]
    assert failure["name"] == "update of solution picks"
    assert "schedulingExpression must be from 1 to 30 days" in failure["reason"]


def test_without_a_gate_the_new_version_is_served_and_measured(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    output, events = machines.told(DEFINITION, picks.plan(isNew=True))

    version = {"solutionVersionArn": picks.new}
    assert told(events) == [
        ("solution", "VERSION_ACTIVE", {**version, "metrics": picks.metrics(picks.new)}),
        ("campaign", "UPDATING", version),
        ("campaign", "SERVING", version),
    ]
    assert [(event["name"], event["arn"]) for event in events[:2]] == [
        ("picks", picks.solution),
        ("live", picks.campaign),
    ]
    assert (output["failures"], output["warnings"], output["refused"]) == ([], [], None)
    assert (output["solutionVersionArn"], output["campaigns"]) == (picks.new, ["live"])
    assert picks.served() == picks.new
    listed = personalize_local.client("cloudwatch").list_metrics(Namespace="cdk-personalize", MetricName=NDCG)
    dimensions = [{d["Name"]: d["Value"] for d in metric["Dimensions"]} for metric in listed["Metrics"]]
    of_version = {"SolutionName": "picks", "SolutionVersion": picks.new.rpartition("/")[2]}
    assert {"SolutionName": "picks"} in dimensions
    assert of_version in dimensions
    [point] = personalize_local.client("cloudwatch").get_metric_statistics(
        Namespace="cdk-personalize",
        MetricName=NDCG,
        Dimensions=[{"Name": name, "Value": value} for name, value in of_version.items()],
        StartTime=0,
        EndTime=2**32,
        Period=3600 * 24 * 365 * 100,
        Statistics=["Average"],
    )["Datapoints"]
    assert point["Average"] == pytest.approx(picks.metrics(picks.new)[NDCG])


def test_a_version_that_served_before_is_not_told_as_new(machines: StateMachines, picks: Made) -> None:
    _, events = machines.told(DEFINITION, picks.plan())

    assert told(events) == [
        ("campaign", "UPDATING", {"solutionVersionArn": picks.new}),
        ("campaign", "SERVING", {"solutionVersionArn": picks.new}),
    ]


def test_events_that_cannot_be_sent_stop_nothing(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    personalize_local.fail("events:PutEvents", code="InternalException", times=99)
    execution = machines.start(machines.create(DEFINITION), picks.plan(isNew=True))
    ended = machines.end(execution)
    personalize_local.forget_faults()

    output = json.loads(ended["output"])
    assert (output["failures"], output["campaigns"], picks.served()) == ([], ["live"], picks.new)
    assert machines.events.of(execution) == []


def test_an_event_that_is_not_taken_at_once_is_sent_again(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    personalize_local.fail("events:PutEvents", code="InternalException", times=2)
    execution = machines.start(machines.create(DEFINITION), picks.plan())
    machines.end(execution)
    personalize_local.forget_faults()

    assert [change for _, change, _ in told(machines.events.of(execution))] == ["UPDATING", "SERVING"]


def test_metrics_that_cannot_be_published_are_a_warning(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    personalize_local.fail("cloudwatch:PutMetricData", code="AccessDenied", times=9)
    output = machines.output(DEFINITION, picks.plan(isNew=True))
    personalize_local.forget_faults()

    assert output["failures"] == []
    [warning] = output["warnings"]
    assert warning.startswith("metrics of picks are not in CloudWatch: CloudWatch.")
    assert picks.served() == picks.new


def gate(picks: Made, *thresholds: tuple[str, float, float], first: bool = False) -> dict[str, Any]:
    rows = [{"metric": metric, "minimum": minimum, "maxDrop": drop} for metric, minimum, drop in thresholds]
    return {"solutionVersionArn": None if first else picks.old, "thresholds": rows}


@pytest.mark.parametrize(
    ("thresholds", "first", "refused"),
    [
        # metric, minimum as a part of what the new version has, largest drop; the served one has as much as the new one
        pytest.param([(NDCG, 0.0, 1.0)], False, [], id="anything goes"),
        pytest.param([(NDCG, 1.0, 0.5)], False, [], id="as much as wanted"),
        pytest.param([(NDCG, 1.01, 1.0)], False, [NDCG], id="below the minimum"),
        pytest.param([("coverage", 0.0, 0.5), (NDCG, 1.01, 1.0)], False, [NDCG], id="one of two below"),
        pytest.param([("coverage", 1.5, 0.0), (NDCG, 1.01, 1.0)], False, ["coverage", NDCG], id="both below"),
        pytest.param([("unheard_of", 0.0, 1.0)], False, ["unheard_of"], id="no such metric"),
        pytest.param([(NDCG, 0.5, 0.0)], True, [], id="first version, good"),
        pytest.param([(NDCG, 1.01, 0.0)], True, [NDCG], id="first version, below the minimum"),
    ],
)
def test_the_gate(
    machines: StateMachines,
    picks: Made,
    thresholds: list[tuple[str, float, float]],
    first: bool,
    refused: list[str],
) -> None:
    has = picks.metrics(picks.new)
    wanted = [(name, part * has.get(name, 0.0), drop) for name, part, drop in thresholds]

    output, events = machines.told(DEFINITION, picks.plan(gate=gate(picks, *wanted, first=first)))

    assert output["failures"] == []
    changes = ["VERSION_REFUSED"] if refused else ["UPDATING", "SERVING"]
    assert [change for _, change, _ in told(events)] == changes
    if not refused:
        assert (output["refused"], picks.served(), picks.verdict(picks.new)) == (None, picks.new, None)
        return
    assert picks.served() == picks.old
    assert output["solutionVersionArn"] == picks.old
    assert output["refused"]["solutionVersionArn"] == picks.new
    assert told(events)[0][2] == output["refused"]
    found = output["refused"]["thresholds"]
    assert [threshold["metric"] for threshold in found] == refused
    assert [threshold["new"] for threshold in found] == [has.get(name) for name in refused]
    old = {} if first else picks.metrics(picks.old)
    assert [threshold["old"] for threshold in found] == [old.get(name) for name in refused]
    assert output["metrics"] == old
    verdict = picks.verdict(picks.new) or ""
    assert verdict.startswith(f"refused: {refused[0]} is ")


@pytest.mark.parametrize(("more", "is_refused"), [(-1e-3, True), (1e-3, False)])
def test_the_gate_compares_with_what_is_served(
    machines: StateMachines, picks: Made, more: float, is_refused: bool
) -> None:
    """What is popular covers fewer items; the drop that is allowed is just too small, or just large enough."""
    covered = picks.metrics(picks.old)["coverage"]
    drop = 1 - picks.metrics(picks.popular)["coverage"] / covered
    assert 0.01 < drop < 0.99

    wanted = picks.plan(
        solutionVersionArn=picks.popular, gate=gate(picks, ("coverage", 0.0, drop + more)), campaigns=[]
    )
    output = machines.output(DEFINITION, wanted)

    assert output["failures"] == []
    if not is_refused:
        assert output["refused"] is None
        return
    [threshold] = output["refused"]["thresholds"]
    assert threshold["least"] == pytest.approx(covered * (1 - drop - more))
    assert threshold["old"] == pytest.approx(covered)


def test_a_gate_without_metrics_is_a_failure_and_no_verdict(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    personalize_local.fail("GetSolutionMetrics", code="InvalidInputException", message="no metrics", times=1)
    output, events = machines.told(DEFINITION, picks.plan(gate=gate(picks, (NDCG, 0.0, 1.0))))

    [(_, change, belongs)] = told(events)
    assert (change, belongs["solutionVersionArn"]) == ("GATE_FAILED", picks.new)
    assert "no metrics" in belongs["reason"]
    [failure] = output["failures"]
    assert failure["name"] == "quality gate of picks"
    assert "no metrics" in failure["reason"]
    assert (picks.served(), picks.verdict(picks.new)) == (picks.old, None)


def test_verdicts_are_said_before_campaigns_move(machines: StateMachines, picks: Made) -> None:
    picks.serve(picks.new)
    said = [
        {"ResourceArn": version, "Tags": [{"TagKey": VERDICT_TAG, "TagValue": verdict}]}
        for version, verdict in ((picks.old, "chosen: by run a"), (picks.new, "refused: rolled back by run a"))
    ]

    output = machines.output(DEFINITION, picks.plan(verdicts=said, solutionVersionArn=picks.old))

    assert (output["failures"], picks.served()) == ([], picks.old)
    assert picks.verdict(picks.old) == "chosen: by run a"
    assert picks.verdict(picks.new) == "refused: rolled back by run a"


def test_campaigns_do_not_move_if_a_verdict_cannot_be_said(machines: StateMachines, picks: Made) -> None:
    unheard_of = {"ResourceArn": f"{picks.new}0", "Tags": [{"TagKey": VERDICT_TAG, "TagValue": "refused"}]}

    output, events = machines.told(DEFINITION, picks.plan(verdicts=[unheard_of]))

    assert [change for _, change, _ in told(events)] == ["VERDICT_FAILED"]
    [failure] = output["failures"]
    assert failure["name"] == f"rollback: tag of {picks.new}0"
    assert (output["solutionVersionArn"], picks.served()) == (None, picks.old)


def train(picks: Made) -> dict[str, Any]:
    """To train a version, and serve it; if it fails, the campaign is still given its configuration."""
    kept = picks.action(SolutionVersionArn=picks.old, MinProvisionedTPS=2)
    return picks.plan(
        train={"SolutionArn": picks.solution, "TrainingMode": "FULL"},
        trainedUntil=int(max(picks.created()) * 1000),
        solutionVersionArn=None,
        isNew=True,
        otherwise={"solutionVersionArn": picks.old, "campaigns": [kept]},
    )


def test_a_training_that_fails_leaves_campaigns_with_what_they_serve(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    personalize_local.fail("CreateSolutionVersion", failure_reason="too tired")
    output, events = machines.told(DEFINITION, train(picks))

    begun, failed, *served = told(events)
    version = {"solutionVersionArn": begun[2]["solutionVersionArn"]}
    assert version["solutionVersionArn"].startswith(f"{picks.solution}/")
    assert begun == ("solution", "TRAINING_BEGUN", {**version, "trainingMode": "FULL"})
    assert failed == ("solution", "TRAINING_FAILED", {**version, "reason": "too tired"})
    assert served == [("campaign", change, {"solutionVersionArn": picks.old}) for change in ("UPDATING", "SERVING")]
    assert output["failures"] == [{"name": "training picks", "reason": "too tired"}]
    assert (output["solutionVersionArn"], output["campaigns"]) == (picks.old, ["live"])
    found = picks.client.describe_campaign(campaignArn=picks.campaign)["campaign"]
    assert (found["solutionVersionArn"], found["minProvisionedTPS"]) == (picks.old, 2)


def test_a_training_whose_answer_is_lost_is_not_begun_twice(
    personalize_local: LocalCloud, machines: StateMachines, picks: Made
) -> None:
    """The service had begun one when it failed to say so, and it is trained by the time one looks."""
    before = len(picks.created())
    personalize_local.fail("CreateSolutionVersion", code="InternalFailure", status=500)
    definition = json.loads(json.dumps(DEFINITION))
    # what the failed call had begun
    definition["States"]["Wait for solution versions"]["Next"] = "Begun all the same"
    definition["States"]["Begun all the same"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:personalize:createSolutionVersion",
        "Arguments": {"SolutionArn": picks.solution},
        "Next": "Trained meanwhile",
    }
    definition["States"]["Trained meanwhile"] = {"Type": "Wait", "Seconds": 300, "Next": "List solution versions"}

    output = machines.output(definition, train(picks))

    assert output["failures"] == []
    assert len(picks.created()) == before + 1
    assert picks.served() == output["solutionVersionArn"] not in (picks.old, picks.new)


def test_a_training_whose_answer_is_lost_is_found_among_hundreds(
    personalize_local: LocalCloud, machines: StateMachines, made: Made
) -> None:
    """The service tells a hundred versions at a time, and in which order it does not say."""
    client = made.client
    solution = client.create_solution(
        name=unique("old"), recipeArn=POPULAR, datasetGroupArn=made.group, performAutoTraining=False
    )["solutionArn"]
    active(client, "solution", solution)
    for _ in range(101):
        begun = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        with suppress(client.exceptions.ResourceInUseException):  # it is trained already
            client.stop_solution_version_creation(solutionVersionArn=begun)
    before = client.list_solution_versions(solutionArn=solution)
    assert (len(before["solutionVersions"]), "nextToken" in before) == (100, True)
    versions = [
        version
        for page in client.get_paginator("list_solution_versions").paginate(solutionArn=solution)
        for version in page["solutionVersions"]
    ]
    until = max(version["creationDateTime"].timestamp() for version in versions)
    personalize_local.fail("CreateSolutionVersion", code="InternalFailure", status=500)
    definition = json.loads(json.dumps(DEFINITION))
    # what the failed call had begun
    definition["States"]["Wait for solution versions"]["Next"] = "Begun all the same"
    definition["States"]["Begun all the same"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:personalize:createSolutionVersion",
        "Arguments": {"SolutionArn": solution},
        "Next": "List solution versions",
    }
    wanted = plan(solution, train={"SolutionArn": solution, "TrainingMode": "FULL"}, trainedUntil=int(until * 1000))

    output, events = machines.told(definition, wanted)

    assert output["failures"] == []
    listed = client.get_paginator("list_solution_versions").paginate(solutionArn=solution)
    assert sum(len(page["solutionVersions"]) for page in listed) == 102
    assert told(events)[0][2]["solutionVersionArn"] == output["solutionVersionArn"]


def test_a_training_that_is_stopped_is_told(machines: StateMachines, made: Made) -> None:
    begun = made.client.create_solution_version(solutionArn=made.solution)["solutionVersionArn"]
    begin = {"Type": "Pass", "Assign": {"run": "{% $states.context.Execution.Id %}"}, "Next": "Begin stop"}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {"Begin": begin, **stop_states("aws", Deadlines())},
    }
    planned = {"name": "picks", "solutionVersionArn": begun}

    output, events = machines.told(definition, planned)

    assert output == {"name": "picks", "failures": []}
    assert told(events) == [("solution", "TRAINING_STOPPED", {"solutionVersionArn": begun})]
    assert (events[0]["name"], events[0]["arn"]) == ("picks", made.solution)
    # what has ended by itself was not stopped
    assert machines.told(definition, {**planned, "solutionVersionArn": made.old})[1] == []


def test_a_training_that_somebody_stopped_is_not_served(machines: StateMachines, picks: Made) -> None:
    stopped = picks.client.create_solution_version(solutionArn=picks.solution)["solutionVersionArn"]
    picks.client.stop_solution_version_creation(solutionVersionArn=stopped)

    output, events = machines.told(DEFINITION, picks.plan(solutionVersionArn=stopped, isNew=True))

    assert output["failures"] == [{"name": "training picks", "reason": "it was stopped"}]
    assert told(events) == [("solution", "TRAINING_STOPPED", {"solutionVersionArn": stopped})]
    assert picks.served() == picks.old


def test_a_training_that_was_begun_since_the_plan_is_followed(machines: StateMachines, picks: Made) -> None:
    """By the child of a run that was stopped, say, which is not stopped at once."""
    planned = train(picks)
    begun = picks.client.create_solution_version(solutionArn=picks.solution)["solutionVersionArn"]
    before = len(picks.created())

    output = machines.output(DEFINITION, planned)

    assert (output["failures"], len(picks.created())) == ([], before)
    assert picks.served() == output["solutionVersionArn"] == begun
