"""The workflow of a dataset group: what is slow, made true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

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
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from .._custom_resource import custom_resource
from .._function import lambda_function
from .._lazy import lazy_any, lazy_string
from .._nag import acknowledge
from .._names import physical_name
from .._provider import Provider
from ..dataset_group import DatasetGroup
from . import permissions
from .deadlines import Deadlines
from .deployment import Deployment
from .desired_state import desired_state
from .history import Room
from .import_definition import import_definition
from .job_definition import DELETION, job_definition
from .new_files import NewFiles
from .recommender_definition import recommender_definition
from .removal import WorkflowRemovalPolicy
from .resources import Resources
from .run_definition import run_definition
from .solution_definition import solution_definition

#: Uploads that come within this time start one run
BATCHING = Duration.minutes(1)
#: The longest that CloudFormation waits for a signal
LONGEST_DEPLOYMENT = Duration.hours(12)
EVERY_DAY = scheduler.ScheduleExpression.rate(Duration.days(1))


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

        self._resources = Resources(self, dataset_group, run_arn=self._run_arn, document_key=self._document["key"])
        self.topic = topic or self._create_topic()
        self._table = self._create_lock_table()
        topic_key = self.topic.master_key
        self._resources.parts |= {
            "lock table": self._table.table_arn,
            "topic": self.topic.topic_arn,
            **({"topic key": topic_key.key_arn} if topic_key else {}),
        }
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
        self._resources.parts |= {
            "check function": self._check.function_arn,
            "plan function": self._plan.function_arn,
        }
        machines = {
            "import": self._create_state_machine(
                "Import",
                f"{self.workflow_name}-import",
                import_definition(
                    partition=stack.partition,
                    deadlines=self._deadlines,
                    check_function_arn=self._check.function_arn,
                    document=self._document,
                ),
                permissions.IMPORT,
            ),
            "solution": self._create_state_machine(
                "Solution",
                f"{self.workflow_name}-solution",
                solution_definition(partition=stack.partition, deadlines=self._deadlines),
                permissions.SOLUTION,
            ),
            "job": self._create_state_machine(
                "Job",
                f"{self.workflow_name}-job",
                job_definition(partition=stack.partition, deadlines=self._deadlines),
                permissions.JOB,
            ),
        }
        if dataset_group.domain is not None:  # only dataset groups of a domain have recommenders
            machines["recommender"] = self._create_state_machine(
                "Recommender",
                f"{self.workflow_name}-recommender",
                recommender_definition(partition=stack.partition, deadlines=self._deadlines),
                permissions.RECOMMENDER,
            )
        self._resources.parts |= {
            f"{kind} state machine": machine.state_machine_arn for kind, machine in machines.items()
        }
        definition = run_definition(
            partition=stack.partition,
            table_name=self._table.table_name,
            plan_function_arn=self._plan.function_arn,
            document=self._document,
            deadlines=self._deadlines,
            timeout_seconds=lazy_any(self._longest_run),
            **{f"{kind}_state_machine_arn": machine.state_machine_arn for kind, machine in machines.items()},
        )
        self.state_machine = self._create_state_machine("Run", self.workflow_name, definition, permissions.RUN)
        self.node.add_validation(Room(dataset_group, self._deadlines, definition))
        self._resources.allow(self._plan.role, permissions.PLAN)
        self._resources.allow(self._check.role, permissions.CHECK_IMPORT)
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
            *machines.values(),
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
        self._resources.allow(machine.role, allowed)
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
        self._resources.allow(function.role, permissions.FINISH)
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
        self._resources.allow(function.role, permissions.START)
        function.add_event_source(event_sources.SqsEventSource(queue, batch_size=1000, max_batching_window=BATCHING))
        files = NewFiles(self, self._resources.inputs)
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
            on_event=self._resources.statements(permissions.DEPLOY),
            is_complete=self._resources.statements(permissions.TEARDOWN),
        )
        self._resources.acknowledge(policies.on_event, permissions.DEPLOY)
        self._resources.acknowledge(policies.is_complete, permissions.TEARDOWN)
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


def _needs_clock(group: DatasetGroup) -> bool:
    """Whether something becomes due by the passing of time alone; what the service trains has to be served, too."""
    trainings = [solution.training for solution in group.solutions]
    of_trainings = [every for training in trainings for every in (training.every, training.service_every)]
    return any(every is not None for every in (*of_trainings, *(job.every for job in group.jobs)))


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:8]
