"""State machines: what the workflow relies on, and that errors are as strict as on AWS."""

import json
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from personalize_local.cloud.client import LocalCloud

from .conftest import StateMachines, machine, unique

PUT_ITEM = "arn:aws:states:::aws-sdk:dynamodb:putItem"
START_SYNC = "arn:aws:states:::states:startExecution.sync:2"


def personalize(action: str) -> str:
    return f"arn:aws:states:::aws-sdk:personalize:{action}"


class TestJsonata:
    def test_arguments_may_be_one_expression(self, machines: StateMachines) -> None:
        name = unique("group")
        state = {
            "Type": "Task",
            "Resource": personalize("createDatasetGroup"),
            "Arguments": "{% $states.input.Arguments %}",
        }
        assert machines.jsonata(state, {"Arguments": {"Name": name}})["DatasetGroupArn"].endswith(name)

    def test_assign_sees_the_result_and_output_shapes_it(self, machines: StateMachines) -> None:
        state = {
            "Type": "Task",
            "Resource": personalize("listSchemas"),
            "Arguments": {},
            "Assign": {"found": "{% $type($states.result.Schemas) %}", "nothing": None},
            "Output": {"kept": "{% $states.input.a %}"},
            "Next": "Second",
        }
        second = {"Type": "Pass", "Output": "{% $merge([$states.input, {'found': $found}]) %}", "End": True}
        assert machines.jsonata(state, {"a": 1}, Second=second) == {"kept": 1, "found": "array"}

    def test_map_selects_items_and_limits_concurrency(self, machines: StateMachines) -> None:
        inner = {"Type": "Pass", "Assign": {"outer": "inner"}, "Output": "{% $states.input.n * 10 %}", "End": True}
        state = {
            "Type": "Map",
            "Items": "{% $states.input.numbers %}",
            "MaxConcurrency": 2,
            "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}", "i": "{% $states.context.Map.Item.Index %}"},
            "ItemProcessor": {"StartAt": "Ten", "States": {"Ten": inner}},
            "Assign": {"outer": "{% $sum($states.result) %}"},
            "Next": "Second",
        }
        second = {"Type": "Pass", "Output": {"all": "{% $states.input %}", "sum": "{% $outer %}"}, "End": True}
        assert machines.jsonata(state, {"numbers": [1, 2, 3]}, Second=second) == {"all": [10, 20, 30], "sum": 60}

    def test_map_of_nothing(self, machines: StateMachines) -> None:
        inner = {"Type": "Pass", "End": True}
        state = {"Type": "Map", "Items": "{% [] %}", "ItemProcessor": {"StartAt": "P", "States": {"P": inner}}}
        assert machines.jsonata(state) == []

    def test_parallel_has_arguments_output_and_its_own_variables(self, machines: StateMachines) -> None:
        def branch(value: int) -> dict[str, Any]:
            state = {
                "Type": "Pass",
                "Assign": {"x": value},
                "Output": f"{{% $states.input.base + {value} %}}",
                "End": True,
            }
            return {"StartAt": f"P{value}", "States": {f"P{value}": state}}

        state = {
            "Type": "Parallel",
            "Arguments": {"base": "{% $states.input.start %}"},
            "Branches": [branch(1), branch(2)],
            "Output": {"results": "{% $states.result %}"},
            "Next": "Second",
        }
        second = {"Type": "Pass", "Output": "{% $merge([$states.input, {'x': $exists($x)}]) %}", "End": True}
        assert machines.jsonata(state, {"start": 10}, Second=second) == {"results": [11, 12], "x": False}

    def test_succeed_has_output(self, machines: StateMachines) -> None:
        assert machines.jsonata({"Type": "Succeed", "Output": {"a": "{% $states.input.b %}"}}, {"b": 2}) == {"a": 2}

    def test_catch_has_output_and_assign(self, machines: StateMachines) -> None:
        state = {
            "Type": "Task",
            "Resource": personalize("describeCampaign"),
            "Arguments": {"CampaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/none"},
            "Catch": [
                {
                    "ErrorEquals": ["Personalize.ResourceNotFoundException"],
                    "Output": {"error": "{% $states.errorOutput.Error %}", "kept": "{% $states.input.a %}"},
                    "Assign": {"cause": "{% $states.errorOutput.Cause %}"},
                    "Next": "Second",
                }
            ],
        }
        second = {
            "Type": "Pass",
            "Output": "{% $merge([$states.input, {'cause': $length($cause) > 0}]) %}",
            "End": True,
        }
        expected = {"error": "Personalize.ResourceNotFoundException", "kept": 1, "cause": True}
        assert machines.jsonata(state, {"a": 1}, Second=second) == expected

    def test_choice_rules_assign_and_fall_through(self, machines: StateMachines) -> None:
        state = {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $states.input.n > 5 %}",
                    "Assign": {"size": "large"},
                    "Output": {"was": "{% $states.input.n %}"},
                    "Next": "Large",
                }
            ],
            "Default": "Small",
        }
        large = {"Type": "Pass", "Output": "{% $merge([$states.input, {'size': $size}]) %}", "End": True}
        small = {"Type": "Pass", "End": True}
        assert machines.jsonata(state, {"n": 7}, Large=large, Small=small) == {"was": 7, "size": "large"}
        assert machines.jsonata(state, {"n": 1}, Large=large, Small=small) == {"n": 1}

    def test_wait_is_scaled(self, machines: StateMachines) -> None:
        began = time.monotonic()
        state = {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Output": "{% 'waited' %}"}
        assert machines.jsonata(state, {"seconds": 60}) == "waited"
        assert 0.5 < time.monotonic() - began < 5

    @pytest.mark.parametrize("condition", ["{% 'yes' %}", "{% 1 %}", "{% [true] %}"])
    def test_a_condition_must_be_boolean(self, machines: StateMachines, condition: str) -> None:
        choice = {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "End"}], "Default": "End"}
        ended = machines.run(machine(choice, End={"Type": "Succeed"}))
        assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")

    def test_an_undefined_result_fails(self, machines: StateMachines) -> None:
        ended = machines.run(machine({"Type": "Pass", "Output": {"a": "{% $states.input.missing %}"}}))
        assert ended["error"] == "States.QueryEvaluationError"


