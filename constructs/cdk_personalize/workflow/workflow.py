"""The workflow of a dataset group: what is slow, made true."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import jsii
from aws_cdk import (
    ArnFormat,
    CfnResource,
    CfnWaitCondition,
    CfnWaitConditionHandle,
    CustomResource,
    Duration,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct, IValidation

from .._custom_resource import custom_resource
from .._function import lambda_function
from .._lazy import lazy_any, lazy_list, lazy_string
from .._nag import acknowledge, acknowledge_resources
from .._names import physical_name
from .._provider import Provider
from ..dataset import DataSource
from ..dataset_group import DatasetGroup
from ..metrics import MODEL_NAMESPACE
from ..s3_location import S3Location
from . import history, permissions
from .deadlines import Deadlines
from .deployment import Deployment
from .desired_state import desired_state
from .import_definition import MOST_ROUNDS, import_definition
from .job_definition import DELETION, job_definition
from .new_files import NewFiles
from .polling import polls_until
from .recommender_definition import recommender_definition
from .removal import WorkflowRemovalPolicy
from .run_definition import run_definition
from .solution_definition import solution_definition

OWNER_CONDITION = "aws:ResourceTag/cdk-personalize:owner"
#: Uploads that come within this time start one run
BATCHING = Duration.minutes(1)
#: The longest that CloudFormation waits for a signal
LONGEST_DEPLOYMENT = Duration.hours(12)
EVERY_DAY = scheduler.ScheduleExpression.rate(Duration.days(1))
#: The service's quotas, as long as nobody has them raised
CAMPAIGNS_PER_GROUP, RECOMMENDERS_PER_GROUP, SOLUTIONS_PER_GROUP = 5, 5, 10
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


class Workflow(Construct):
    """Imports, trains, serves and prunes what a dataset group declares.

    A run compares what is declared with what exists and does only what is missing, so it is safe at any time. It is
    started by every deployment that changes something, by new files in a dataset's source, by a schedule, and by hand::

        aws stepfunctions start-execution --state-machine-arn ...

    A deployment starts a run, and waits for its end if ``deployment`` says so. When the stack is deleted, campaigns and
    solutions are removed in the order that the service demands, unless ``removal_policy`` says otherwise.

    :param scope: The parent construct.
    :param id: The construct id.
    :param dataset_group: The dataset group. It has one workflow.
    :param deadlines: How long a run waits for each kind of work. Default: - those of :class:`Deadlines`
    :param schedule: When runs are started besides, with the time zone that it is in. Default: - once a day while
        something declared depends on time, such as a training every week; else never
    :param time_window: How much later a scheduled run may start. Default: - TimeWindow.off(), at the time itself
    :param topic: Told how each run ended. Default: - a new topic without subscribers, see :attr:`topic`
    :param deployment: Whether a deployment waits until everything that is declared serves.
        Default: - Deployment.ASYNC, it does not
    :param removal_policy: What happens to campaigns, recommenders and solutions when the stack is deleted.
        Default: - WorkflowRemovalPolicy.DESTROY
    :raises ValueError: for a removal policy of another kind or one that the dataset group's cannot go with, or when the
        dataset group has a workflow already.

    See https://docs.aws.amazon.com/personalize/latest/dg/getting-started.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        deadlines: Deadlines | None = None,
        schedule: scheduler.ScheduleExpression | None = None,
        time_window: scheduler.TimeWindow | None = None,
        topic: sns.ITopic | None = None,
        deployment: Deployment = Deployment.ASYNC,
        removal_policy: WorkflowRemovalPolicy = WorkflowRemovalPolicy.DESTROY,
    ) -> None:
        super().__init__(scope, id)
        if not isinstance(removal_policy, WorkflowRemovalPolicy):
            raise ValueError(
                f"removal_policy of the workflow {self.node.path} is {removal_policy}; allowed are "
                f"{', '.join(map(str, WorkflowRemovalPolicy))}"
            )
        if (
            dataset_group.removal_policy is RemovalPolicy.DESTROY
            and removal_policy is not WorkflowRemovalPolicy.DESTROY
        ):
            raise ValueError(
                f"removal_policy of the workflow {self.node.path} is {removal_policy}, and that of its dataset group "
                "is RemovalPolicy.DESTROY: the service deletes no dataset group that has solutions or recommenders; "
                "keep the dataset group, or use WorkflowRemovalPolicy.DESTROY"
            )
        dataset_group._attach_workflow(self)
        self.dataset_group = dataset_group
        # What it consists of follows the dataset group: with another one, all of it is made anew, and the former one
        # keeps what its teardown needs until that is done.
        self._parts = Construct(self, f"For{_digest(dataset_group.owner)}")
        self.workflow_name = physical_name(self, content=dataset_group.owner)
        self._deadlines = deadlines or Deadlines()
        self._document = {
            "bucket": dataset_group.data_bucket.bucket_name,
            "key": f"cdk-personalize/{dataset_group.owner}/desired-state.json",
        }
        stack = Stack.of(self)
        self._run_arn = stack.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=self.workflow_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

        self.topic = topic or self._create_topic()
        self._table = self._create_lock_table()
        self._plan = lambda_function(
            self._parts,
            "Plan",
            handler="personalize_lambda.workflow.plan.handler",
            description="Compares what is declared with what exists",
            timeout=Duration.minutes(5),
            environment={"LOCK_TABLE": self._table.table_name},
        )
        self._check = lambda_function(
            self._parts,
            "CheckImport",
            handler="personalize_lambda.workflow.check_import.handler",
            description="Checks the files of a dataset before they are imported",
            timeout=Duration.minutes(10),
            memory_size=512,
        )
        self._recommender_machine: sfn.StateMachine | None = None
        self._solution_machine = self._create_state_machine(
            "Solution",
            f"{self.workflow_name}-solution",
            solution_definition(partition=stack.partition, deadlines=self._deadlines),
            permissions.SOLUTION,
        )
        self._job_machine = self._create_state_machine(
            "Job",
            f"{self.workflow_name}-job",
            job_definition(partition=stack.partition, deadlines=self._deadlines),
            permissions.JOB,
        )
        self._import_machine = self._create_state_machine(
            "Import",
            f"{self.workflow_name}-import",
            import_definition(
                partition=stack.partition,
                deadlines=self._deadlines,
                check_function_arn=self._check.function_arn,
                document=self._document,
            ),
            permissions.IMPORT,
        )
        machines = [self._import_machine, self._solution_machine, self._job_machine]
        if dataset_group.domain is not None:  # only dataset groups of a domain have recommenders
            self._recommender_machine = self._create_state_machine(
                "Recommender",
                f"{self.workflow_name}-recommender",
                recommender_definition(partition=stack.partition, deadlines=self._deadlines),
                permissions.RECOMMENDER,
            )
            machines.append(self._recommender_machine)
        definition = run_definition(
            partition=stack.partition,
            table_name=self._table.table_name,
            plan_function_arn=self._plan.function_arn,
            document=self._document,
            import_state_machine_arn=self._import_machine.state_machine_arn,
            solution_state_machine_arn=self._solution_machine.state_machine_arn,
            job_state_machine_arn=self._job_machine.state_machine_arn,
            recommender_state_machine_arn=(
                self._recommender_machine.state_machine_arn if self._recommender_machine else None
            ),
            deadlines=self._deadlines,
            timeout_seconds=lazy_any(self._longest_run),
        )
        self.state_machine = self._create_state_machine("Run", self.workflow_name, definition, permissions.RUN)
        self.node.add_validation(_Room(dataset_group, self._deadlines, definition))
        self._allow(self._plan.role, permissions.PLAN)
        self._allow(self._check.role, permissions.CHECK_IMPORT)
        finish = self._create_finish()
        files = self._create_file_trigger()
        self._create_schedule(schedule, time_window)
        self._deployment = self._create_deployment(deployment, removal_policy)
        self._deployment.node.add_dependency(
            dataset_group.resources_ready,
            # the document is deleted before the bucket is emptied
            dataset_group.data_bucket,
            self._plan,
            self._check,
            *machines,
            self.state_machine,
            *finish,
            *files,
        )

    @property
    def state_machine_arn(self) -> str:
        """The state machine whose executions are runs; start one to have a run by hand."""
        return self.state_machine.state_machine_arn

    @property
    def deployment_run_arn(self) -> str:
        """The run that the latest deployment started, an execution of the state machine."""
        return self._deployment.get_att_string("ExecutionArn")

    def _create_topic(self) -> sns.Topic:
        return sns.Topic(self._parts, "Topic", display_name="Personalize workflow", enforce_ssl=True)

    def _create_lock_table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self._parts,
            "Lock",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(
            table,
            {
                "AwsSolutions-DDB3": "says which run is under way and what the last one did and left; "
                "the next run makes do without"
            },
        )
        return table

    def _create_state_machine(
        self, id: str, name: str, definition: Mapping[str, Any], allowed: permissions.Permissions
    ) -> sfn.StateMachine:
        stack = Stack.of(self)
        log_group = logs.LogGroup(
            self._parts,
            f"{id}Log",
            # log groups of this prefix need no room in the one resource policy that all others share
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        machine = sfn.StateMachine(
            self._parts,
            id,
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(stack.to_json_string(definition)),
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        self._allow(machine.role, allowed)
        acknowledge(
            machine.role,
            {
                "AwsSolutions-IAM5[Resource::*]": "log delivery, X-Ray and the list operations of Personalize "
                "are authorised on no resource but *",
            },
        )
        return machine

    def _create_finish(self) -> list[Construct]:
        function = lambda_function(
            self._parts,
            "Finish",
            handler="personalize_lambda.workflow.finish.handler",
            description="Releases the lock of a run that ended and tells what it did",
            timeout=Duration.minutes(1),
            environment={
                "LOCK_TABLE": self._table.table_name,
                "STATE_MACHINE_ARN": self._run_arn,
                "TOPIC_ARN": self.topic.topic_arn,
                "WORKFLOW_NAME": self.workflow_name,
            },
        )
        self._allow(function.role, permissions.FINISH)
        rule = events.Rule(
            self._parts,
            "RunEnded",
            description="Any run of the workflow that ended, however it ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.state_machine.state_machine_arn],
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[targets.LambdaFunction(function)],
        )
        return [rule, function]

    def _create_file_trigger(self) -> list[Construct]:
        """New files in a source: EventBridge to SQS, and one run for all that come within a minute."""
        dead = sqs.Queue(self._parts, "FilesNotHandled", enforce_ssl=True, retention_period=Duration.days(14))
        acknowledge(dead, {"AwsSolutions-SQS3": "is itself the dead-letter queue"})
        queue = sqs.Queue(
            self._parts,
            "Files",
            enforce_ssl=True,
            visibility_timeout=Duration.minutes(6),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=5),
        )
        function = lambda_function(
            self._parts,
            "Start",
            handler="personalize_lambda.workflow.start_run.handler",
            description="Starts a run for new files",
            timeout=Duration.minutes(1),
            environment={"STATE_MACHINE_ARN": self._run_arn},
        )
        self._allow(function.role, permissions.START)
        function.add_event_source(event_sources.SqsEventSource(queue, batch_size=1000, max_batching_window=BATCHING))
        files = NewFiles(self, self._inputs)
        self.node.add_validation(files)
        rule = events.Rule(
            self._parts,
            "NewFiles",
            description="A file came into the source of a dataset",
            event_pattern=events.EventPattern(source=["aws.s3"], detail_type=["Object Created"], detail=files.detail),
            targets=[targets.SqsQueue(queue)],
        )
        return [rule, queue, function]

    def _create_schedule(
        self, schedule: scheduler.ScheduleExpression | None, time_window: scheduler.TimeWindow | None
    ) -> None:
        created = scheduler.Schedule(
            self._parts,
            "Schedule",
            description="Starts runs of the workflow",
            schedule=schedule or EVERY_DAY,
            target=scheduler_targets.StepFunctionsStartExecution(
                self.state_machine, input=scheduler.ScheduleTargetInput.from_object({"trigger": "schedule"})
            ),
            time_window=time_window or scheduler.TimeWindow.off(),
        )
        if schedule is None:  # what needs it may be declared later
            cast(scheduler.CfnSchedule, created.node.default_child).state = lazy_string(
                lambda: "ENABLED" if _needs_clock(self.dataset_group) else "DISABLED"
            )

    def _create_deployment(self, mode: Deployment, removal_policy: WorkflowRemovalPolicy) -> CustomResource:
        signal = self._create_handle() if mode is Deployment.WAIT else None
        policies = Provider.get_or_create(self).allow(
            self._parts,
            on_event=self._statements(permissions.DEPLOY),
            is_complete=self._statements(permissions.TEARDOWN),
        )
        self._acknowledge(policies.on_event, permissions.DEPLOY)
        self._acknowledge(policies.is_complete, permissions.TEARDOWN)
        deployment = custom_resource(
            self._parts,
            "Deployment",
            resource_type="Custom::PersonalizeDeployment",
            properties={
                "WorkflowName": self.workflow_name,
                "StateMachineArn": self.state_machine.state_machine_arn,
                "LockTable": self._table.table_name,
                "DocumentBucket": self._document["bucket"],
                "DocumentKey": self._document["key"],
                "Document": lazy_string(lambda: Stack.of(self).to_json_string(desired_state(self.dataset_group))),
                "Removal": removal_policy.value,
                "Signal": signal.ref if signal else None,
            },
            removal_policy=RemovalPolicy.DESTROY,
            policies=policies,
        )
        # It belongs to the dataset group: with a workflow of another construct id it is updated. Were it replaced, the
        # removal of the former one would tear down what the new one serves.
        cast(CfnResource, deployment.node.default_child).override_logical_id(
            f"PersonalizeDeployment{_digest(self.dataset_group.owner)}"
        )
        if signal:
            ended = CfnWaitCondition(
                self._parts,
                "RunEndedWell",
                count=1,
                handle=signal.ref,
                timeout=f"{LONGEST_DEPLOYMENT.to_seconds():g}",
            )
            ended.override_logical_id(self._name_of_this_state("Ended"))
            ended.node.add_dependency(deployment)
        return deployment

    def _create_handle(self) -> CfnWaitConditionHandle:
        """What the end of the run is told to."""
        handle = CfnWaitConditionHandle(self._parts, "Signal")
        handle.override_logical_id(self._name_of_this_state("Signal"))
        return handle

    def _name_of_this_state(self, what: str) -> str:
        """A logical id of what waits once: with another desired state, it is made anew."""
        owner = _digest(self.dataset_group.owner)

        def name() -> str:
            document = Stack.of(self).resolve(desired_state(self.dataset_group))
            return f"Personalize{what}{owner}{_digest(json.dumps(document, sort_keys=True))}"

        return lazy_string(name)

    def _longest_run(self) -> int:
        """How many seconds a run may take, with all that is declared."""
        group = self.dataset_group
        deletions = sum(job.kind == DELETION for job in group.jobs)
        return int(
            self._deadlines.longest_run(
                solutions=len(group.solutions),
                recommenders=len(group.recommenders),
                jobs=len(group.jobs) - deletions,
                deletions=deletions,
            )
        )

    def _sources(self) -> list[DataSource]:
        return [source for dataset in self.dataset_group.datasets for source in dataset.sources]

    def _inputs(self) -> list[DataSource | S3Location]:
        """Where files start a run when they come: the sources of datasets, and what jobs read."""
        return [*self._sources(), *(job.job_input for job in self.dataset_group.jobs if job.job_input is not None)]

    def _allow(self, role: iam.IRole | None, allowed: permissions.Permissions) -> None:
        """Allow a role what ``allowed`` says."""
        if role is None:
            raise RuntimeError("a function without a role cannot be allowed anything")
        for statement in self._statements(allowed):
            role.add_to_principal_policy(statement)
        self._acknowledge(role, allowed)

    def _statements(self, allowed: permissions.Permissions) -> list[iam.PolicyStatement]:
        """What ``allowed`` says: a statement for every kind of resource."""
        owned = {"StringEquals": {OWNER_CONDITION: self.dataset_group.owner}}
        to_personalize = {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
        conditions = {
            **dict.fromkeys(("owned campaigns", "owned recommenders", "owned solutions"), owned),
            # a version that was trained by hand may lack the tag
            "owned trainings": {"StringEqualsIfExists": {OWNER_CONDITION: self.dataset_group.owner}},
            "model metrics": {"StringEquals": {"cloudwatch:namespace": MODEL_NAMESPACE}},
            **dict.fromkeys(("import role", "job roles"), to_personalize),
        }
        return [
            iam.PolicyStatement(
                actions=list(actions),
                # IAM refuses a statement without a resource: where nothing of a kind is declared, name what cannot be
                resources=lazy_list(
                    partial(_some, self._resources(kind), self._arn("personalize", f"none/{kind.replace(' ', '-')}"))
                ),
                conditions=conditions.get(kind),
            )
            for kind, actions in allowed.items()
            if kind not in _OPTIONAL or self._resources(kind)()
        ]

    def _acknowledge(self, construct: IConstruct, allowed: permissions.Permissions) -> None:
        for kind in allowed:
            if kind in permissions.WILDCARDS:
                acknowledge_resources(construct, self._resources(kind), permissions.WILDCARDS[kind])

    def _resources(self, kind: str) -> Callable[[], list[str]]:
        """What a kind of resource is, read once everything is declared."""
        group = self.dataset_group
        key, topic_key = group.data_bucket.encryption_key, self.topic.master_key
        of_domain = group.domain is not None
        executions = self._run_arn.replace(":stateMachine:", ":execution:")
        kinds: dict[str, Callable[[], list[str]]] = {
            "*": lambda: ["*"],
            "any campaign": lambda: [self._arn("personalize", "campaign/*")],
            "any recommender": lambda: [self._arn("personalize", "recommender/*")] if of_domain else [],
            "any solution": lambda: [self._arn("personalize", "solution/*")],
            "check function": lambda: [self._check.function_arn],
            "child execution rule": lambda: [
                self._arn("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")
            ],
            "data bucket": lambda: [group.data_bucket.bucket_arn],
            "dataset group": lambda: [group.dataset_group_arn],
            "datasets": lambda: [dataset.dataset_arn for dataset in group.datasets],
            "declared campaigns": lambda: [c.campaign_arn for s in group.solutions for c in s.campaigns],
            "declared recommenders": lambda: [recommender.recommender_arn for recommender in group.recommenders],
            "declared solutions": lambda: [
                arn for s in group.solutions for arn in (s.solution_arn, f"{s.solution_arn}/*")
            ],
            "document": lambda: [group.data_bucket.arn_for_objects(self._document["key"])],
            "event bus": lambda: [self._arn("events", "event-bus/default")],
            "import executions": lambda: [f"{executions}-import:*"],
            "import state machine": lambda: [self._import_machine.state_machine_arn],
            "import role": lambda: [group.service_role.role_arn],
            "import jobs": lambda: [self._arn("personalize", "dataset-import-job/*")],
            "import reports": lambda: [group.data_bucket.arn_for_objects(f"cdk-personalize/{group.owner}/imports/*")],
            "job executions": lambda: [f"{executions}-job:*"],
            "job state machine": lambda: [self._job_machine.state_machine_arn],
            "key": lambda: [key.key_arn] if key else [],
            "lock table": lambda: [self._table.table_arn],
            "model metrics": lambda: ["*"],
            "owned campaigns": lambda: [self._arn("personalize", "campaign/*")],
            "owned recommenders": lambda: [self._arn("personalize", "recommender/*")] if of_domain else [],
            "owned solutions": lambda: [self._arn("personalize", "solution/*")],
            "owned trainings": lambda: [self._arn("personalize", "solution/*")],
            "plan function": lambda: [self._plan.function_arn],
            "recommender executions": lambda: [f"{executions}-recommender:*"] if of_domain else [],
            "recommender listing": lambda: ["*"] if of_domain else [],
            "recommender state machine": lambda: (
                [self._recommender_machine.state_machine_arn] if self._recommender_machine else []
            ),
            "run executions": lambda: [f"{executions}:*"],
            "run state machine": lambda: [self._run_arn],
            "solution executions": lambda: [f"{executions}-solution:*"],
            "solution state machine": lambda: [self._solution_machine.state_machine_arn],
            "source buckets": lambda: [bucket.bucket_arn for bucket in self._source_buckets()],
            "source files": lambda: [s.bucket.arn_for_objects(s.key_pattern) for s in self._sources()],
            "source keys": lambda: [
                s.bucket.encryption_key.key_arn for s in self._sources() if s.bucket.encryption_key
            ],
            "topic key": lambda: [topic_key.key_arn] if topic_key else [],
            "topic": lambda: [self.topic.topic_arn],
            **self._job_resources(),
        }
        return kinds[kind]

    def _job_resources(self) -> dict[str, Callable[[], list[str]]]:
        group = self.dataset_group

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

    def _source_buckets(self) -> list[s3.IBucket]:
        """The buckets of the sources, each once."""
        return list({source.bucket.node.path: source.bucket for source in self._inputs()}.values())

    def _arn(self, service: str, tail: str) -> str:
        return Stack.of(self).format_arn(service=service, resource=tail, arn_format=ArnFormat.NO_RESOURCE_NAME)


@jsii.implements(IValidation)
class _Room:
    """The history of a run has room for all that a run may have to do."""

    def __init__(self, group: DatasetGroup, deadlines: Deadlines, definition: Mapping[str, Any]) -> None:
        self._group, self._deadlines, self._definition = group, deadlines, definition

    def validate(self) -> list[str]:
        """What is too much, and what to do."""
        items = most_items(self._group)
        looks = polls_until(self._deadlines.deletion.to_seconds())
        count = history.most_events(self._definition, items, looks)
        if count <= history.LIMIT:
            return []
        return [
            f"a run of the workflow of {self._group.node.path} could have {count} history events, of which Step "
            f"Functions allows {history.LIMIT}: it works on {sum(items.values())} things, and waits up to "
            f"{self._deadlines.deletion.to_seconds() / 3600:g} h for each that it deletes. Shorten Deadlines.deletion, "
            "or declare fewer solutions, recommenders and jobs in one dataset group"
        ]


def most_items(group: DatasetGroup) -> dict[str, int]:
    """How many things each list of a run may have, by the name of the state that works on them.

    What is declared no more is not known; it can be as much as the service allows, or as is declared now.
    """
    jobs = [job.kind == DELETION for job in group.jobs]
    solutions, recommenders = len(group.solutions), len(group.recommenders)
    return {
        "Import": sum(MOST_ROUNDS if dataset.incremental_source else 1 for dataset in group.datasets),
        "Delete users": jobs.count(True),
        "Stop trainings": max(SOLUTIONS_PER_GROUP, solutions),
        "Solutions": solutions,
        "Recommenders": recommenders,
        "Delete campaigns": max(CAMPAIGNS_PER_GROUP, sum(len(solution.campaigns) for solution in group.solutions)),
        "Delete recommenders": max(RECOMMENDERS_PER_GROUP, recommenders) if group.domain else 0,
        "Delete solutions": max(SOLUTIONS_PER_GROUP, solutions),
        "Jobs": jobs.count(False),
    }


def _needs_clock(group: DatasetGroup) -> bool:
    """Whether something becomes due by the passing of time alone; what the service trains has to be served, too."""
    trainings = [solution.training for solution in group.solutions]
    of_trainings = [every for training in trainings for every in (training.every, training.service_every)]
    return any(every is not None for every in (*of_trainings, *(job.every for job in group.jobs)))


def _some(resources: Callable[[], list[str]], nothing: str) -> list[str]:
    return resources() or [nothing]


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:8]
