"""What the roles of a workflow may do: the data of ``permissions`` and nothing else, and all of it is used."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk.assertions import Template
from botocore import xform_name

import cdk_personalize as personalize
from cdk_personalize.workflow import permissions
from tests.unit.workflow.test_definitions import DEFINITIONS, all_states

LAMBDA = Path(__file__).parents[3] / "lambda" / "personalize_lambda"
PART = r"WorkflowFor\w{8}"
#: By the logical id of its policy: what each part of a workflow is allowed
POLICIES: Mapping[str, permissions.Permissions] = {
    rf"{PART}RunRoleDefaultPolicy": permissions.RUN,
    rf"{PART}SolutionRoleDefaultPolicy": permissions.SOLUTION,
    rf"{PART}RecommenderRoleDefaultPolicy": permissions.RECOMMENDER,
    rf"{PART}PlanRoleDefaultPolicy": permissions.PLAN,
    rf"{PART}CheckImportRoleDefaultPolicy": permissions.CHECK_IMPORT,
    rf"{PART}FinishRoleDefaultPolicy": permissions.FINISH,
    rf"{PART}StartRoleDefaultPolicy": permissions.START,
    rf"{PART}OnEventPolicy": permissions.DEPLOY,
    rf"{PART}IsCompletePolicy": permissions.TEARDOWN,
    "SchedulerRoleForTarget": {"run state machine": ("states:StartExecution",)},
}
#: What the CDK grants by itself: logs and traces of state machines and functions, and reading the queue of new files
BY_THE_CDK = re.compile(
    r"logs:\w+|xray:\w+|sqs:(ChangeMessageVisibility|DeleteMessage|GetQueueAttributes|GetQueueUrl|ReceiveMessage)"
)
OWNED = ["aws:ResourceTag/cdk-personalize:owner"]
#: What must be equal for a statement of a kind to hold
CONDITIONS = {
    "owned campaigns": OWNED,
    "owned recommenders": OWNED,
    "owned solutions": OWNED,
    "model metrics": ["cloudwatch:namespace"],
    "service roles": ["iam:PassedToService"],
}
#: What an integration needs whose action has another name
INTEGRATIONS = {
    "startExecution.sync": (
        "states:DescribeExecution",
        "states:StartExecution",
        "states:StopExecution",
        "events:DescribeRule",
        "events:PutRule",
        "events:PutTargets",
    ),
    "invoke": ("lambda:InvokeFunction",),
}
SERVICES = {"sfn": "states"}
#: Actions of S3 that have another name than the operation
S3_ACTIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObject": "s3:DeleteObjectVersion",
}
#: By the module of the handler: what the function is allowed
FUNCTIONS: Mapping[str, permissions.Permissions] = {
    "workflow.plan": permissions.PLAN,
    "workflow.check_import": permissions.CHECK_IMPORT,
    "workflow.finish": permissions.FINISH,
    "workflow.start_run": permissions.START,
    "provider.deployment": {
        "on event": tuple(action for listed in permissions.DEPLOY.values() for action in listed),
        "is complete": tuple(action for listed in permissions.TEARDOWN.values() for action in listed),
    },
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
    topic = cdk.aws_sns.Topic(stack, "Told", master_key=key)
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


def statements(template: Template, pattern: str) -> list[dict[str, Any]]:
    """The statements of the policies with such logical ids, without what the CDK grants."""
    found = [
        statement
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if re.match(pattern, name)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    return [each for each in found if not all(BY_THE_CDK.fullmatch(action) for action in actions(each))]


def actions(statement: Mapping[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


@pytest.mark.parametrize("pattern", POLICIES)
def test_statements_are_those_of_the_data(template: Template, pattern: str) -> None:
    found = statements(template, pattern)
    assert [sorted(actions(each)) for each in found] == [sorted(listed) for listed in POLICIES[pattern].values()]
    for kind, each in zip(POLICIES[pattern], found, strict=True):
        assert (each["Effect"], "NotAction" in each, "NotResource" in each) == ("Allow", False, False)
        assert sorted(each.get("Condition", {}).get("StringEquals", {})) == CONDITIONS.get(kind, []), kind
        # nothing of a kind is named as what there is none of: all of it is declared here
        assert ":none/" not in json.dumps(each["Resource"]), kind
        if kind not in permissions.WILDCARDS:
            assert each["Resource"] != "*", kind


def test_all_policies_of_the_workflow_are_known(template: Template) -> None:
    """Whoever gives a part of the workflow a policy has to say so here."""
    unknown = [
        name
        for name in template.find_resources("AWS::IAM::Policy")
        if name.startswith("WorkflowFor") and not any(re.match(pattern, name) for pattern in POLICIES)
        if statements(template, re.escape(name))
    ]
    assert unknown == []


# --- What is granted is used, and what is used is granted ---

MACHINES = {
    "run of a domain": permissions.RUN,
    "solution": permissions.SOLUTION,
    "recommender": permissions.RECOMMENDER,
}


def used_by(definition: dict[str, Any]) -> set[str]:
    """The actions that a state machine needs for its integrations."""
    found: set[str] = set()
    for _, state in all_states(definition):
        resource = state.get("Resource", "").partition(":states:::")[2]
        if not resource:
            continue
        service, operation = resource.removesuffix(":2").rsplit(":", 2)[-2:]
        found |= set(INTEGRATIONS.get(operation, (f"{SERVICES.get(service, service)}:{_capital(operation)}",)))
        if service == "personalize" and operation.startswith("create"):
            found.add("personalize:TagResource")
        if service == "personalize" and operation.endswith("Job") and operation.startswith("create"):
            found.add("iam:PassRole")
    return found


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_may_do_what_its_definition_does_and_nothing_else(name: str) -> None:
    granted = {action for listed in MACHINES[name].values() for action in listed}
    assert granted == used_by(DEFINITIONS[name])


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def operations() -> dict[str, set[str]]:
    """By the name of a method of a client: the actions that it may stand for."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service in ("dynamodb", "events", "personalize", "s3", "sns", "stepfunctions"):
        prefix = {"stepfunctions": "states"}.get(service, service)
        for operation in session.get_service_model(service).operation_names:
            action = f"{prefix}:{operation}"
            found.setdefault(xform_name(operation), set()).add(S3_ACTIONS.get(action, action))
    return found