class TestErrors:
    def test_states_all_does_not_catch_runtime_errors(self, machines: StateMachines) -> None:
        state = {
            "Type": "Task",
            "Resource": personalize("listSchemas"),
            "Parameters": {"MaxResults.$": "$.missing"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        }
        ended = machines.run(machine(state, "JSONPath", Caught={"Type": "Succeed"}))
        assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
        assert "'$.missing' specified for the field 'MaxResults.$' could not be found" in ended["cause"]

    def test_context_paths_and_intrinsics_still_work(self, machines: StateMachines) -> None:
        parameters = {"id.$": "$$.Execution.Name", "n.$": "States.MathAdd($.n, 1)", "all.$": "$.list[*]"}
        output = machines.output(machine({"Type": "Pass", "Parameters": parameters}, "JSONPath"), {"n": 1, "list": []})
        assert (output["n"], output["all"], bool(output["id"])) == (2, [], True)

    def test_lambda_errors_have_the_name_of_their_class(
        self, machines: StateMachines, function: Callable[..., str]
    ) -> None:
        arn = function("class NotYet(Exception): pass\ndef handler(event, context): raise NotYet('wait')")
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": arn, "Payload": {}},
            "Retry": [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["NotYet"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}],
        }
        error = machines.jsonata(state, Caught={"Type": "Succeed"})
        cause = json.loads(error["Cause"])
        assert (error["Error"], cause["errorType"], cause["errorMessage"]) == ("NotYet", "NotYet", "wait")

    def test_node_errors_too_and_the_function_stays_warm(
        self, personalize_local: LocalCloud, function: Callable[..., str]
    ) -> None:
        arn = function(
            "let calls = 0; exports.handler = async () => { calls += 1; throw new TypeError(`call ${calls}`); };",
            "nodejs20.x",
        )
        client = personalize_local.client("lambda")
        answers = [json.loads(client.invoke(FunctionName=arn)["Payload"].read()) for _ in range(2)]
        assert [(a["errorType"], a["errorMessage"]) for a in answers] == [
            ("TypeError", "call 1"),
            ("TypeError", "call 2"),
        ]

    @pytest.mark.parametrize(
        ("action", "arguments", "error"),
        [
            ("createDatasetGroup", {"name": "camel"}, "States.Runtime"),
            ("createDatasetGroup", {"Name": "ok", "Unknown": 1}, "States.Runtime"),
            ("createNothing", {}, "States.Runtime"),
        ],
    )
    def test_sdk_arguments_are_checked(
        self, machines: StateMachines, action: str, arguments: dict[str, Any], error: str
    ) -> None:
        ended = machines.run(machine({"Type": "Task", "Resource": personalize(action), "Arguments": arguments}))
        assert ended["error"] == error

    def test_a_conditional_check_failure_has_the_sdk_name(
        self, personalize_local: LocalCloud, machines: StateMachines
    ) -> None:
        table = unique("table")
        personalize_local.client("dynamodb").create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        put = {
            "Type": "Task",
            "Resource": PUT_ITEM,
            "Arguments": {
                "TableName": table,
                "Item": {"id": {"S": "lock"}, "run": {"S": "{% $states.context.Execution.Name %}"}},
                "ConditionExpression": "attribute_not_exists(id) OR #r = :me",
                "ExpressionAttributeNames": {"#r": "run"},
                "ExpressionAttributeValues": {":me": {"S": "me"}},
            },
        }
        assert machines.run(machine(put))["status"] == "SUCCEEDED"
        assert machines.run(machine(put))["error"] == "DynamoDb.ConditionalCheckFailedException"
        optimized = {**put, "Resource": "arn:aws:states:::dynamodb:putItem"}
        assert machines.run(machine(optimized))["error"] == "DynamoDB.ConditionalCheckFailedException"
        update = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem",
            "Arguments": {
                "TableName": table,
                "Key": {"id": {"S": "lock"}},
                "UpdateExpression": "SET pending = :yes REMOVE run",
                "ConditionExpression": "attribute_exists(run)",
                "ExpressionAttributeValues": {":yes": {"BOOL": True}},
                "ReturnValues": "ALL_NEW",
            },
        }
        assert machines.jsonata(update)["Attributes"] == {"id": {"S": "lock"}, "pending": {"Bool": True}}


