"""What the roles may do: the data of ``permissions`` and nothing else, of which all is needed and without which nothing
works: what each part calls is read from the state machines and from the code of the functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk.assertions import Template

import cdk_personalize as personalize
from cdk_personalize.workflow.permissions import Permissions
from tests.e2e.unused import ALSO_USED, NEVER, SOMETIMES, UNUSED
from tests.e2e.used import matched
from tests.permissions import MACHINES, OF_DIFFERENT_KINDS, PARTS, actions, each_permission, named, part_of
from tests.unit.workflow.calls import Calls
from tests.unit.workflow.test_definitions import DEFINITIONS, all_states

#: What the CDK grants by itself: logs and traces of state machines and functions, and reading the queue of new files
BY_THE_CDK = re.compile(
    r"logs:\w+|xray:\w+|sqs:(ChangeMessageVisibility|DeleteMessage|GetQueueAttributes|GetQueueUrl|ReceiveMessage)"
)
_OWNER: Final = {"aws:ResourceTag/cdk-personalize:owner": "Films-Movies-f55e0ec7"}
_TO_PERSONALIZE: Final = {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
#: When the statements of a kind hold, if not always
CONDITIONS: Final[Mapping[str, Any]] = {
    "owned campaigns": {"StringEquals": _OWNER},
    "owned recommenders": {"StringEquals": _OWNER},
    "owned solutions": {"StringEquals": _OWNER},
    # a version that was trained by hand may lack the tag
    "owned trainings": {"StringEqualsIfExists": _OWNER},
    "model metrics": {"StringEquals": {"cloudwatch:namespace": "cdk-personalize"}},
    "import role": _TO_PERSONALIZE,
    "job roles": _TO_PERSONALIZE,
    "service role": _TO_PERSONALIZE,
}
_ARN: Final = "arn:AWS::Partition:{}:AWS::Region:AWS::AccountId:"
_EVENTS, _PERSONALIZE, _STATES = (_ARN.format(service) for service in ("events", "personalize", "states"))
#: What the statements of a kind are about: ARNs, and logical ids without hashes
RESOURCES: Final[Mapping[str, list[str]]] = {
    "*": ["*"],
    "any campaign": [f"{_PERSONALIZE}campaign/*"],
    "any recommender": [f"{_PERSONALIZE}recommender/*"],
    "any schema": [f"{_PERSONALIZE}schema/*"],
    "any solution": [f"{_PERSONALIZE}solution/*"],
    "attribution": [f"{_PERSONALIZE}metric-attribution/Films-Movies-c56eb8dc"],
    "batch inference jobs": [f"{_PERSONALIZE}batch-inference-job/Films-Movies-Picks-Mail-4d0dc570-*"],
    "batch segment jobs": [f"{_PERSONALIZE}batch-segment-job/Films-Movies-Fans-Clients-e8f16223-*"],
    "batched solutions": [
        f"{_PERSONALIZE}solution/Films-Movies-Picks-f29bf39e/*",
        f"{_PERSONALIZE}solution/Films-Movies-Fans-d1be351e/*",
    ],
    "check function": ["WorkflowFor1bc73718CheckImport"],
    "child execution rule": [f"{_EVENTS}rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"],
    "data bucket": ["Data"],
    "data deletion jobs": [f"{_PERSONALIZE}data-deletion-job/Films-Movies-Forget-1f577607-*"],
    "dataset export jobs": [f"{_PERSONALIZE}dataset-export-job/Films-Movies-Interactions-Backup-526ffa67-*"],
    "dataset group": ["Movies"],
    "dataset group and attribution": [
        f"{_PERSONALIZE}dataset-group/Films-Movies-f55e0ec7",
        f"{_PERSONALIZE}metric-attribution/Films-Movies-c56eb8dc",
    ],
    "dataset group and datasets": [
        f"{_PERSONALIZE}dataset-group/Films-Movies-f55e0ec7",
        f"{_PERSONALIZE}dataset/Films-Movies-f55e0ec7/*",
    ],
    "dataset group with deletions": ["Movies"],
    "datasets": ["MoviesInteractions"],
    "declared campaigns": [f"{_PERSONALIZE}campaign/Films-Movies-Picks-Live-4c0bac29"],
    "declared recommenders": [f"{_PERSONALIZE}recommender/Films-Movies-Top-384c57f1"],
    "declared solutions": [
        f"{_PERSONALIZE}solution/Films-Movies-Picks-f29bf39e",
        f"{_PERSONALIZE}solution/Films-Movies-Picks-f29bf39e/*",
        f"{_PERSONALIZE}solution/Films-Movies-Fans-d1be351e",
        f"{_PERSONALIZE}solution/Films-Movies-Fans-d1be351e/*",
    ],
    "document": ["Data/cdk-personalize/Films-Movies-f55e0ec7/desired-state.json"],
    "event bus": [f"{_EVENTS}event-bus/default"],
    "exported datasets": ["MoviesInteractions"],
    "import executions": [f"{_STATES}execution:Films-Workflow-d9609868-import:*"],
    "import jobs": [f"{_PERSONALIZE}dataset-import-job/*"],
    "import reports": ["Data/cdk-personalize/Films-Movies-f55e0ec7/imports/*"],
    "import role": ["MoviesServiceRole"],
    "import state machine": ["WorkflowFor1bc73718Import"],
    "job executions": [f"{_STATES}execution:Films-Workflow-d9609868-job:*"],
    "job roles": ["MoviesServiceRole"],
    "job state machine": ["WorkflowFor1bc73718Job"],
    "key": ["Key"],
    "lock table": ["WorkflowFor1bc73718Lock"],
    "model metrics": ["*"],
    "own schemas": [f"{_PERSONALIZE}schema/Films-Movies-287222c2-*"],
    "owned campaigns": [f"{_PERSONALIZE}campaign/*"],
    "owned recommenders": [f"{_PERSONALIZE}recommender/*"],
    "owned solutions": [f"{_PERSONALIZE}solution/*"],
    "owned trainings": [f"{_PERSONALIZE}solution/*"],
    "plan function": ["WorkflowFor1bc73718Plan"],
    "recommender executions": [f"{_STATES}execution:Films-Workflow-d9609868-recommender:*"],
    "recommender listing": ["*"],
    "recommender state machine": ["WorkflowFor1bc73718Recommender"],
    "run executions": [f"{_STATES}execution:Films-Workflow-d9609868:*"],
    "run state machine": [f"{_STATES}stateMachine:Films-Workflow-d9609868"],
    "service role": ["MoviesMetricAttributionRole"],
    "solution executions": [f"{_STATES}execution:Films-Workflow-d9609868-solution:*"],
    "solution state machine": ["WorkflowFor1bc73718Solution"],
    "source buckets": ["Data", "Lists"],
    "source files": ["Data/Movies/interactions/*", "Data/more/*"],
    "source keys": ["Key", "Key"],
    "stack": ["AWS::StackId"],
    "topic": ["Told"],
    "topic key": ["ToldKey"],
}
#: The same, where it depends on the part, too
RESOURCES_OF_PART: Final[Mapping[tuple[str, str], list[str]]] = {
    ("group", "service role"): ["MoviesServiceRole"],
    # all others cannot refer to it, and have its name
    ("schedule", "run state machine"): ["WorkflowFor1bc73718Run"],
}


@pytest.fixture(scope="module")
def template() -> Template:
    """A group of a domain with everything that a workflow can work on."""
    stack = cdk.Stack(cdk.App(), "Films")
    key = cdk.aws_kms.Key(stack, "Key")
    bucket = personalize.DataBucket(stack, "Data", encryption_key=key)
    group = personalize.DatasetGroup(
        stack, "Movies", domain=personalize.Domain.VIDEO_ON_DEMAND, data_bucket=bucket, encryption_key=key
    )
    views = group.add_interactions(
        schema=personalize.Schema.interactions(domain=personalize.Domain.VIDEO_ON_DEMAND),
        incremental_source=personalize.DataSource(bucket, "more/"),
    )
    seen = personalize.AttributedMetric(event_type="Watch", metric_name="seen")
    group.add_metric_attribution(metrics=[seen], report_bucket=bucket)
    topic = cdk.aws_sns.Topic(stack, "Told", master_key=cdk.aws_kms.Key(stack, "ToldKey"))
    personalize.Workflow(stack, "Workflow", dataset_group=group, topic=topic)
    picks = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    picks.add_campaign("Live")
    picks.add_batch_inference_job("Mail", every=cdk.Duration.days(1))
    group.add_solution("Fans", recipe=personalize.Recipe.ITEM_AFFINITY).add_batch_segment_job("Clients")
    views.add_export_job("Backup")
    # the service does not read lists of users that are encrypted with a key
    lists = cdk.aws_s3.Bucket(stack, "Lists", encryption=cdk.aws_s3.BucketEncryption.S3_MANAGED)
    group.add_data_deletion_job("Forget", data_source=personalize.S3Location(lists, "forget/"))
    group.add_recommender("Top", use_case=personalize.UseCase.TOP_PICKS_FOR_YOU)
    return Template.from_stack(stack)


def statements(template: Template, part: str) -> list[dict[str, Any]]:
    """The statements of the policies of a part, without what the CDK grants."""
    found = [
        statement
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if part_of(name) == part
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    return [each for each in found if not all(BY_THE_CDK.fullmatch(action) for action in actions(each))]


@pytest.mark.parametrize("part", [part for part in PARTS if part not in OF_DIFFERENT_KINDS])
def test_statements_are_those_of_the_data(template: Template, part: str) -> None:
    allowed, found = PARTS[part].allowed, statements(template, part)
    assert [sorted(actions(each)) for each in found] == [sorted(listed) for listed in allowed.values()]
    for kind, each in zip(allowed, found, strict=True):
        assert (each["Effect"], "NotAction" in each, "NotResource" in each) == ("Allow", False, False)
        assert each.get("Condition") == CONDITIONS.get(kind), kind
        on = each["Resource"]
        expected = RESOURCES_OF_PART.get((part, kind)) or RESOURCES[kind]
        assert [named(one) for one in (on if isinstance(on, list) else [on])] == expected, kind


def test_service_roles_are_allowed_what_the_data_say_on_one_file_pattern_or_bucket_each(template: Template) -> None:
    found = statements(template, "service role")
    on_files = [each for each in found if any(action.startswith("s3:") for action in actions(each))]
    assert {tuple(actions(each)) for each in on_files} == {*PARTS["service role"].allowed.values()}
    for each in on_files:
        is_pattern = json.dumps(each["Resource"]).endswith('*"]]}')
        assert is_pattern == (actions(each) != ["s3:ListBucket"]), each


# --- What is granted is needed, and what is needed is granted ---

PERSONALIZE: Final = botocore.session.get_session().get_service_model("personalize")

Need = tuple[str, str]
"""An action, and the kind of thing that it is about."""

#: Types of resources that the service authorises its operations on; all others on the type that they are named after
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html
AUTHORIZED_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "CreateBatchInferenceJob": ("batch inference job", "solution"),
    # The reference names no solution here, unlike for its sister. Should that be an omission, it has to be allowed.
    "CreateBatchSegmentJob": ("batch segment job", "solution"),
    "CreateCampaign": ("campaign", "solution"),
    "CreateDataDeletionJob": ("data deletion job", "dataset group"),
    "CreateDataset": ("dataset", "dataset group"),
    "CreateDatasetExportJob": ("dataset export job", "dataset"),
    "CreateDatasetImportJob": ("dataset import job", "dataset"),
    "CreateMetricAttribution": ("metric attribution", "dataset group"),
    "CreateRecommender": ("recommender", "dataset group"),
    "CreateSolution": ("solution", "dataset group"),
    "CreateSolutionVersion": ("solution",),
    "DescribeSolutionVersion": ("solution",),
    "GetSolutionMetrics": ("solution",),
    "StopSolutionVersionCreation": ("solution",),
}

#: What the actions of other services are about, where a part works with one of a kind only
ABOUT: Final = {
    "cloudformation:DescribeStacks": "stack",
    "cloudwatch:PutMetricData": "*",
    "events:PutEvents": "event bus",
    "iam:PassRole": "service role",
    "s3:ListBucket": "source bucket",
    "s3:ListBucketVersions": "data bucket",
    "sns:Publish": "topic",
    "states:DescribeExecution": "run execution",
    "states:StartExecution": "run state machine",
    "states:StopExecution": "run execution",
}

#: Where it is not said by the action what a call is about: by the function that calls
ABOUT_BY_CALLER: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("workflow.check_import.handler", "s3:GetObject"): ("document",),
    ("workflow.check_import.handler", "s3:PutObject"): ("import report",),
    ("workflow.files.RangedFile", "s3:GetObject"): ("source file",),
    ("workflow.plan._plan", "s3:GetObject"): ("document",),
    ("provider.deployment._write", "s3:PutObject"): ("document",),
    ("provider.deployment._delete_document", "s3:DeleteObjectVersion"): ("document",),
    ("workflow.observe._owned", "personalize:ListTagsForResource"): ("campaign", "recommender", "solution"),
    ("workflow.observe._versions", "personalize:ListTagsForResource"): ("solution",),
    **{
        ("provider.tags." + name, f"personalize:{operation}"): ("dataset", "dataset group")
        for name, operation in (
            ("current", "ListTagsForResource"),
            ("synchronize", "TagResource"),
            ("synchronize", "UntagResource"),
        )
    },
}

#: What else is needed to do something: with keys, S3, SNS and Personalize work in the name of who asks
IMPLIED: Final[Mapping[Need, tuple[Need, ...]]] = {
    ("s3:GetObject", "document"): (("kms:Decrypt", "key"),),
    ("s3:GetObject", "source file"): (("kms:Decrypt", "source key"),),
    ("s3:PutObject", "document"): (("kms:Decrypt", "key"), ("kms:GenerateDataKey", "key")),
    ("s3:PutObject", "import report"): (("kms:Decrypt", "key"), ("kms:GenerateDataKey", "key")),
    ("sns:Publish", "topic"): (("kms:Decrypt", "topic key"), ("kms:GenerateDataKey", "topic key")),
    ("personalize:CreateMetricAttribution", "metric attribution"): tuple(
        (f"kms:{action}", "key") for action in ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey")
    ),
}

#: What a kind of resource is, where it is not its name, or its singular
THINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "attribution": ("metric attribution",),
    "batched solutions": ("solution",),
    "child execution rule": ("rule",),
    "dataset group and attribution": ("dataset group", "metric attribution"),
    "dataset group and datasets": ("dataset group", "dataset"),
    "dataset group with deletions": ("dataset group",),
    "event bus": ("event bus",),
    "exported datasets": ("dataset",),
    "import jobs": ("dataset import job",),
    "import role": ("service role",),
    "job roles": ("service role",),
    "model metrics": ("*",),
    "owned trainings": ("solution",),
    "recommender listing": ("*",),
}
_ADJECTIVE = re.compile("^(any|declared|own|owned) ")


def things(kind: str) -> tuple[str, ...]:
    """What a kind of resource of the data is."""
    return THINGS.get(kind) or (_ADJECTIVE.sub("", kind).removesuffix("s"),)


#: By the part: the functions that its code begins with
CODE: Final[Mapping[str, tuple[str, ...]]] = {
    "plan": ("workflow.plan.handler",),
    "check": ("workflow.check_import.handler",),
    "finish": ("workflow.finish.handler",),
    "start": ("workflow.start_run.handler",),
    **{
        part: tuple(f"provider.{module}.{name}" for module in modules for name in names)
        for modules, started, ended in (
            (("deployment",), "deploy", "teardown"),
            (("metric_attribution",), "attribution", "attribution made"),
            (("dataset", "dataset_group", "schema"), "group", "group made"),
        )
        for part, names in ((started, ("create", "update", "delete")), (ended, ("is_complete",)))
    },
}
#: What a part that can come by there never calls: a teardown looks at no datasets and jobs
NOT_REACHED: Final = {
    "teardown": ("workflow.observe._creation", "workflow.observe._dataset", "workflow.observe_jobs.observe_jobs")
}
#: What is called by a name that is put together from the kind of a job that is declared
COMPOSED: Final = {
    "workflow.observe_jobs._pages": tuple(
        f"personalize:List{kind}s"
        for kind in ("BatchInferenceJob", "BatchSegmentJob", "DataDeletionJob", "DatasetExportJob")
    )
}

#: The definition of a state machine, where its name is not that of the part
DEFINED_AS: Final = {"run": "run of a domain"}
#: What a state machine's tags are set on
TAGGED: Final = {"solution": ("solution",)}
SERVICES: Final = {"sfn": "states"}

#: What has no code here: the scheduler's target, the CDK's framework, and what the service documents for its roles
#: https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html
ELSEWHERE: Final[Mapping[str, set[Need]]] = {
    "schedule": {("states:StartExecution", "run state machine")},
    "framework": {("states:StartExecution", "waiting")},
    "service role": {
        ("s3:GetObject", "files to read"),
        ("s3:PutObject", "files to write"),
        ("s3:ListBucket", "bucket"),
    },
}


def _words(name: str) -> str:
    return re.sub(r"\B(?=[A-Z])", " ", name).lower()


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def of_personalize(operation: str, tagged: tuple[str, ...] = ()) -> Iterator[Need]:
    """What a call of the service needs.

    :param operation: Such as ``CreateCampaign``.
    :param tagged: What an operation on tags is about.
    """
    model = PERSONALIZE.operation_model(operation)
    noun = re.sub("^(Create|Delete|Describe|Start|Stop|Update)", "", operation)
    if operation in ("ListTagsForResource", "TagResource", "UntagResource"):
        about = tagged
    elif operation.startswith("List"):
        about = ("*",)
    else:
        about = AUTHORIZED_ON.get(operation, (_words(noun),))
    yield from ((f"personalize:{operation}", each) for each in about)
    if operation.startswith("Create") and "tags" in model.input_shape.members:
        yield "personalize:TagResource", about[0]
    if _has_role(model.input_shape):
        yield "iam:PassRole", ABOUT["iam:PassRole"]


def _has_role(shape: Any) -> bool:
    """Whether a request may name a role that is passed to the service."""
    return shape.type_name == "structure" and any(
        name == "roleArn" or _has_role(member) for name, member in shape.members.items()
    )


def of_code(part: str) -> Iterator[Need]:
    """What the code of a part needs."""
    for caller, action in CALLS.reached_from(CODE[part], without=NOT_REACHED.get(part, ())):
        about = ABOUT_BY_CALLER.get((caller, action), ())
        service, _, operation = action.partition(":")
        if service == "personalize":
            found = set(of_personalize(operation, about))
        elif service == "dynamodb":
            found = {(action, "lock table")}
        elif about or action in ABOUT:
            found = {(action, each) for each in about or (ABOUT[action],)}
        else:
            raise AssertionError(f"say in ABOUT_BY_CALLER what {caller} calls {action} on")
        yield from found


def of_machine(part: str) -> Iterator[Need]:
    """What a state machine needs."""
    for _, state in all_states(DEFINITIONS[DEFINED_AS.get(part, part)]):
        integration = state.get("Resource", "").partition(":states:::")[2].removesuffix(":2")
        if not integration:
            continue
        service, operation = integration.rsplit(":", 2)[-2:]
        if (service, operation) == ("states", "startExecution.sync"):
            name = state["Arguments"]["StateMachineArn"].rpartition(":")[2]
            yield "states:StartExecution", f"{name} state machine"
            yield from ((f"states:{each}Execution", f"{name} execution") for each in ("Describe", "Stop"))
            yield from ((f"events:{each}", "rule") for each in ("DescribeRule", "PutRule", "PutTargets"))
        elif (service, operation) == ("lambda", "invoke"):
            name = state["Arguments"]["FunctionName"].rpartition(":")[2]
            yield "lambda:InvokeFunction", f"{name} function"
        elif service == "personalize":
            yield from of_personalize(_capital(operation), TAGGED.get(part, ()))
        else:
            action = f"{SERVICES.get(service, service)}:{_capital(operation)}"
            yield action, "lock table" if service == "dynamodb" else ABOUT[action]


def _needs(part: str) -> set[Need]:
    if part in ELSEWHERE:
        return ELSEWHERE[part]
    found = set(of_machine(part) if part in MACHINES else of_code(part))
    return found | {need for each in found for need in IMPLIED.get(each, ())}


CALLS: Final = Calls(composed=COMPOSED)
NEEDS: Final = {part: _needs(part) for part in PARTS}


def problems(part: str, allowed: Permissions) -> list[str]:
    """What is missing in what a part may do, and what is too much."""
    granted = [(kind, action) for kind, listed in allowed.items() for action in listed]
    covered = {(action, thing) for kind, action in granted for thing in things(kind)}
    missing = [f"{part}: {action} on {thing} is needed and not allowed" for action, thing in NEEDS[part] - covered]
    idle = [
        f"{part}: {action} on {kind} is allowed and not needed"
        for kind, action in granted
        if not any((action, thing) in NEEDS[part] for thing in things(kind))
    ]
    return sorted(missing + idle)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_may_do_what_it_does_and_nothing_else(part: str) -> None:
    assert problems(part, PARTS[part].allowed) == []


@pytest.mark.parametrize("permission", list(each_permission(("",))), ids=str)
def test_no_permission_can_be_taken_away_unnoticed(permission: Any) -> None:
    part, kind, action = permission
    allowed = PARTS[part].allowed
    without = {**allowed, kind: tuple(each for each in allowed[kind] if each != action)}
    assert [each for each in problems(part, without) if each.startswith(f"{part}: {action} on ")]


@pytest.mark.parametrize("part", PARTS)
def test_no_permission_can_be_added_unnoticed(part: str) -> None:
    allowed = PARTS[part].allowed
    for kind, listed in allowed.items():
        more = {**allowed, kind: (*listed, "personalize:DeleteEverything")}
        assert f"{part}: personalize:DeleteEverything on {kind} is allowed and not needed" in problems(part, more)


def test_every_permission_comes_to_use_in_an_end_to_end_test_but_for_a_few() -> None:
    used = {permission for permissions_of_one in ALSO_USED.values() for permission in permissions_of_one}
    unproven = {
        permission
        for permission in map(str, each_permission())
        if permission not in used and all(matched(permission, [*UNUSED[stack], *SOMETIMES[stack]]) for stack in UNUSED)
    }
    assert unproven == {*NEVER}