def called(module: str) -> set[str]:
    """The actions of all calls in a module of the functions and in what it imports."""
    known, seen, left, found = operations(), set[str](), [module], set[str]()
    while left:
        name = left.pop()
        path = LAMBDA / f"{name.replace('.', '/')}.py"
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        package = name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                base = (node.module or "").removeprefix("personalize_lambda").lstrip(".")
                base = f"{package}.{base}".rstrip(".") if node.level else base
                left += [base, *(f"{base}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Attribute):
                found |= known.get(node.attr, set())
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # of paginators
                found |= known.get(node.value, set())
    return found


#: What is called by a name that is put together from the kind of a job that is declared
COMPOSED = {
    f"personalize:List{kind}s"
    for kind in ("BatchInferenceJob", "BatchSegmentJob", "DataDeletionJob", "DatasetExportJob")
}


@pytest.mark.parametrize("module", FUNCTIONS)
def test_a_function_may_do_nothing_that_its_code_does_not_call(module: str) -> None:
    granted = {action for listed in FUNCTIONS[module].values() for action in listed}
    # keys are used by S3 and SNS in the name of the function
    assert {action for action in granted if not action.startswith("kms:")} - called(module) - COMPOSED == set()


def test_everything_that_the_functions_of_the_workflow_call_is_granted() -> None:
    granted = {action for allowed in FUNCTIONS.values() for listed in allowed.values() for action in listed}
    calls = {action for module in FUNCTIONS for action in called(module) if action.startswith("personalize:")}
    assert calls - granted == set()