class TestLimits:
    BIG = "x" * (257 * 1024)

    def test_output_of_a_state(self, machines: StateMachines) -> None:
        state = {"Type": "Pass", "Output": "{% $pad('', 270000, 'x') %}", "Next": "Next"}
        ended = machines.run(machine(state, Next={"Type": "Succeed"}))
        assert ended["error"] == "States.DataLimitExceeded"

    def test_input_of_an_execution(self, machines: StateMachines) -> None:
        arn = machines.create(machine({"Type": "Succeed"}))
        with pytest.raises(machines.client.exceptions.ClientError, match="less than or equal to 262144"):
            machines.start(arn, self.BIG)

    def test_history(self, machines: StateMachines) -> None:
        there, back = {"Type": "Pass", "Next": "Back"}, {"Type": "Pass", "Next": "First"}
        ended = machines.run(machine(there, Back=back))
        assert ended["status"] == "FAILED"
        assert "maximum number of history events (25000)" in ended["cause"]

    def test_a_deadline_is_scaled(self, machines: StateMachines) -> None:
        definition = machine({"Type": "Wait", "Seconds": 3600})
        ended = machines.run({**definition, "TimeoutSeconds": 100})
        assert ended["status"] == "TIMED_OUT"

    def test_a_stopped_execution_stops_its_iterations(
        self, personalize_local: LocalCloud, machines: StateMachines
    ) -> None:
        names = [unique("never") for _ in range(3)]
        wait = {"Type": "Wait", "Seconds": 60, "Next": "Create"}
        create = {
            "Type": "Task",
            "Resource": personalize("createDatasetGroup"),
            "Arguments": {"Name": "{% $states.input %}"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Wait"}],
            "End": True,
        }
        state = {
            "Type": "Map",
            "Items": names,
            "ItemProcessor": {"StartAt": "Wait", "States": {"Wait": wait, "Create": create}},
        }
        execution = machines.start(machines.create(machine(state)))
        time.sleep(0.3)
        machines.client.stop_execution(executionArn=execution)
        time.sleep(0.7)
        assert machines.end(execution)["status"] == "ABORTED"
        groups = personalize_local.client("personalize").list_dataset_groups()["datasetGroups"]
        assert not {group["name"] for group in groups} & set(names)


class TestChildExecutions:
    def test_output_is_json(self, machines: StateMachines) -> None:
        child = machines.create(machine({"Type": "Pass", "Output": {"n": "{% $states.input.n + 1 %}"}}))
        state = {
            "Type": "Task",
            "Resource": START_SYNC,
            "Arguments": {"StateMachineArn": child, "Input": {"n": 1}},
            "Output": "{% $states.result.Output.n %}",
        }
        assert machines.jsonata(state) == 2

    def test_failure_is_a_task_failure_with_the_childs_error_in_its_cause(self, machines: StateMachines) -> None:
        child = machines.create(machine({"Type": "Fail", "Error": "Mine", "Cause": "because"}))
        state = {
            "Type": "Task",
            "Resource": START_SYNC,
            "Arguments": {"StateMachineArn": child, "Input": {}},
            "Catch": [
                {
                    "ErrorEquals": ["States.TaskFailed"],
                    "Output": "{% $parse($states.errorOutput.Cause) %}",
                    "Next": "Caught",
                }
            ],
        }
        cause = machines.jsonata(state, Caught={"Type": "Succeed"})
        assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Mine", "because")

    def test_a_taken_name(self, machines: StateMachines) -> None:
        child = machines.create(machine({"Type": "Succeed"}))
        state = {
            "Type": "Task",
            "Resource": START_SYNC,
            "Arguments": {"StateMachineArn": child, "Input": {}, "Name": "once"},
        }
        machines.jsonata(state)
        assert machines.run(machine(state))["error"] == "StepFunctions.ExecutionAlreadyExistsException"

    def test_a_running_execution_is_started_again_only_with_the_same_input(self, machines: StateMachines) -> None:
        arn = machines.create(machine({"Type": "Wait", "Seconds": 60}))

        def start(value: str) -> str:
            started = machines.client.start_execution(stateMachineArn=arn, name="once", input=value)
            execution: str = started["executionArn"]
            return execution

        execution = start('{"a": 1}')
        assert start('{"a": 1}') == execution
        with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists):
            start('{"a": 2}')
        machines.end(execution)
        with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists):
            start('{"a": 1}')

    def test_describe_and_start_by_the_sdk_integration(self, machines: StateMachines) -> None:
        child = machines.create(machine({"Type": "Succeed"}))
        start = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:startExecution",
            "Arguments": {"StateMachineArn": child, "Input": "{}", "Name": "{% 'once' %}"},
            "Output": "{% $states.result.ExecutionArn %}",
            "Next": "Describe",
        }
        describe = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:describeExecution",
            "Arguments": {"ExecutionArn": "{% $states.input %}"},
            "End": True,
        }
        described = machines.jsonata(start, Describe=describe)
        assert described["StateMachineArn"] == child
        assert described["Status"] in ("RUNNING", "SUCCEEDED")
        assert machines.run(machine(start, Describe=describe))["error"] == "Sfn.ExecutionAlreadyExistsException"


