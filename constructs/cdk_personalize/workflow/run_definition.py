"""The workflow's state machine: one run that takes the lock, compares what is declared with what exists, does what is
missing and prunes what is declared no more.

Every branch ends with a list of failures instead of failing, so that one branch never stops its siblings; the run
fails at its end and names them all.
"""

from __future__ import annotations

from typing import Any

from .deadlines import Deadlines
from .states import (
    ALREADY_EXISTS,
    IN_USE,
    INVALID_INPUT,
    NOT_FOUND,
    RETRY_LAMBDA,
    RETRY_READ,
    UNSTATED,
    Poll,
    State,
    States,
    assign,
    catch,
    choice,
    either,
    error_reason,
    expression,
    finish,
    retry_in_queue,
    retry_write,
    sdk_task,
)

# Step Functions writes the service's name as its SDK does; the older spelling is that of the optimised integration
LOCK_HELD = ("DynamoDb.ConditionalCheckFailedException", "DynamoDB.ConditionalCheckFailedException")
HOLDER_UNKNOWN = ("Sfn.ExecutionDoesNotExistException", "Sfn.ExecutionDoesNotExist")
LOCK_KEY = {"id": {"S": "lock"}}
#: The service imports at most five datasets at once in an account and Region
CONCURRENT_IMPORTS = 5
#: The variables that hold what the branches ended with
BRANCHES = (
    "imports",
    "solutions",
    "recommenders",
    "stopped",
    "deletedCampaigns",
    "deletedRecommenders",
    "deletedSolutions",
)
_RETRY_SERVICE = [
    {
        "ErrorEquals": ["DynamoDb.DynamoDbException", "DynamoDb.SdkClientException", "Sfn.SfnException"],
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
    solution_state_machine_arn: str,
    recommender_state_machine_arn: str | None = None,
    deadlines: Deadlines,
) -> dict[str, Any]:
    """The definition of the workflow's state machine.

    :param partition: The AWS partition, for the ARNs of the integrations.
    :param table_name: The DynamoDB table that holds the lock.
    :param plan_function_arn: The Lambda function that plans.
    :param document: Where the desired state is kept: ``bucket`` and ``key``.
    :param solution_state_machine_arn: The state machine that makes one solution true.
    :param recommender_state_machine_arn: The state machine that makes one recommender true.
        Default: - a custom dataset group, which has no recommenders
    :param deadlines: How long each wait may take at most.
    """
    states: States = {
        **_lock_states(partition, table_name),
        "Plan imports": _plan("imports", "Import", partition, plan_function_arn, document),
        "Import": _map(
            "$plan.imports",
            "Plan solutions",
            "imports",
            "Begin import",
            _import_states(partition, deadlines),
            concurrency=CONCURRENT_IMPORTS,
        ),
        "Plan solutions": _plan("solutions", "Stop trainings", partition, plan_function_arn, document),
        "Stop trainings": _map(
            "$plan.trainings", "Solutions", "stopped", "Begin stop", _stop_states(partition, deadlines)
        ),
        "Solutions": _map(
            "$plan.solutions",
            "Recommenders" if recommender_state_machine_arn else "Plan prune",
            "solutions",
            "Make solution true",
            _child_states("solution", partition, solution_state_machine_arn),
        ),
        "Plan prune": _plan("prune", "Delete campaigns", partition, plan_function_arn, document),
        "Delete campaigns": _map(
            "$plan.campaigns",
            "Delete recommenders" if recommender_state_machine_arn else "Delete solutions",
            "deletedCampaigns",
            "Begin campaign deletion",
            _delete_states(partition, deadlines, "Campaign", "SolutionArn", "solutionArn"),
        ),
        "Delete solutions": _map(
            "$plan.prunedSolutions",
            "Gather",
            "deletedSolutions",
            "Begin solution deletion",
            _delete_states(partition, deadlines, "Solution", "DatasetGroupArn", "datasetGroupArn"),
        ),
        **(
            _recommender_states(partition, recommender_state_machine_arn, deadlines)
            if recommender_state_machine_arn
            else {}
        ),
        "Gather": assign("Failed?", failures=_all_failures(), waitingFor="$distinct($waitingFor)"),
        "Failed?": choice(("$count($failures) > 0", "Report failures"), default="Report"),
        "Report": {
            "Type": "Succeed",
            "Output": {
                "status": expression("$count($waitingFor) > 0 ? 'WAITING' : 'COMPLETED'"),
                "waitingFor": expression("[$waitingFor]"),
                "imported": expression("[$imports.name]"),
                "solutions": expression(
                    "[$solutions.{'name': name, 'solutionVersionArn': solutionVersionArn, "
                    "'metrics': metrics, 'campaigns': campaigns}]"
                ),
                "recommenders": expression("[$recommenders.name]"),
                "pruned": expression(
                    "[$append([$deletedCampaigns.name], $append([$deletedRecommenders.name], "
                    "[$deletedSolutions.name]))]"
                ),
            },
        },
        "Report failures": {
            "Type": "Fail",
            "Error": "WorkflowFailed",
            "Cause": expression("$substring($join($failures.(name & ': ' & reason), '\\n'), 0, 8000)"),
        },
    }
    return {
        "Comment": "Makes the declared datasets, solutions and campaigns of one dataset group true",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": int(deadlines.total_seconds) + 3600,
        "StartAt": "Begin",
        "States": states,
    }


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
                "failedImports": expression("[$imports[$count(failures) > 0].name]"),
            },
        },
        "Retry": RETRY_LAMBDA,
        "Assign": {
            "plan": expression("$states.result.Payload"),
            "waitingFor": expression("[$append($waitingFor, $states.result.Payload.waitingFor)]"),
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


def _lock_states(partition: str, table_name: str) -> States:
    """Take the lock, or leave a mark for the run that holds it, which then has one more run started."""
    me = {":me": {"S": expression("$states.context.Execution.Id")}}
    item = {**LOCK_KEY, "execution": {"S": expression("$states.context.Execution.Id")}}
    holder = {":holder": {"S": expression("$holder")}}
    return {
        "Begin": assign(
            "Lock",
            **dict.fromkeys((*BRANCHES, "waitingFor"), "[]"),
        ),
        "Lock": sdk_task(
            "dynamodb:putItem",
            partition=partition,
            arguments={
                "TableName": table_name,
                "Item": item,
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
        "Holder running?": choice(("$holderStatus = 'RUNNING'", "Leave mark"), default="Take lock over"),
        "Take lock over": sdk_task(
            "dynamodb:putItem",
            partition=partition,
            arguments={
                "TableName": table_name,
                "Item": item,
                "ConditionExpression": "execution = :holder",
                "ExpressionAttributeValues": holder,
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
                "ExpressionAttributeValues": {**holder, **me},
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


def _import_states(partition: str, deadlines: Deadlines) -> States:
    job = Poll(
        subject="Import",
        variable="import",
        read="describeDatasetImportJob",
        arguments={"DatasetImportJobArn": expression("$importJob")},
        status="$states.result.DatasetImportJob.Status",
        reason=either("$states.result.DatasetImportJob.FailureReason", UNSTATED),
        deadline_seconds=deadlines.imports.to_seconds(),
        settled=[
            ("$importStatus in ['ACTIVE', 'CREATE FAILED'] and $importNext != null", "Create import"),
            ("$importStatus = 'ACTIVE'", "Import done"),
            ("$importStatus = 'CREATE FAILED'", "Import failed"),
        ],
        late="Import late",
        failed="Import failed",
    )
    failed = catch("Import failed", importReason=error_reason())
    return {
        "Begin import": assign(
            "Import running already?",
            importName="$states.input.name",
            importJob="$states.input.running",
            importNext="$states.input.create",
            importNextArn="$states.input.createArn",
        ),
        "Import running already?": choice(("$importJob != null", job.start), default="Create import"),
        "Create import": sdk_task(
            "personalize:createDatasetImportJob",
            partition=partition,
            arguments=expression("$importNext"),
            next_state=job.start,
            retry=retry_in_queue(deadlines.imports.to_seconds()),
            catchers=[
                # names of jobs are used once: the answer to an earlier call was lost
                catch(job.start, ALREADY_EXISTS, importJob="$importNextArn", importNext="null"),
                failed,
            ],
            assign={"importJob": "$states.result.DatasetImportJobArn", "importNext": "null"},
        ),
        **job.states(partition),
        "Import done": finish(name="$importName", failures="[]"),
        "Import late": assign("Import failed", importReason=job.waited),
        "Import failed": finish(
            name="$importName", failures="[{'name': 'import of ' & $importName, 'reason': $importReason}]"
        ),
    }


def _recommender_states(partition: str, state_machine_arn: str, deadlines: Deadlines) -> States:
    return {
        "Recommenders": _map(
            "$plan.recommenders",
            "Plan prune",
            "recommenders",
            "Make recommender true",
            _child_states("recommender", partition, state_machine_arn),
        ),
        "Delete recommenders": _map(
            "$plan.prunedRecommenders",
            "Delete solutions",
            "deletedRecommenders",
            "Begin recommender deletion",
            _delete_states(partition, deadlines, "Recommender", "DatasetGroupArn", "datasetGroupArn"),
        ),
    }


def _child_states(kind: str, partition: str, state_machine_arn: str) -> States:
    """Run the state machine that makes one thing of a kind true."""
    return {
        f"Make {kind} true": {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::states:startExecution.sync:2",
            "Arguments": {
                "StateMachineArn": state_machine_arn,
                "Input": expression(
                    "$merge([$states.input, {'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID':"
                    " $states.context.Execution.Id}])"
                ),
            },
            "Output": expression("$states.result.Output"),
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Next": f"Run of {kind} broken",
                    "Output": {
                        "name": expression("$states.input.name"),
                        "failures": expression(
                            f"[{{'name': '{kind} ' & $states.input.name, 'reason': {error_reason()}}}]"
                        ),
                    },
                }
            ],
            "End": True,
        },
        f"Run of {kind} broken": {"Type": "Pass", "End": True},
    }


def _stop_states(partition: str, deadlines: Deadlines) -> States:
    training = Poll(
        subject="Stopping training",
        variable="stop",
        read="describeSolutionVersion",
        arguments={"SolutionVersionArn": expression("$stopArn")},
        status="$states.result.SolutionVersion.Status",
        deadline_seconds=deadlines.deletion.to_seconds(),
        settled=[("$stopStatus in ['ACTIVE', 'CREATE FAILED', 'CREATE STOPPED']", "Training stopped")],
        late="Stopping late",
        failed="Stopping failed",
        retry=RETRY_READ,
    )
    return {
        "Begin stop": assign(
            "Stop training", stopArn="$states.input.solutionVersionArn", stopName="$states.input.name"
        ),
        "Stop training": sdk_task(
            "personalize:stopSolutionVersionCreation",
            partition=partition,
            arguments={"SolutionVersionArn": expression("$stopArn")},
            next_state=training.start,
            retry=RETRY_READ,
            catchers=[
                # it has ended by itself in the meantime, as the look at it that follows tells
                catch(training.start, IN_USE, INVALID_INPUT, NOT_FOUND),
                catch("Stopping failed", stopReason=error_reason()),
            ],
        ),
        **training.states(partition),
        "Training stopped": finish(name="$stopName", failures="[]"),
        "Stopping late": assign("Stopping failed", stopReason=training.waited),
        "Stopping failed": finish(
            name="$stopName", failures="[{'name': 'training ' & $stopName, 'reason': $stopReason}]"
        ),
    }


def _delete_states(partition: str, deadlines: Deadlines, kind: str, parent: str, parent_key: str) -> States:
    """Delete a resource and wait until its parent lists it no more, so that no look at it is an error."""
    lower, variable = kind.lower(), f"gone{kind}"
    gone = Poll(
        subject=f"{kind} deletion",
        variable=variable,
        read=f"list{kind}s",
        arguments={parent: expression(f"${variable}Parent")},
        status=either(f"$states.result.{kind}s[{kind}Arn = ${variable}Arn].Status", "'GONE'"),
        deadline_seconds=deadlines.deletion.to_seconds(),
        settled=[(f"${variable}Status = 'GONE'", f"{kind} gone")],
        late=f"{kind} deletion late",
        failed=f"{kind} deletion failed",
        retry=RETRY_READ,
    )
    return {
        f"Begin {lower} deletion": assign(
            f"Delete {lower}",
            **{
                f"{variable}Arn": f"$states.input.{lower}Arn",
                f"{variable}Name": "$states.input.name",
                f"{variable}Parent": f"$states.input.{parent_key}",
            },
        ),
        f"Delete {lower}": sdk_task(
            f"personalize:delete{kind}",
            partition=partition,
            arguments={f"{kind}Arn": expression(f"${variable}Arn")},
            next_state=gone.start,
            retry=retry_write(deadlines.deletion.to_seconds()),
            catchers=[
                catch(f"{kind} gone", NOT_FOUND),
                catch(f"{kind} deletion failed", **{f"{variable}Reason": error_reason()}),
            ],
        ),
        **gone.states(partition),
        f"{kind} gone": finish(name=f"${variable}Name", failures="[]"),
        f"{kind} deletion late": assign(f"{kind} deletion failed", **{f"{variable}Reason": gone.waited}),
        f"{kind} deletion failed": finish(
            name=f"${variable}Name",
            failures=f"[{{'name': 'deletion of {lower} ' & ${variable}Name, 'reason': ${variable}Reason}}]",
        ),
    }
