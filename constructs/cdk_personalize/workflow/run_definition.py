"""The workflow's state machine: one run that takes the lock, compares what is declared with what exists, does what is
missing and prunes what is declared no more.

Every branch ends with a list of failures instead of failing, so that one branch never stops its siblings; the run
fails at its end and names them all. A failed execution has no output, so its report is kept beside the lock.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import IResolvable

from .deadlines import CONCURRENT_JOBS, Deadlines
from .removal_states import delete_states, stop_states
from .states import (
    RETRY_LAMBDA,
    RETRY_LAMBDA_ONCE,
    RETRY_START,
    State,
    States,
    assign,
    catch,
    choice,
    either,
    error_reason,
    expression,
    finish,
    sdk_task,
    state_machine,
)
from .transitions import STARTED_BY, tell

# Step Functions writes the service's name as its SDK does; the older spelling is that of the optimised integration
LOCK_HELD = ("DynamoDb.ConditionalCheckFailedException", "DynamoDB.ConditionalCheckFailedException")
HOLDER_UNKNOWN = ("Sfn.ExecutionDoesNotExistException", "Sfn.ExecutionDoesNotExist")
LOCK_KEY = {"id": {"S": "lock"}}
REPORT_KEY = {"id": {"S": "report"}}
#: The members that the input of a run may have, each with what it is for
INPUT = {
    "trigger": "what started the run",
    "files": "the files that started it",
    "after": "the run that it follows",
    "mode": "'plan': tell what a run would do, and do nothing",
    "rollback": "the solution version to go back to",
    STARTED_BY: "the execution of another state machine that started it",
}
#: The service imports at most five datasets at once in an account and Region
CONCURRENT_IMPORTS = 5
#: The variables that hold what the branches ended with
BRANCHES = (
    "imports",
    "deletions",
    "solutions",
    "recommenders",
    "jobs",
    "stopped",
    "deletedCampaigns",
    "deletedRecommenders",
    "deletedSolutions",
)
#: JSONata expression: the ARN of a job that is to be made or, if there is none to be made, is under way
_JOB_ARN = "($states.input.create = null ? $states.input.running : $states.input.createArn)"
#: JSONata expression: what a Map is about to work on
_ITEM = "$states.context.Map.Item.Value"
#: JSONata expression: the input of the run
_GIVEN = "$states.context.Execution.Input"
#: Characters of a reason in the report, which must fit into the state of an execution
_REASON_LENGTH = 2000
_RETRY_SERVICE = [
    {
        # those that the SDK has a name for do not arrive under the service's
        "ErrorEquals": [
            "DynamoDb.DynamoDbException",
            "DynamoDb.InternalServerErrorException",
            "DynamoDb.ProvisionedThroughputExceededException",
            "DynamoDb.RequestLimitExceededException",
            "DynamoDb.SdkClientException",
            "DynamoDb.ThrottlingException",
            "Sfn.SdkClientException",
            "Sfn.SfnException",
        ],
        "IntervalSeconds": 1,
        "BackoffRate": 2,
        "MaxAttempts": 6,
        "MaxDelaySeconds": 20,
        "JitterStrategy": "FULL",
    }
]


def run_definition(
    *,
    partition: str,
    table_name: str,
    plan_function_arn: str,
    document: dict[str, str],
    import_state_machine_arn: str,
    solution_state_machine_arn: str,
    job_state_machine_arn: str,
    recommender_state_machine_arn: str | None = None,
    deadlines: Deadlines,
    timeout_seconds: int | IResolvable | None = None,
) -> dict[str, Any]:
    """The definition of the workflow's state machine.

    :param partition: The AWS partition, for the ARNs of the integrations.
    :param table_name: The DynamoDB table that holds the lock.
    :param plan_function_arn: The Lambda function that plans.
    :param document: Where the desired state is kept: ``bucket`` and ``key``.
    :param import_state_machine_arn: The state machine that imports into one dataset.
    :param solution_state_machine_arn: The state machine that makes one solution true.
    :param job_state_machine_arn: The state machine that runs one job.
    :param recommender_state_machine_arn: The state machine that makes one recommender true.
        Default: - a custom dataset group, which has no recommenders
    :param deadlines: How long each wait may take at most.
    :param timeout_seconds: How long a run may take at most. Default: - as long as one thing of each kind may take
    """
    states: States = {
        **_input_states(),
        "Plan only": _plan("imports", "Planned", partition, plan_function_arn, document),
        "Planned": {"Type": "Succeed", "Output": expression("$plan")},
        **_lock_states(partition, table_name),
        "Plan imports": _plan("imports", "Import", partition, plan_function_arn, document),
        "Import": {
            **_map(
                "$plan.imports",
                "More to import?",
                "imports",
                "Begin import",
                _child_states("import", "dataset", "$states.input.datasetArn", partition, import_state_machine_arn),
                concurrency=CONCURRENT_IMPORTS,
            ),
            "ItemSelector": expression(
                f"$merge([{_ITEM}, {{'round': $round, 'waited': $sum([0, $imports[name = {_ITEM}.name].waited])}}])"
            ),
            "Assign": {
                "round": expression("$round + 1"),
                # a dataset that is imported again stands there with what it ended with last
                "imports": expression("[$append($imports[$not(name in $states.result.name)], $states.result)]"),
            },
        },
        "More to import?": choice(("$plan.next = 'imports'", "Plan imports"), default="Delete users"),
        # before training, so that no new model knows them
        "Delete users": _map(
            "$plan.deletions",
            "Solutions planned?",
            "deletions",
            "Begin deletion of users",
            _child_states("deletion of users", "job", _JOB_ARN, partition, job_state_machine_arn),
            concurrency=CONCURRENT_JOBS,
        ),
        "Solutions planned?": choice(("$plan.next = 'solutions'", "Plan solutions"), default="Stop trainings"),
        "Plan solutions": _plan("solutions", "Stop trainings", partition, plan_function_arn, document),
        "Stop trainings": _map(
            "$plan.trainings", "Solutions", "stopped", "Begin stop", stop_states(partition, deadlines)
        ),
        "Solutions": _map(
            "$plan.solutions",
            "Recommenders" if recommender_state_machine_arn else "Prune planned?",
            "solutions",
            "Begin solution",
            _child_states("solution", "solution", "$states.input.solutionArn", partition, solution_state_machine_arn),
        ),
        "Prune planned?": choice(("$plan.next = 'prune'", "Plan prune"), default="Delete campaigns"),
        "Plan prune": _plan("prune", "Delete campaigns", partition, plan_function_arn, document),
        "Delete campaigns": _map(
            "$plan.campaigns",
            "Delete recommenders" if recommender_state_machine_arn else "Delete solutions",
            "deletedCampaigns",
            "Begin campaign deletion",
            delete_states(partition, deadlines, "Campaign", "SolutionArn", "solutionArn"),
        ),
        "Delete solutions": _map(
            "$plan.prunedSolutions",
            "Jobs",
            "deletedSolutions",
            "Begin solution deletion",
            delete_states(partition, deadlines, "Solution", "DatasetGroupArn", "datasetGroupArn"),
        ),
        # last, since they take long and what is deleted before them is billed
        "Jobs": _map(
            "$plan.jobs",
            "Gather",
            "jobs",
            "Begin job",
            _child_states("job", "job", _JOB_ARN, partition, job_state_machine_arn),
            concurrency=CONCURRENT_JOBS,
        ),
        **(
            _recommender_states(partition, recommender_state_machine_arn, deadlines)
            if recommender_state_machine_arn
            else {}
        ),
        "Gather": assign("Sum up", failures=_all_failures(), waitingFor="$distinct($waitingFor)"),
        "Sum up": {"Type": "Pass", "Assign": {"report": _report()}, "Next": "Failed?"},
        "Failed?": choice(("$count($failures) > 0", "Keep report"), default="Report"),
        "Report": {"Type": "Succeed", "Output": expression("$report")},
        "Keep report": sdk_task(
            "dynamodb:putItem",
            partition=partition,
            arguments={
                "TableName": table_name,
                "Item": {
                    **REPORT_KEY,
                    "execution": {"S": expression("$states.context.Execution.Id")},
                    "report": {"S": expression("$string($report)")},
                },
            },
            next_state="Report failures",
            retry=_RETRY_SERVICE,
            catchers=[catch("Report failures")],
        ),
        "Report failures": {
            "Type": "Fail",
            "Error": "WorkflowFailed",
            "Cause": expression("$substring($join($failures.(name & ': ' & reason), '\\n'), 0, 8000)"),
        },
    }
    comment = "Makes the declared datasets, solutions and campaigns of one dataset group true"
    timeout = int(deadlines.longest_run()) if timeout_seconds is None else timeout_seconds
    return state_machine(comment, states) | {"TimeoutSeconds": timeout}


def _report() -> dict[str, Any]:
    """What a run tells, as the assignment of a variable: names of what was done without a failure."""
    return {
        "status": expression(
            "$count($failures) > 0 ? 'FAILED' : $count($waitingFor) > 0 ? 'WAITING' : 'COMPLETED'",
        ),
        "failures": expression(f"[$failures.{{'name': name, 'reason': $substring(reason, 0, {_REASON_LENGTH})}}]"),
        "waitingFor": expression("[$waitingFor]"),
        "drift": expression("[$drift]"),
        "imported": expression(f"[{_done('imports')}]"),
        "solutions": expression(
            "[$solutions.{'name': name, 'solutionVersionArn': solutionVersionArn, "
            "'metrics': metrics, 'refused': refused, 'campaigns': campaigns}]"
        ),
        "warnings": expression("[$solutions.warnings]"),
        "recommenders": expression(f"[{_done('recommenders')}]"),
        "jobs": expression("[$append($deletions, $jobs)[$count(failures) = 0].{'name': name, 'output': output}]"),
        "stopped": expression(f"[{_done('stopped')}]"),
        "pruned": expression(
            f"[$append({_done('deletedCampaigns')}, "
            f"$append({_done('deletedRecommenders')}, {_done('deletedSolutions')}))]"
        ),
    }


def _done(branch: str) -> str:
    """JSONata expression: the names of what a branch did without a failure."""
    return f"${branch}[$count(failures) = 0].name"


def _all_failures() -> str:
    gathered = "[]"
    for branch in BRANCHES:
        gathered = f"$append({gathered}, [${branch}.failures])"
    return f"[{gathered}]"


def _plan(phase: str, next_state: str, partition: str, function_arn: str, document: dict[str, str]) -> State:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": function_arn,
            "Payload": {
                "phase": phase,
                "document": document,
                "execution": expression("$states.context.Execution.Id"),
                "input": expression(_GIVEN),
                # nor is anything trained that would know users who were to be deleted
                "failedImports": expression("[$append($imports, $deletions)[$count(failures) > 0].name]"),
            },
        },
        "Retry": [*RETRY_LAMBDA, RETRY_LAMBDA_ONCE],
        "Assign": {
            "plan": expression("$states.result.Payload"),
            # what was still to be imported in one round may have been in the next
            "waitingFor": expression(
                "[$append($plan.next = 'imports' ? [] : $waitingFor, $states.result.Payload.waitingFor)]"
            ),
            # that of the whole run
            "drift": expression("$states.result.Payload.drift"),
        },
        "Next": next_state,
    }


def _map(
    items: str, next_state: str, result: str, start: str, states: States, *, concurrency: int | None = None
) -> State:
    state: State = {
        "Type": "Map",
        "Items": expression(items),
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": start, "States": states},
        "Assign": {result: expression("$states.result")},
        "Next": next_state,
    }
    if concurrency:
        state["MaxConcurrency"] = concurrency
    return state


def _input_states() -> States:
    """Refuse an input that would be misunderstood, and tell a run that only plans from one that works."""
    unknown = f"$keys({_GIVEN})[$not($ in [{', '.join(map(repr, INPUT))}])]"
    return {
        "Begin": assign(
            "Input known?",
            run="$states.context.Execution.Id",
            round="1",
            plan="{}",
            **dict.fromkeys((*BRANCHES, "waitingFor", "drift"), "[]"),
        ),
        "Input known?": choice(
            (f"$type({_GIVEN}) != 'object'", "Input not an object"),
            (f"$count({unknown}) > 0", "Input unknown"),
            (f"$exists({_GIVEN}.mode) and {_GIVEN}.mode != 'plan'", "Mode unknown"),
            (f"{_GIVEN}.mode = 'plan'", "Plan only"),
            default="Lock",
        ),
        "Input not an object": _refused(f"'the input is ' & $string({_GIVEN}) & '; it must be a JSON object'"),
        "Input unknown": _refused(f"'the input has ' & $join({unknown}, ', ') & '; allowed are {', '.join(INPUT)}'"),
        "Mode unknown": _refused(f"'mode is ' & $string({_GIVEN}.mode) & '; allowed is plan, or no mode at all'"),
    }


def _refused(cause: str) -> State:
    return {"Type": "Fail", "Error": "InputRefused", "Cause": expression(cause)}


def _lock_states(partition: str, table_name: str) -> States:
    """Take the lock, or leave a mark for the run that holds it, which then has one more run started."""
    me = {":me": {"S": expression("$states.context.Execution.Id")}}
    holder = {":holder": {"S": expression("$holder")}}
    return {
        "Lock": sdk_task(
            "dynamodb:updateItem",
            partition=partition,
            arguments={
                "TableName": table_name,
                "Key": LOCK_KEY,
                # not PutItem: a second call after a lost answer must not wipe a mark that was left meanwhile
                "UpdateExpression": "SET execution = :me",
                "ConditionExpression": "attribute_not_exists(id) OR execution = :me",
                "ExpressionAttributeValues": me,
            },
            next_state="Plan imports",
            retry=_RETRY_SERVICE,
            catchers=[catch("Read lock", *LOCK_HELD)],
        ),
        "Read lock": sdk_task(
            "dynamodb:getItem",
            partition=partition,
            arguments={"TableName": table_name, "Key": LOCK_KEY, "ConsistentRead": True},
            next_state="Lock still held?",
            retry=_RETRY_SERVICE,
            assign={"holder": either("$states.result.Item.execution.S", "''")},
        ),
        "Lock still held?": choice(("$holder = ''", "Lock"), default="Describe holder"),
        "Describe holder": sdk_task(
            "sfn:describeExecution",
            partition=partition,
            arguments={"ExecutionArn": expression("$holder")},
            next_state="Holder running?",
            # a run that has just begun may not be readable yet; taking its lock would train, and bill, twice
            retry=[
                *_RETRY_SERVICE,
                {"ErrorEquals": list(HOLDER_UNKNOWN), "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 4},
            ],
            catchers=[catch("Take lock over", *HOLDER_UNKNOWN)],
            assign={"holderStatus": "$states.result.Status"},
        ),
        "Holder running?": choice(
            # a mark tells that a run is asked for, and not what it is asked for
            (f"$holderStatus = 'RUNNING' and $exists({_GIVEN}.rollback)", "Rollback not now"),
            ("$holderStatus = 'RUNNING'", "Leave mark"),
            default="Take lock over",
        ),
        "Rollback not now": {
            "Type": "Fail",
            "Error": "AnotherRun",
            "Cause": expression(
                "'another run is under way, ' & $holder & ', and a rollback does not wait for it: stop that run with "
                "aws stepfunctions stop-execution, or wait for its end, and start this one again'"
            ),
        },
        "Take lock over": sdk_task(
            "dynamodb:updateItem",
            partition=partition,
            arguments={
                "TableName": table_name,
                "Key": LOCK_KEY,
                # what was asked for is done by this run
                "UpdateExpression": "SET execution = :me REMOVE again",
                "ConditionExpression": "execution = :holder",
                "ExpressionAttributeValues": holder | me,
            },
            next_state="Plan imports",
            retry=_RETRY_SERVICE,
            catchers=[catch("Lock", *LOCK_HELD)],
        ),
        "Leave mark": sdk_task(
            "dynamodb:updateItem",
            partition=partition,
            arguments={
                "TableName": table_name,
                "Key": LOCK_KEY,
                "UpdateExpression": "SET again = :me",
                "ConditionExpression": "execution = :holder",
                "ExpressionAttributeValues": holder | me,
            },
            next_state="Queued",
            retry=_RETRY_SERVICE,
            catchers=[catch("Lock", *LOCK_HELD)],
        ),
        "Queued": {
            "Type": "Succeed",
            "Output": {"status": "QUEUED", "behind": expression("$holder")},
        },
    }


def _recommender_states(partition: str, state_machine_arn: str, deadlines: Deadlines) -> States:
    return {
        "Recommenders": _map(
            "$plan.recommenders",
            "Prune planned?",
            "recommenders",
            "Begin recommender",
            _child_states("recommender", "recommender", "$states.input.recommenderArn", partition, state_machine_arn),
        ),
        "Delete recommenders": _map(
            "$plan.prunedRecommenders",
            "Delete solutions",
            "deletedRecommenders",
            "Begin recommender deletion",
            delete_states(partition, deadlines, "Recommender", "DatasetGroupArn", "datasetGroupArn"),
        ),
    }


def _child_states(noun: str, resource: str, arn: str, partition: str, state_machine_arn: str) -> States:
    """Run the state machine that does what is to be done about one thing.

    The execution is named after the run and the thing, so that a start whose answer was lost, or said that the service
    was busy, can be tried again: with the same name and input it leads to the execution that is running already. See
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

    :param noun: What the thing is called in the names of states.
    :param resource: What it is called in events.
    :param arn: JSONata expression of its ARN, over the input.
    :param partition: The AWS partition.
    :param state_machine_arn: The state machine.
    """
    execution = f"$replace('{state_machine_arn}', ':stateMachine:', ':execution:') & ':' & $childName"
    broken = catch(f"Run of {noun} broken", childReason=error_reason())
    return {
        f"Begin {noun}": assign(
            f"Run {noun}",
            child="$states.input",
            childArn=arn,
            # a dataset whose additions are many is worked on in several rounds
            childName=f"$hash($states.context.Execution.Id & ' ' & {arn} & ' ' & $string($round), 'SHA-256')",
        ),
        f"Run {noun}": {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::states:startExecution.sync:2",
            "Arguments": {
                "StateMachineArn": state_machine_arn,
                "Name": expression("$childName"),
                "Input": expression(f"$merge([$child, {{'{STARTED_BY}': $states.context.Execution.Id}}])"),
            },
            "Output": expression("$states.result.Output"),
            "Retry": RETRY_START,
            "Catch": [
                # it was started by a call whose answer was lost, and has ended since
                catch(f"Read run of {noun}", "StepFunctions.ExecutionAlreadyExistsException"),
                broken,
            ],
            "End": True,
        },
        f"Read run of {noun}": {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::aws-sdk:sfn:describeExecution",
            "Arguments": {"ExecutionArn": expression(execution)},
            # there is none if it failed, which is caught, too
            "Output": expression("$parse($states.result.Output)"),
            # it may be shown as running a little longer, and has no output then
            "Retry": [
                *_RETRY_SERVICE,
                {"ErrorEquals": ["States.QueryEvaluationError"], "IntervalSeconds": 5, "MaxAttempts": 3},
            ],
            "Catch": [broken],
            "End": True,
        },
        f"Run of {noun} broken": tell(
            resource,
            "RUN_FAILED",
            partition=partition,
            next_state=f"Broken run of {noun} noted",
            name="$child.name",
            arn="$childArn",
            reason="$childReason",
        ),
        f"Broken run of {noun} noted": finish(
            name="$child.name", failures=f"[{{'name': '{noun} ' & $child.name, 'reason': $childReason}}]"
        ),
    }
