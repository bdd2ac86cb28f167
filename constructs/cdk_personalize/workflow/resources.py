"""What a workflow works on, by the kinds of resources that its permissions name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from .._lazy import lazy_list
from .._nag import acknowledge_resources
from ..dataset import DataSource
from ..dataset_group import DatasetGroup
from ..metrics import MODEL_NAMESPACE
from ..s3_location import S3Location
from . import permissions
from .new_files import buckets_of

OWNER_CONDITION = "aws:ResourceTag/cdk-personalize:owner"
#: Kinds of resources that there may be none of: without the key, or in a custom dataset group
_OPTIONAL = (
    "any recommender",
    "key",
    "owned recommenders",
    "recommender executions",
    "recommender listing",
    "recommender state machine",
    "topic key",
)

_Arns = Callable[[], list[str]]


class Resources:
    """The resources of each kind that :mod:`permissions` names, read once everything is declared.

    :param scope: A construct of the stack.
    :param dataset_group: The dataset group that is worked on.
    :param run_arn: ARN of the state machine of runs, after which the others are named.
    :param document_key: Where in the data bucket the desired state is kept.
    """

    def __init__(self, scope: Construct, dataset_group: DatasetGroup, *, run_arn: str, document_key: str) -> None:
        self._scope, self._group = scope, dataset_group
        self.parts: dict[str, str] = {}
        """ARNs of what the workflow is made of, by kind: its functions, state machines, table and topic."""
        self._kinds: Mapping[str, _Arns] = {
            **self._of_the_service(),
            **self._of_the_runs(run_arn),
            **self._files(document_key),
            **self._jobs(),
        }

    def allow(self, role: iam.IRole | None, allowed: permissions.Permissions) -> None:
        """Allow a role what ``allowed`` says.

        :raises RuntimeError: for a function without a role.
        """
        if role is None:
            raise RuntimeError("a function without a role cannot be allowed anything")
        for statement in self.statements(allowed):
            role.add_to_principal_policy(statement)
        self.acknowledge(role, allowed)

    def statements(self, allowed: permissions.Permissions) -> list[iam.PolicyStatement]:
        """What ``allowed`` says: a statement for every kind of resource."""
        owned = {"StringEquals": {OWNER_CONDITION: self._group.owner}}
        to_personalize = {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
        conditions = {
            **dict.fromkeys(("owned campaigns", "owned recommenders", "owned solutions"), owned),
            # a version that was trained by hand may lack the tag
            "owned trainings": {"StringEqualsIfExists": {OWNER_CONDITION: self._group.owner}},
            "model metrics": {"StringEquals": {"cloudwatch:namespace": MODEL_NAMESPACE}},
            **dict.fromkeys(("import role", "job roles"), to_personalize),
        }
        return [
            iam.PolicyStatement(
                actions=list(actions),
                # IAM refuses a statement without a resource: where nothing of a kind is declared, name what cannot be
                resources=lazy_list(
                    partial(_some, self._of(kind), self._arn("personalize", f"none/{kind.replace(' ', '-')}"))
                ),
                conditions=conditions.get(kind),
            )
            for kind, actions in allowed.items()
            if kind not in _OPTIONAL or self._of(kind)()
        ]

    def acknowledge(self, construct: IConstruct, allowed: permissions.Permissions) -> None:
        """Say to cdk-nag why some of what ``allowed`` says are wildcards."""
        for kind in allowed:
            if kind in permissions.WILDCARDS:
                acknowledge_resources(construct, self._of(kind), permissions.WILDCARDS[kind])

    def sources(self) -> list[DataSource]:
        """Where datasets are imported from."""
        return [source for dataset in self._group.datasets for source in dataset.sources]

    def inputs(self) -> list[DataSource | S3Location]:
        """Where files start a run when they come: the sources of datasets, and what jobs read."""
        return [*self.sources(), *(job.job_input for job in self._group.jobs if job.job_input is not None)]

    def _of(self, kind: str) -> _Arns:
        if kind in self.parts:
            return lambda: [self.parts[kind]]
        return (lambda: []) if kind in _OPTIONAL and kind not in self._kinds else self._kinds[kind]

    def _of_the_service(self) -> dict[str, _Arns]:
        group = self._group
        solutions, campaigns, recommenders = (
            lambda: [self._arn("personalize", "solution/*")],
            lambda: [self._arn("personalize", "campaign/*")],
            lambda: [self._arn("personalize", "recommender/*")],
        )
        of_domain: dict[str, _Arns] = {
            "any recommender": recommenders,
            "owned recommenders": recommenders,
            "recommender listing": lambda: ["*"],
        }
        return {
            "*": lambda: ["*"],
            "any campaign": campaigns,
            "any solution": solutions,
            "dataset group": lambda: [group.dataset_group_arn],
            "datasets": lambda: [dataset.dataset_arn for dataset in group.datasets],
            "declared campaigns": lambda: [c.campaign_arn for s in group.solutions for c in s.campaigns],
            "declared recommenders": lambda: [recommender.recommender_arn for recommender in group.recommenders],
            "declared solutions": lambda: [
                arn for s in group.solutions for arn in (s.solution_arn, f"{s.solution_arn}/*")
            ],
            "import jobs": lambda: [self._arn("personalize", "dataset-import-job/*")],
            "import role": lambda: [group.service_role.role_arn],
            "model metrics": lambda: ["*"],
            "owned campaigns": campaigns,
            "owned solutions": solutions,
            "owned trainings": solutions,
            **(of_domain if group.domain is not None else {}),
        }

    def _of_the_runs(self, run_arn: str) -> dict[str, _Arns]:
        executions = run_arn.replace(":stateMachine:", ":execution:")
        children = ["import", "job", "solution", *(["recommender"] if self._group.domain is not None else [])]
        return {
            "child execution rule": lambda: [
                self._arn("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")
            ],
            "event bus": lambda: [self._arn("events", "event-bus/default")],
            "run executions": lambda: [f"{executions}:*"],
            # by its name: what it depends on cannot refer to it
            "run state machine": lambda: [run_arn],
            **{f"{child} executions": partial(_list, f"{executions}-{child}:*") for child in children},
        }

    def _files(self, document_key: str) -> dict[str, _Arns]:
        group, bucket = self._group, self._group.data_bucket
        key = bucket.encryption_key
        return {
            "data bucket": lambda: [bucket.bucket_arn],
            "document": lambda: [bucket.arn_for_objects(document_key)],
            "import reports": lambda: [bucket.arn_for_objects(f"cdk-personalize/{group.owner}/imports/*")],
            "source buckets": lambda: [each.bucket_arn for each in buckets_of(self.inputs())],
            "source files": lambda: [s.bucket.arn_for_objects(s.key_pattern) for s in self.sources()],
            "source keys": lambda: [s.bucket.encryption_key.key_arn for s in self.sources() if s.bucket.encryption_key],
            **({"key": partial(_list, key.key_arn)} if key else {}),
        }

    def _jobs(self) -> dict[str, _Arns]:
        group = self._group

        def named(kind: str) -> list[str]:
            resource = re.sub(r"\B(?=[A-Z])", "-", kind).lower()
            names = [job.job_prefix for job in group.jobs if job.kind == kind]
            return [self._arn("personalize", f"{resource}/{name}-*") for name in names]

        def used(member: str) -> list[str]:
            return list(dict.fromkeys(job.target[member] for job in group.jobs if member in job.target))

        return {
            "batch inference jobs": lambda: named("BatchInferenceJob"),
            "batch segment jobs": lambda: named("BatchSegmentJob"),
            "batched solutions": lambda: [f"{arn}/*" for arn in used("solutionArn")],
            "data deletion jobs": lambda: named("DataDeletionJob"),
            "dataset export jobs": lambda: named("DatasetExportJob"),
            "dataset group with deletions": lambda: used("datasetGroupArn"),
            "exported datasets": lambda: used("datasetArn"),
            "job roles": lambda: list(dict.fromkeys(job.role.role_arn for job in group.jobs)),
        }

    def _arn(self, service: str, tail: str) -> str:
        return Stack.of(self._scope).format_arn(service=service, resource=tail, arn_format=ArnFormat.NO_RESOURCE_NAME)


def _list(arn: str) -> list[str]:
    return [arn]


def _some(resources: _Arns, nothing: str) -> list[str]:
    return resources() or [nothing]
