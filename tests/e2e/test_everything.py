"""Every parameter of the service is sent by what declares it, and what is read back is what was sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tools import parameters

from .deployer import Deployer
from .everything import FORGET, JOB_INPUT, STACKS, Everything, custom_data, domain_data
from .used import assert_all_used

DAY: Final = 86_400
SENT: Final = ("by", "library")
OPERATIONS: Final = parameters.operations()
MEMBERS: Final = {
    name: {path.partition(".")[0].removesuffix("[]") for path in paths} for name, paths in OPERATIONS.items()
}
NAMES: Final = ("name", "jobName", "solutionArn", "campaignArn", "datasetArn", "recommenderArn", "metricAttributionArn")
"""What says which resource a request is about."""

Json = dict[str, Any]

TOLD_AS: Final = {
    "UpdateMetricAttribution.addMetrics": "metrics",
    "UpdateMetricAttribution.removeMetrics": "metrics",
    "UpdateSolution.solutionUpdateConfig": "solutionConfig",
}
"""What Describe operations tell under another name than it is sent under."""

AGREE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    # "Items" becomes "ITEMS"
    "CreateDataset.datasetType": lambda sent, told: sent.upper() == told,
    # "$LATEST" becomes the version that is the latest
    "CreateCampaign.solutionVersionArn": lambda sent, told: told.startswith(sent.removesuffix("$LATEST")),
    "UpdateMetricAttribution.addMetrics": lambda sent, told: all(metric in told for metric in sent),
    "UpdateMetricAttribution.removeMetrics": lambda sent, told: not {metric["metricName"] for metric in told} & {*sent},
}
"""When what is told agrees with what was sent, where it is not the same."""

VALUES: Final = {
    ("CreateBatchInferenceJob", "batchInferenceJobMode"): {"BATCH_INFERENCE", "THEME_GENERATION"},
    ("CreateDataset", "datasetType"): {"Interactions", "Items", "Users", "Actions", "Action_Interactions"},
    ("CreateDatasetGroup", "domain"): {None, "VIDEO_ON_DEMAND"},
    ("CreateDatasetImportJob", "importMode"): {"FULL", "INCREMENTAL"},
    ("CreateSolution", "performAutoTraining"): {True, False},
    ("CreateSolution", "performHPO"): {None, True},
    ("CreateSolutionVersion", "trainingMode"): {"FULL", "UPDATE"},
    ("UpdateSolution", "performIncrementalUpdate"): {None, False},
}
"""What the values of parameters are over all requests."""


@dataclass(frozen=True)
class Deployed:
    """What happened."""

    first: dict[str, list[Json]]
    """Resources after the first deployment, by what they are."""
    later: dict[str, list[Json]]
    """Resources after everything was changed."""
    calls: list[Json]
    """Requests that created or updated something."""
    changed_at: int
    """Number of the last call before the change."""


@pytest.fixture(scope="module")
def deployed(deployer: Deployer) -> Deployed:
    """Deployed, given data, changed, and given more data and time."""
    deployer.deploy(Everything())
    outputs = {name: deployer.outputs(name) for name in STACKS}
    s3 = deployer.cloud.client("s3")
    for name in STACKS:
        assert deployer.settled(outputs[name])["output"]["status"] == "WAITING"
    for key, text in JOB_INPUT.items():
        s3.put_object(Bucket=outputs["Custom"]["Bucket"], Key=key, Body=text.encode())
    for key, text in FORGET.items():
        s3.put_object(Bucket=outputs["Custom"]["Lists"], Key=key, Body=text.encode())
    data = custom_data()
    additions = data.pop("new-interactions")
    deployer.upload(outputs["Custom"], **data)
    deployer.upload(outputs["Domain"], **domain_data())
    for name in STACKS:
        succeeded(deployer, outputs[name], more_than=1)
    succeeded(deployer, outputs["Custom"], start=True)
    first = resources(deployer)

    changed_at = deployer.cloud.calls()[-1]["number"]
    runs = {name: len(deployer.runs(outputs[name])) for name in STACKS}
    deployer.deploy(Everything(later=True))
    for name in STACKS:
        succeeded(deployer, outputs[name], more_than=runs[name])
    deployer.upload(outputs["Custom"], **{"new-interactions": additions})
    deployer.cloud.advance(2 * DAY)
    succeeded(deployer, outputs["Custom"], start=True)
    later = resources(deployer)
    calls = [call for call in deployer.cloud.calls() if call["operation"] in OPERATIONS and call["error"] is None]
    return Deployed(first, later, calls, changed_at)


def succeeded(deployer: Deployer, outputs: dict[str, str], *, more_than: int = 0, start: bool = False) -> None:
    """Wait for a run, or start one and wait for it; it must succeed."""
    if start:
        more_than = len(deployer.runs(outputs))
        deployer.cloud.client("stepfunctions").start_execution(stateMachineArn=outputs["Workflow"])
    run = deployer.settled(outputs, more_than=more_than)
    assert run["status"] == "SUCCEEDED", run.get("cause")


def resources(deployer: Deployer) -> dict[str, list[Json]]:
    """What the Describe operations say of everything that there is, by what it is."""
    return {kind: list(described(deployer, kind)) for kind in sorted(kinds())}


def kinds() -> set[str]:
    """What can be created."""
    return {name.removeprefix("Create") for name in OPERATIONS if name.startswith("Create")}


def described(deployer: Deployer, kind: str) -> Iterator[Json]:
    """What there is of one kind."""
    client = deployer.cloud.client("personalize")
    model = client.meta.service_model.operation_model(f"Describe{kind}")
    [arn] = model.input_shape.members
    [member] = model.output_shape.members
    noun = re.sub(r"(?<!^)([A-Z])", r"_\1", kind).lower()
    page = getattr(client, f"list_{noun}s")(maxResults=100)
    assert "nextToken" not in page
    for listed in next(value for value in page.values() if isinstance(value, list)):
        found = getattr(client, f"describe_{noun}")(**{arn: listed[arn]})[member]
        if "tags" in MEMBERS[f"Create{kind}"]:
            found["tags"] = client.list_tags_for_resource(resourceArn=listed[arn])["tags"]
        if "metrics" in MEMBERS[f"Create{kind}"]:
            found["metrics"] = client.list_metric_attribution_metrics(metricAttributionArn=listed[arn])["metrics"]
        yield found


def holds(value: Any, path: str) -> bool:
    """Whether a request has a value for a parameter."""
    head, _, rest = path.partition(".")
    found = value.get(head.removesuffix("[]"))
    if found in (None, "", [], {}):
        return False
    return not rest or any(holds(each, rest) for each in (found if head.endswith("[]") else [found]))


SENT_PARAMETERS: Final = [
    (operation, path)
    for operation, paths in OPERATIONS.items()
    for path in paths
    if any(kind in parameters.read()[operation][path] for kind in SENT)
]


def test_every_parameter_is_sent(deployed: Deployed) -> None:
    requests = {name: [call["request"] for call in deployed.calls if call["operation"] == name] for name in OPERATIONS}
    missing = [
        f"{operation}: {path}"
        for operation, path in SENT_PARAMETERS
        if not any(holds(request, path) for request in requests[operation])
    ]
    assert missing == []


@pytest.mark.parametrize(("operation", "parameter"), VALUES)
def test_parameters_have_all_values_that_are_declared(deployed: Deployed, operation: str, parameter: str) -> None:
    requests = [call["request"] for call in deployed.calls if call["operation"] == operation]
    assert {request.get(parameter) for request in requests} == VALUES[operation, parameter]


def differences(sent: Any, told: Any, path: str) -> Iterator[str]:
    """What of a request is told otherwise, or not at all."""
    if path in AGREE:
        if not AGREE[path](sent, told):
            yield f"{path}: {sent!r} was sent and {told!r} is told"
    elif isinstance(sent, dict) and isinstance(told, dict):
        for name, value in sent.items():
            yield from differences(value, told.get(TOLD_AS.get(f"{path}.{name}", name)), f"{path}.{name}")
    elif sent != told:
        yield f"{path}: {sent!r} was sent and {told!r} is told"


def closest(call: Json, found: list[Json]) -> list[str]:
    """What differs between a request and the resource that is most like it."""
    names = [name for name in NAMES if name in call["request"]]
    same = [each for each in found if all(each.get(name) == call["request"][name] for name in names)]
    answers = [list(differences(call["request"], each, call["operation"])) for each in same]
    return min(answers, key=len) if answers else [f"{call['operation']}: there is none of {call['request']}"]


@pytest.mark.parametrize("operation", sorted(name for name in OPERATIONS if name.startswith("Create")))
def test_what_is_created_is_read_back(deployed: Deployed, operation: str) -> None:
    kind = operation.removeprefix("Create")
    calls = [call for call in deployed.calls if call["operation"] == operation]
    assert calls
    for call in calls:
        found = deployed.first if call["number"] <= deployed.changed_at else deployed.later
        assert closest(call, found[kind]) == []


@pytest.mark.parametrize("operation", sorted(name for name in OPERATIONS if name.startswith("Update")))
def test_what_is_updated_is_read_back(deployed: Deployed, operation: str) -> None:
    kind = operation.removeprefix("Update")
    calls = [call for call in deployed.calls if call["operation"] == operation and call["number"] > deployed.changed_at]
    newest = {next(call["request"][name] for name in NAMES if name in call["request"]): call for call in calls}
    assert newest
    for call in newest.values():
        assert closest(call, deployed.later[kind]) == []


def test_all_works_but_for_what_is_stopped(deployed: Deployed) -> None:
    for found, stopped in ((deployed.first, 0), (deployed.later, 1)):
        statuses = [each["status"] for kind in found.values() for each in kind if "status" in each]
        assert {*statuses} - {"ACTIVE", "COMPLETED", "INACTIVE"} == set()
        assert statuses.count("INACTIVE") == stopped


def test_destroy_leaves_nothing_but_jobs(deployer: Deployer, deployed: Deployed) -> None:
    for name in STACKS:
        deployer.destroy_stack(name)
    left = {kind for kind, found in resources(deployer).items() if found}
    assert left == {kind for kind in kinds() if kind.endswith("Job")}  # the service deletes none


@pytest.mark.parametrize("stack", STACKS)
def test_all_that_is_allowed_is_used(deployer: Deployer, deployed: Deployed, stack: str) -> None:
    assert_all_used(deployer, stack)
