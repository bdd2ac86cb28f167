"""Every operation of the API, called once with a request that it takes: as data, and what runs it over HTTP.

An operation that is added needs a step in ``STEPS``, and rows in ``ERRORS`` for those errors that nothing general
brings about.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from personalize_local.personalize import Settings
from personalize_local.personalize.api import SERVICES, TARGET_PREFIX, operation_model, operation_names
from personalize_local.personalize.resources import KINDS, QUOTAS
from personalize_local.personalize.state import Record

from .support import (
    ACCOUNT,
    INTERACTIONS_SCHEMA,
    ITEMS_SCHEMA,
    REGION,
    ROLE,
    USERS_SCHEMA,
    V2,
    Cloud,
    interactions_csv,
    items_csv,
)

Json = dict[str, Any]

EVERY = {operation: service for service in SERVICES for operation in operation_names(service)}


def _avro(name: str, *fields: str | Json) -> str:
    every = [field if isinstance(field, dict) else {"name": field, "type": "string"} for field in fields]
    return json.dumps(
        {
            "type": "record",
            "name": name,
            "namespace": "com.amazonaws.personalize.schema",
            "fields": every,
            "version": "1.0",
        }
    )


_TIMESTAMP: Json = {"name": "TIMESTAMP", "type": "long"}
_DOMAIN_SCHEMA = _avro("Interactions", "USER_ID", "ITEM_ID", _TIMESTAMP, "EVENT_TYPE")
_ACTIONS_SCHEMA = _avro("Actions", "ACTION_ID", {"name": "KIND", "type": "string", "categorical": True})
_ACTION_EVENTS_SCHEMA = _avro("ActionInteractions", "USER_ID", "ACTION_ID", "EVENT_TYPE", _TIMESTAMP)
_MORE_ITEMS_SCHEMA = ITEMS_SCHEMA.replace('"version"', '"version"', 1).replace(
    '"type": ["null", "int"]}]', '"type": ["null", "int"]}, {"name": "LENGTH", "type": ["null", "int"]}]'
)
_RECIPE = "arn:aws:personalize:::recipe/"
_MOST_POPULAR = f"{_RECIPE}aws-vod-most-popular"
_WATCH = {"eventType": "watch", "sentAt": 1_700_000_000, "itemId": "i1"}
_FILTER = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
_METRIC = {"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}
_OUTPUT = {"s3DataDestination": {"path": "s3://data/out/"}}

#: what is in the bucket
FILES = {
    "interactions.csv": interactions_csv(),
    "domain.csv": "\n".join(
        ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE"]
        + [f"u{row % 50},i{row * row % 23},{1_700_000_000 + row},Watch" for row in range(1200)]
    ),
    "items.csv": items_csv(),
    "actions.csv": "ACTION_ID,KIND\n" + "\n".join(f"a{number},call" for number in range(10)),
    "users.csv": "USER_ID\nu1\n",
    "queries.json": '{"userId": "u1"}\n',
    "items.json": '{"itemId": "i1"}\n',
}


@dataclass(frozen=True)
class Step:
    """One call.

    :param request: ``<name>`` stands for what an earlier step saved.
    :param saves: names for members of the answer, by their paths.
    :param leave: whether the next step begins at once. Default: - when what this one started is over.
    """

    operation: str
    request: Json
    saves: Mapping[str, str] = field(default_factory=dict)
    leave: bool = False


def _dataset(kind: str, schema: str, saved: str) -> tuple[Step, Step]:
    request = {"name": saved, "schemaArn": f"<{saved}_schema>", "datasetGroupArn": "<group>", "datasetType": kind}
    return (
        Step("CreateSchema", {"name": saved, "schema": schema}, {f"{saved}_schema": "schemaArn"}),
        Step("CreateDataset", request, {saved: "datasetArn"}),
    )


def _import(dataset: str, file: str) -> Step:
    request = {
        "jobName": dataset,
        "datasetArn": f"<{dataset}>",
        "dataSource": {"dataLocation": f"s3://data/{file}"},
        "roleArn": ROLE,
    }
    return Step("CreateDatasetImportJob", request, {f"{dataset}_job": "datasetImportJobArn"})


def _trained(name: str, recipe: str) -> tuple[Step, ...]:
    solution = {"name": name, "datasetGroupArn": "<group>", "recipeArn": recipe, "performAutoTraining": False}
    return (
        Step("CreateSolution", solution, {f"{name}_solution": "solutionArn"}),
        Step(
            "CreateSolutionVersion",
            {"solutionArn": f"<{name}_solution>"},
            {f"{name}_version": "solutionVersionArn"},
        ),
    )


def _campaign(name: str) -> Step:
    request = {"name": name, "solutionVersionArn": f"<{name}_version>"}
    return Step("CreateCampaign", request, {f"{name}_campaign": "campaignArn"})


def _spare(kind: str, request: Json) -> tuple[Step, Step]:
    """Make one more, and delete it."""
    member = f"{kind[0].lower()}{kind[1:]}Arn"
    return (
        Step(f"Create{kind}", {"name": "spare", **request}, {f"spare_{kind}": member}),
        Step(f"Delete{kind}", {member: f"<spare_{kind}>"}),
    )


def _batch(kind: str, version: str, file: str, filtered: str) -> tuple[Step, ...]:
    member = f"{kind[0].lower()}{kind[1:]}"
    request = {
        "jobName": "batch",
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": f"s3://data/{file}"}},
        "jobOutput": _OUTPUT,
        "roleArn": ROLE,
        "filterArn": filtered,
    }
    return (
        Step(f"Create{kind}", request, {kind: f"{member}Arn"}),
        Step(f"Describe{kind}", {f"{member}Arn": f"<{kind}>"}),
        Step(f"List{kind}s", {"solutionVersionArn": version}),
    )


#: every operation at least once; each begins when what the one before has started is over
STEPS: Sequence[Step] = (
    Step(
        "CreateDatasetGroup",
        {"name": "films", "tags": [{"tagKey": "team", "tagValue": "a"}]},
        {"group": "datasetGroupArn"},
    ),
    Step("DescribeDatasetGroup", {"datasetGroupArn": "<group>"}),
    Step("ListDatasetGroups", {"maxResults": 1}),
    *_dataset("Interactions", INTERACTIONS_SCHEMA, "interactions"),
    *_dataset("Items", ITEMS_SCHEMA, "items"),
    *_dataset("Users", USERS_SCHEMA, "users"),
    *_dataset("Actions", _ACTIONS_SCHEMA, "actions"),
    *_dataset("Action_Interactions", _ACTION_EVENTS_SCHEMA, "action_events"),
    Step("DescribeSchema", {"schemaArn": "<items_schema>"}),
    Step("ListSchemas", {}),
    Step(
        "DescribeDataset",
        {"datasetArn": "<action_events>"},
        {"action_tracking_id": "dataset.trackingId"},
    ),
    Step("DescribeDataset", {"datasetArn": "<items>"}),
    Step("ListDatasets", {"datasetGroupArn": "<group>"}),
    _import("interactions", "interactions.csv"),
    _import("items", "items.csv"),
    _import("actions", "actions.csv"),
    Step("DescribeDatasetImportJob", {"datasetImportJobArn": "<interactions_job>"}),
    Step("ListDatasetImportJobs", {"datasetArn": "<interactions>"}),
    Step("CreateSchema", {"name": "more", "schema": _MORE_ITEMS_SCHEMA}, {"more_schema": "schemaArn"}),
    Step("UpdateDataset", {"datasetArn": "<items>", "schemaArn": "<more_schema>"}),
    Step("DescribeDataset", {"datasetArn": "<items>"}),
    Step(
        "CreateDatasetExportJob",
        {"jobName": "export", "datasetArn": "<interactions>", "roleArn": ROLE, "jobOutput": _OUTPUT},
        {"export": "datasetExportJobArn"},
    ),
    Step("DescribeDatasetExportJob", {"datasetExportJobArn": "<export>"}),
    Step("ListDatasetExportJobs", {"datasetArn": "<interactions>"}),
    Step(
        "CreateEventTracker",
        {"name": "clicks", "datasetGroupArn": "<group>"},
        {"tracker": "eventTrackerArn", "tracking_id": "trackingId"},
    ),
    Step("DescribeEventTracker", {"eventTrackerArn": "<tracker>"}),
    Step("ListEventTrackers", {"datasetGroupArn": "<group>"}),
    Step("PutEvents", {"trackingId": "<tracking_id>", "userId": "u1", "sessionId": "s", "eventList": [_WATCH]}),
    Step("PutItems", {"datasetArn": "<items>", "items": [{"itemId": "i99", "properties": '{"genres": "Drama"}'}]}),
    Step("PutUsers", {"datasetArn": "<users>", "users": [{"userId": "u1", "properties": '{"age": 30}'}]}),
    Step("PutActions", {"datasetArn": "<actions>", "actions": [{"actionId": "a1", "properties": '{"kind": "call"}'}]}),
    Step(
        "PutActionInteractions",
        {
            "trackingId": "<action_tracking_id>",
            "actionInteractions": [
                {
                    "actionId": "a1",
                    "userId": "u1",
                    "sessionId": "s",
                    "timestamp": 1_700_000_000,
                    "eventType": "Taken",
                }
            ],
        },
    ),
    Step(
        "CreateFilter",
        {"name": "unseen", "datasetGroupArn": "<group>", "filterExpression": _FILTER},
        {"filter": "filterArn"},
    ),
    Step(
        "CreateFilter",
        {"name": "people", "datasetGroupArn": "<group>", "filterExpression": "INCLUDE UserID WHERE Users.AGE > 1"},
        {"people": "filterArn"},
    ),
    Step("DescribeFilter", {"filterArn": "<filter>"}),
    Step("ListFilters", {"datasetGroupArn": "<group>"}),
    *_trained("picks", V2),
    Step("DescribeSolution", {"solutionArn": "<picks_solution>"}),
    Step("ListSolutions", {"datasetGroupArn": "<group>"}),
    Step("UpdateSolution", {"solutionArn": "<picks_solution>", "performAutoTraining": False}),
    Step("DescribeSolution", {"solutionArn": "<picks_solution>"}),
    Step("DescribeSolutionVersion", {"solutionVersionArn": "<picks_version>"}),
    Step("ListSolutionVersions", {"solutionArn": "<picks_solution>"}),
    Step("GetSolutionMetrics", {"solutionVersionArn": "<picks_version>"}),
    _campaign("picks"),
    Step("DescribeCampaign", {"campaignArn": "<picks_campaign>"}),
    Step("ListCampaigns", {"solutionArn": "<picks_solution>"}),
    Step("UpdateCampaign", {"campaignArn": "<picks_campaign>", "minProvisionedTPS": 2}),
    Step("DescribeCampaign", {"campaignArn": "<picks_campaign>"}),
    Step("GetRecommendations", {"campaignArn": "<picks_campaign>", "userId": "u1", "filterArn": "<filter>"}),
    *_trained("order", f"{_RECIPE}aws-personalized-ranking-v2"),
    _campaign("order"),
    Step(
        "GetPersonalizedRanking", {"campaignArn": "<order_campaign>", "userId": "u1", "inputList": ["i1", "i2", "new"]}
    ),
    Step("TagResource", {"resourceArn": "<group>", "tags": [{"tagKey": "stage", "tagValue": "test"}]}),
    Step("ListTagsForResource", {"resourceArn": "<group>"}),
    Step("UntagResource", {"resourceArn": "<group>", "tagKeys": ["stage"]}),
    Step("ListRecipes", {"recipeProvider": "SERVICE", "domain": "ECOMMERCE"}),
    Step(
        "DescribeRecipe",
        {"recipeArn": f"{_RECIPE}aws-sims"},
        {"algorithm": "recipe.algorithmArn", "transformation": "recipe.featureTransformationArn"},
    ),
    Step("DescribeAlgorithm", {"algorithmArn": "<algorithm>"}),
    Step("DescribeFeatureTransformation", {"featureTransformationArn": "<transformation>"}),
    Step("CreateDatasetGroup", {"name": "videos", "domain": "VIDEO_ON_DEMAND"}, {"domain_group": "datasetGroupArn"}),
    Step(
        "CreateSchema",
        {"name": "videos", "schema": _DOMAIN_SCHEMA, "domain": "VIDEO_ON_DEMAND"},
        {"domain_schema": "schemaArn"},
    ),
    Step(
        "CreateDataset",
        {
            "name": "videos",
            "schemaArn": "<domain_schema>",
            "datasetGroupArn": "<domain_group>",
            "datasetType": "Interactions",
        },
        {"domain_events": "datasetArn"},
    ),
    _import("domain_events", "domain.csv"),
    Step(
        "CreateRecommender",
        {"name": "popular", "datasetGroupArn": "<domain_group>", "recipeArn": _MOST_POPULAR},
        {"recommender": "recommenderArn"},
    ),
    Step("DescribeRecommender", {"recommenderArn": "<recommender>"}),
    Step("ListRecommenders", {"datasetGroupArn": "<domain_group>"}),
    Step(
        "UpdateRecommender",
        {"recommenderArn": "<recommender>", "recommenderConfig": {"minRecommendationRequestsPerSecond": 2}},
    ),
    Step("DescribeRecommender", {"recommenderArn": "<recommender>"}),
    Step("StopRecommender", {"recommenderArn": "<recommender>"}),
    Step("StartRecommender", {"recommenderArn": "<recommender>"}),
    *_batch("BatchInferenceJob", "<picks_version>", "queries.json", "<filter>"),
    *_trained("fans", f"{_RECIPE}aws-item-affinity"),
    *_batch("BatchSegmentJob", "<fans_version>", "items.json", "<people>"),
    *_trained("next", f"{_RECIPE}aws-next-best-action"),
    _campaign("next"),
    Step("GetActionRecommendations", {"campaignArn": "<next_campaign>", "userId": "u1"}),
    Step(
        "CreateMetricAttribution",
        {
            "name": "watched",
            "datasetGroupArn": "<group>",
            "metrics": [_METRIC],
            "metricsOutputConfig": {"roleArn": ROLE},
        },
        {"attribution": "metricAttributionArn"},
    ),
    Step("DescribeMetricAttribution", {"metricAttributionArn": "<attribution>"}),
    Step("ListMetricAttributions", {"datasetGroupArn": "<group>"}),
    Step("ListMetricAttributionMetrics", {"metricAttributionArn": "<attribution>"}),
    Step(
        "UpdateMetricAttribution",
        {"metricAttributionArn": "<attribution>", "addMetrics": [{**_METRIC, "metricName": "more"}]},
    ),
    Step(
        "CreateDataDeletionJob",
        {
            "jobName": "forget",
            "datasetGroupArn": "<group>",
            "dataSource": {"dataLocation": "s3://data/users.csv"},
            "roleArn": ROLE,
        },
        {"deletion": "dataDeletionJobArn"},
    ),
    Step("DescribeDataDeletionJob", {"dataDeletionJobArn": "<deletion>"}),
    Step("ListDataDeletionJobs", {"datasetGroupArn": "<group>"}),
    *_spare("DatasetGroup", {}),
    *_spare("Schema", {"schema": INTERACTIONS_SCHEMA}),
    *_spare("Filter", {"datasetGroupArn": "<group>", "filterExpression": _FILTER}),
    *_spare("Solution", {"datasetGroupArn": "<group>", "recipeArn": V2, "performAutoTraining": False}),
    *_spare("Campaign", {"solutionVersionArn": "<picks_version>"}),
    *_spare("Recommender", {"datasetGroupArn": "<domain_group>", "recipeArn": _MOST_POPULAR}),
    Step("CreateDatasetGroup", {"name": "other"}, {"other_group": "datasetGroupArn"}),
    Step(
        "CreateDataset",
        {
            "name": "other",
            "schemaArn": "<interactions_schema>",
            "datasetGroupArn": "<other_group>",
            "datasetType": "Interactions",
        },
    ),
    Step("CreateDatasetGroup", {"name": "empty"}, {"empty_group": "datasetGroupArn"}),
    *_spare("EventTracker", {"datasetGroupArn": "<empty_group>"}),
    *_spare(
        "MetricAttribution",
        {"datasetGroupArn": "<domain_group>", "metrics": [_METRIC], "metricsOutputConfig": {"roleArn": ROLE}},
    ),
    *_spare("Dataset", {"datasetGroupArn": "<empty_group>", "schemaArn": "<items_schema>", "datasetType": "Items"}),
    Step("CreateSolutionVersion", {"solutionArn": "<picks_solution>"}, {"stopped": "solutionVersionArn"}, leave=True),
    Step("StopSolutionVersionCreation", {"solutionVersionArn": "<stopped>"}),
)

_BUSY = (
    Step("CreateDatasetGroup", {"name": "busy"}, {"busy_group": "datasetGroupArn"}),
    Step(
        "CreateDatasetGroup",
        {"name": "busy-domain", "domain": "VIDEO_ON_DEMAND"},
        {"busy_domain_group": "datasetGroupArn"},
    ),
    *(
        Step(
            "CreateDataset",
            {
                "name": f"busy-{kind}",
                "datasetGroupArn": "<empty_group>",
                "schemaArn": f"<{kind}_schema>",
                "datasetType": kind,
            },
            {f"busy_{kind}": "datasetArn"},
        )
        for kind in ("items", "users", "actions")
    ),
    Step(
        "CreateDataset",
        {
            "name": "busy-action_events",
            "datasetGroupArn": "<empty_group>",
            "schemaArn": "<action_events_schema>",
            "datasetType": "Action_Interactions",
        },
        {"busy_action_events": "datasetArn"},
    ),
    Step("DescribeDataset", {"datasetArn": "<busy_action_events>"}, {"busy_action_tracking_id": "dataset.trackingId"}),
    Step(
        "CreateEventTracker", {"name": "busy", "datasetGroupArn": "<empty_group>"}, {"busy_tracker": "eventTrackerArn"}
    ),
    Step(
        "CreateFilter",
        {"name": "busy", "datasetGroupArn": "<group>", "filterExpression": _FILTER},
        {"busy_filter": "filterArn"},
    ),
    Step(
        "CreateSolution",
        {"name": "busy", "datasetGroupArn": "<group>", "recipeArn": V2},
        {"busy_solution": "solutionArn"},
    ),
    Step("CreateSolutionVersion", {"solutionArn": "<picks_solution>"}, {"busy_version": "solutionVersionArn"}),
    Step("CreateCampaign", {"name": "busy", "solutionVersionArn": "<picks_version>"}, {"busy_campaign": "campaignArn"}),
    Step(
        "CreateRecommender",
        {"name": "busy", "datasetGroupArn": "<domain_group>", "recipeArn": _MOST_POPULAR},
        {"busy_recommender": "recommenderArn"},
    ),
    Step(
        "CreateMetricAttribution",
        {
            "name": "busy",
            "datasetGroupArn": "<other_group>",
            "metrics": [_METRIC],
            "metricsOutputConfig": {"roleArn": ROLE},
        },
        {"busy_attribution": "metricAttributionArn"},
    ),
)

#: what is made after all steps and stays in CREATE PENDING
BUSY: Sequence[Step] = tuple(replace(step, leave=True) for step in _BUSY)

IN_USE = "ResourceInUseException"
LIMIT = "LimitExceededException"
INVALID = "InvalidInputException"
NOT_FOUND = "ResourceNotFoundException"
EXISTS = "ResourceAlreadyExistsException"
TOO_MANY_TAGS = "TooManyTagsException"
TOO_MANY_KEYS = "TooManyTagKeysException"
BAD_TOKEN = "InvalidNextTokenException"

#: members of the operation's first request in ``STEPS`` that bring an error about, once ``BUSY`` is there
ERRORS: Mapping[tuple[str, str], Json] = {
    ("CreateBatchInferenceJob", IN_USE): {"jobName": "new", "solutionVersionArn": "<busy_version>"},
    ("CreateBatchSegmentJob", IN_USE): {"jobName": "new", "solutionVersionArn": "<busy_version>"},
    ("CreateCampaign", IN_USE): {"name": "new", "solutionVersionArn": "<busy_version>"},
    ("CreateDataDeletionJob", IN_USE): {"jobName": "new", "datasetGroupArn": "<busy_group>"},
    ("CreateDataset", IN_USE): {"datasetGroupArn": "<busy_group>"},
    ("CreateDatasetExportJob", IN_USE): {"jobName": "new", "datasetArn": "<busy_items>"},
    ("CreateDatasetImportJob", IN_USE): {"jobName": "new", "datasetArn": "<busy_items>"},
    ("CreateEventTracker", IN_USE): {"name": "new", "datasetGroupArn": "<busy_group>"},
    ("CreateEventTracker", LIMIT): {"name": "second"},
    ("CreateMetricAttribution", EXISTS): {"datasetGroupArn": "<domain_group>"},
    ("CreateMetricAttribution", IN_USE): {"name": "new", "datasetGroupArn": "<busy_group>"},
    ("CreateMetricAttribution", LIMIT): {"name": "second"},
    ("CreateRecommender", IN_USE): {"name": "new", "datasetGroupArn": "<busy_domain_group>"},
    ("CreateSolution", IN_USE): {"name": "new", "datasetGroupArn": "<busy_group>"},
    ("CreateSolutionVersion", IN_USE): {"solutionArn": "<busy_solution>"},
    ("DeleteCampaign", IN_USE): {"campaignArn": "<busy_campaign>"},
    ("DeleteDataset", IN_USE): {"datasetArn": "<busy_items>"},
    ("DeleteDatasetGroup", IN_USE): {"datasetGroupArn": "<group>"},
    ("DeleteEventTracker", IN_USE): {"eventTrackerArn": "<busy_tracker>"},
    ("DeleteFilter", IN_USE): {"filterArn": "<busy_filter>"},
    ("DeleteMetricAttribution", IN_USE): {"metricAttributionArn": "<busy_attribution>"},
    ("DeleteRecommender", IN_USE): {"recommenderArn": "<busy_recommender>"},
    ("DeleteSchema", IN_USE): {"schemaArn": "<interactions_schema>"},
    ("DeleteSolution", IN_USE): {"solutionArn": "<picks_solution>"},
    ("GetSolutionMetrics", IN_USE): {"solutionVersionArn": "<busy_version>"},
    ("PutActionInteractions", IN_USE): {"trackingId": "<busy_action_tracking_id>"},
    ("PutActions", IN_USE): {"datasetArn": "<busy_actions>"},
    ("PutItems", IN_USE): {"datasetArn": "<busy_items>"},
    ("PutUsers", IN_USE): {"datasetArn": "<busy_users>"},
    ("StartRecommender", IN_USE): {},
    ("StopRecommender", IN_USE): {"recommenderArn": "<busy_recommender>"},
    ("StopSolutionVersionCreation", IN_USE): {"solutionVersionArn": "<picks_version>"},
    ("UntagResource", TOO_MANY_KEYS): {"tagKeys": [f"k{number}" for number in range(51)]},
    ("UpdateCampaign", IN_USE): {"campaignArn": "<busy_campaign>"},
    ("UpdateDataset", IN_USE): {"datasetArn": "<busy_items>"},
    ("UpdateMetricAttribution", EXISTS): {"addMetrics": [_METRIC]},
    ("UpdateMetricAttribution", IN_USE): {"metricAttributionArn": "<busy_attribution>"},
    ("UpdateRecommender", IN_USE): {"recommenderArn": "<busy_recommender>"},
    ("UpdateSolution", IN_USE): {"solutionArn": "<busy_solution>"},
    # requests that are wrong, where the one without any member is not
    ("GetActionRecommendations", INVALID): {"numResults": 101},
    ("GetRecommendations", INVALID): {"numResults": 501},
    ("UpdateMetricAttribution", INVALID): {"metricAttributionArn": "watched"},
}

#: errors that the API's model has, and that nothing in the documentation explains
UNEXPLAINED: Mapping[tuple[str, str], str] = {
    ("CreateEventTracker", EXISTS): "random digits end its ARN; a second one is second_event_tracker_error's to refuse",
    ("CreateSolutionVersion", EXISTS): "random digits end its ARN, unless version_name_in_arn says that its name does",
    ("ListTagsForResource", IN_USE): "nothing tells when tags cannot be read",
    ("TagResource", IN_USE): "nothing tells when a resource cannot be tagged",
    ("UntagResource", IN_USE): "nothing tells when a resource cannot be untagged",
}


@dataclass(frozen=True)
class Answer:
    """What came over HTTP."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Json:
        """The members; none if there is no body."""
        return json.loads(self.content) if self.content else {}