class TestEvents:
    PUT = "arn:aws:states:::events:putEvents"
    GOOD: ClassVar = {"Source": "films", "DetailType": "Shown", "Detail": {"film": "a"}}

    def put(self, *entries: dict[str, Any]) -> dict[str, Any]:
        return machine({"Type": "Task", "Resource": self.PUT, "Arguments": {"Entries": list(entries)}})

    def test_an_event_says_which_execution_it_comes_from(
        self, personalize_local: LocalCloud, machines: StateMachines
    ) -> None:
        sqs, events, name = personalize_local.client("sqs"), personalize_local.client("events"), unique("shown")
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        ended = machines.run(self.put({**self.GOOD, "Source": name, "Resources": ["arn:film"]}))
        [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
        body = json.loads(message["Body"])
        assert (body["detail-type"], body["detail"]) == ("Shown", {"film": "a"})
        assert body["resources"] == ["arn:film", ended["executionArn"], ended["stateMachineArn"]]

    @pytest.mark.parametrize(
        ("entry", "code"),
        [
            ({"Source": ""}, "InvalidArgument"),
            ({"DetailType": ""}, "InvalidArgument"),
            ({"Detail": "no object"}, "MalformedDetail"),
            ({"Source": "aws.films"}, "NotAuthorizedForSourceException"),
        ],
    )
    def test_an_entry_that_is_not_taken_fails_the_task(
        self, machines: StateMachines, entry: dict[str, Any], code: str
    ) -> None:
        ended = machines.end(machines.start(machines.create(self.put({**self.GOOD, **entry}))))
        assert (ended["status"], ended["error"]) == ("FAILED", "EventBridge.FailedEntry")
        assert code in ended["cause"]

    def test_arguments_are_checked(self, machines: StateMachines) -> None:
        for entries in [{**self.GOOD, "source": "films"}], [self.GOOD] * 11:
            ended = machines.end(machines.start(machines.create(self.put(*entries))))
            assert ended["status"] == "FAILED"