class World:
    """A cloud where time passes as on AWS unless it is told to go on, and what the steps have saved.

    :param quotas: Default: - so large that no step meets one.
    :param data: the directory that everything is kept in. Default: - nothing is kept.
    """

    def __init__(self, quotas: Mapping[str, int] | None = None, data: Path | None = None) -> None:
        large = {quota.name: 1000 for quota in QUOTAS}
        self.cloud = Cloud(Settings(time_scale=1, quotas={**large, **(quotas or {})}, data=data))
        self.saved: dict[str, str] = {}
        for name, text in FILES.items():
            self.cloud.buckets.put(name, text)

    def do(self, step: Step) -> Answer:
        """Call, save what is to be saved, and let the time pass that it takes."""
        answer = self.send(step.operation, self.resolve(step.request))
        assert answer.status == 200, (step, answer.body)
        for name, path in step.saves.items():
            found: Any = answer.body
            for member in path.split("."):
                found = found[member]
            self.saved[name] = found
        if not step.leave:
            self.settle()
            failed = [(each.arn, each.progress) for each in self.records() if "FAILED" in each.status]
            assert not failed, (step, failed)
        return answer

    def resolve(self, value: Any) -> Any:
        """Put in what earlier steps have saved."""
        if isinstance(value, str):
            return re.sub(r"<(\w+)>", lambda match: self.saved[match[1]], value)
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        return value

    def send(self, operation: str, request: Any) -> Answer:
        """Call over HTTP."""
        return self.send_bytes(operation, json.dumps(request).encode())

    def send_bytes(self, operation: str, body: bytes) -> Answer:
        """Call over HTTP, with whatever body."""
        service = EVERY[operation]
        model = operation_model(service, operation)
        assert model is not None
        headers = {"Content-Type": "application/json"}
        if service == "personalize":
            headers = {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"{TARGET_PREFIX}.{operation}",
            }
        return Answer(
            *self.cloud.service.handle_http(
                "POST", model.http["requestUri"], headers, body, account=ACCOUNT, region=REGION
            )
        )

    def settle(self, seconds: float = 30) -> None:
        """Let time pass until nothing is on its way to another status."""
        state = self.cloud.service._engine.state
        end = time.monotonic() + seconds
        while True:
            with state.lock:
                busy = [(each.arn, each.status) for each in self.records() if each.progress.busy or each.updating]
            if not busy:
                return
            assert time.monotonic() < end, busy
            self.cloud.advance(3600)
            time.sleep(0.001)

    def records(self) -> list[Record]:
        """All that there is."""
        scope = self.cloud.service._engine.state.scope(ACCOUNT, REGION)
        return [record for kind in KINDS for record in scope.all(kind)]

    def close(self) -> None:
        """End it."""
        self.cloud.service.close()
