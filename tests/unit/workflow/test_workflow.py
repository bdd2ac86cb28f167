"""The workflow construct: what it puts into the template."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

import cdk_personalize as personalize
from cdk_personalize.workflow import permissions


def declare(stack: cdk.Stack, **arguments: Any) -> tuple[personalize.DatasetGroup, personalize.Workflow]:
    group = personalize.DatasetGroup(stack, "Movies")
    group.add_interactions(schema=personalize.Schema.interactions(event_type=True))
    workflow = personalize.Workflow(stack, "Workflow", dataset_group=group, **arguments)
    solution = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    solution.add_campaign("Live", min_provisioned_tps=3)
    return group, workflow


@pytest.fixture(scope="module")
def template() -> Template:
    stack = cdk.Stack(cdk.App(), "Films")
    declare(stack)
    return Template.from_stack(stack)


def deployment(template: Template) -> dict[str, Any]:
    (resource,) = template.find_resources("Custom::PersonalizeDeployment").values()
    return dict(resource)


def test_document_holds_what_was_declared_after_the_workflow(template: Template) -> None:
    text = json.dumps(deployment(template)["Properties"]["Document"])
    for part in ('minProvisionedTPS\\":3', "aws-user-personalization-v2", 'performAutoTraining\\":false'):
        assert part in text, part


def test_deployment_comes_last(template: Template) -> None:
    last = set(deployment(template)["DependsOn"])
    for resource_type in (
        "Custom::PersonalizeDataset",
        "AWS::Events::Rule",
        "AWS::S3::BucketPolicy",
        "AWS::StepFunctions::StateMachine",
    ):
        found = set(template.find_resources(resource_type))
        if resource_type == "AWS::StepFunctions::StateMachine":
            found = {name for name in found if name.startswith("Workflow")}
        assert found <= last, resource_type


def test_another_construct_id_updates_the_deployment() -> None:
    """Were it replaced, the teardown of the former one would remove what the new one serves."""

    def logical_id(id: str) -> str:
        stack = cdk.Stack(cdk.App(), "Films")
        group = personalize.DatasetGroup(stack, "Movies")
        personalize.Workflow(stack, id, dataset_group=group)
        (found,) = Template.from_stack(stack).find_resources("Custom::PersonalizeDeployment")
        return found

    assert logical_id("Workflow") == logical_id("Retraining")


def test_an_encrypted_topic_may_be_written_to() -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    key = cdk.aws_kms.Key(stack, "Key")
    declare(stack, topic=cdk.aws_sns.Topic(stack, "Told", master_key=key))
    statements = [
        statement
        for name, policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").items()
        if re.match(r"WorkflowFor\w{8}FinishRole", name)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Effect": "Allow",
        "Resource": [stack.resolve(key.key_arn)],
    } in statements


def test_new_csv_files_of_the_sources_start_runs(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"object": {"key": [{"prefix": "Movies/interactions/"}]}, "bucket": Match.any_value()},
            }
        },
    )
    template.has_resource_properties("AWS::Lambda::EventSourceMapping", {"MaximumBatchingWindowInSeconds": 60})


def test_additions_start_runs_and_are_checked_with_the_least_permissions() -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    key = cdk.aws_kms.Key(stack, "Key")
    mine = cdk.aws_s3.Bucket(stack, "Mine", encryption_key=key)
    group = personalize.DatasetGroup(stack, "Movies")
    personalize.Workflow(stack, "Workflow", dataset_group=group)
    group.add_interactions(
        schema=personalize.Schema.interactions(),
        incremental_source=personalize.DataSource(mine, "new-interactions/"),
    )
    template = Template.from_stack(stack)

    document = json.dumps(deployment(template)["Properties"]["Document"])
    assert '\\"prefix\\":\\"new-interactions/\\"' in document
    assert '{\\"name\\":\\"TIMESTAMP\\",\\"type\\":\\"long\\"}' in document
    assert '\\"type\\":\\"INTERACTIONS\\"' in document
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "detail": {"object": {"key": [{"prefix": "Movies/interactions/"}, {"prefix": "new-interactions/"}]}}
            }
        },
    )
    [policy] = [
        policy
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if re.match(r"WorkflowFor\w{8}CheckImportRole", name)
    ]
    data = stack.resolve(group.data_bucket.bucket_arn)
    added = stack.resolve(mine.bucket_arn)
    expected = [
        ("s3:GetObject", _object(data, f"/cdk-personalize/{group.owner}/desired-state.json")),
        ("s3:ListBucket", [data, added]),
        ("s3:GetObject", [_object(data, "/Movies/interactions/*"), _object(added, "/new-interactions/*")]),
        ("kms:Decrypt", stack.resolve(key.key_arn)),
        ("s3:PutObject", _object(data, f"/cdk-personalize/{group.owner}/imports/*")),
    ]
    found = [
        (statement["Action"], _one(statement["Resource"]))
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "logs:" not in json.dumps(statement["Action"])
    ]
    assert found == expected


def _one(resources: Any) -> Any:
    return resources[0] if isinstance(resources, list) and len(resources) == 1 else resources


def _object(bucket: Any, tail: str) -> Any:
    return {"Fn::Join": ["", [bucket, tail]]}


def test_runs_that_end_in_any_way_are_finished(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.states"],
                "detail": {"status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]},
            }
        },
    )


def test_only_a_dataset_group_of_a_domain_has_a_machine_for_recommenders(template: Template) -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    group = personalize.DatasetGroup(stack, "Movies", domain=personalize.Domain.VIDEO_ON_DEMAND)
    group.add_interactions(schema=personalize.Schema.interactions(domain=group.domain))
    personalize.Workflow(stack, "Workflow", dataset_group=group)
    picks = group.add_recommender("Picks", use_case=personalize.UseCase.TOP_PICKS_FOR_YOU)
    of_domain = Template.from_stack(stack)

    machines = {name for name in of_domain.find_resources("AWS::StepFunctions::StateMachine") if "Workflow" in name}
    assert len(machines) == 5
    assert machines <= set(deployment(of_domain)["DependsOn"])
    assert picks.recommender_name in json.dumps(deployment(of_domain)["Properties"]["Document"])
    statements = json.dumps(of_domain.find_resources("AWS::IAM::Policy"))
    for action in ("CreateRecommender", "DeleteRecommender", "ListRecommenders", "StopRecommender"):
        assert f"personalize:{action}" in statements, action
    assert "Recommender" not in json.dumps(template.find_resources("AWS::IAM::Policy"))
    assert "recommenders" not in json.dumps(deployment(template)["Properties"]["Document"])


def test_deletions_are_allowed_on_what_carries_the_owner_tag_only() -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    group, _ = declare(stack)
    deletions = [
        statement
        for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if re.search(r"personalize:(DeleteCampaign|DeleteSolution)\b", json.dumps(statement["Action"]))
    ]
    assert len(deletions) == 2
    for statement in deletions:
        assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/cdk-personalize:owner": group.owner}}


def test_every_wildcard_has_a_reason() -> None:
    granted = {
        kind
        for allowed in (
            permissions.RUN,
            permissions.IMPORT,
            permissions.JOB,
            permissions.RECOMMENDER,
            permissions.SOLUTION,
            permissions.PLAN,
            permissions.CHECK_IMPORT,
            permissions.FINISH,
            permissions.START,
            permissions.DEPLOY,
            permissions.TEARDOWN,
        )
        for kind in allowed
    }
    assert set(permissions.WILDCARDS) <= granted
    assert all(len(reason) > 30 for reason in permissions.WILDCARDS.values())


def test_second_workflow_of_a_group_is_refused() -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    group, _ = declare(stack)
    with pytest.raises(ValueError, match="has a workflow already"):
        personalize.Workflow(stack, "Another", dataset_group=group)


def test_removal_policy() -> None:
    for policy in personalize.WorkflowRemovalPolicy:
        stack = cdk.Stack(cdk.App(), "Films")
        declare(stack, removal_policy=policy)
        assert deployment(Template.from_stack(stack))["Properties"]["Removal"] == policy.value
    with pytest.raises(
        ValueError, match=r"removal_policy of the workflow Films/Workflow is .*SNAPSHOT; allowed are .*STOP_BILLING"
    ):
        declare(cdk.Stack(cdk.App(), "Films"), removal_policy=cdk.RemovalPolicy.SNAPSHOT)


def test_a_dataset_group_is_not_deleted_from_under_what_is_kept() -> None:
    for policy in (personalize.WorkflowRemovalPolicy.RETAIN, personalize.WorkflowRemovalPolicy.STOP_BILLING):
        stack = cdk.Stack(cdk.App(), "Films")
        group = personalize.DatasetGroup(stack, "Movies", removal_policy=cdk.RemovalPolicy.DESTROY)
        with pytest.raises(ValueError, match=r"Films/Workflow is .*, and that of its dataset group is RemovalPolicy"):
            personalize.Workflow(stack, "Workflow", dataset_group=group, removal_policy=policy)


def test_a_deployment_that_waits_waits_anew_for_every_change() -> None:
    def wait(tps: int) -> tuple[str, str, dict[str, Any]]:
        stack = cdk.Stack(cdk.App(), "Films")
        group, workflow = declare(stack, deployment=personalize.Deployment.WAIT)
        group.solutions[0].add_campaign("More", min_provisioned_tps=tps)
        cdk.CfnOutput(stack, "Run", value=workflow.deployment_run_arn)
        template = Template.from_stack(stack)
        ((handle, _),) = template.find_resources("AWS::CloudFormation::WaitConditionHandle").items()
        ((ended, resource),) = template.find_resources("AWS::CloudFormation::WaitCondition").items()
        (name,) = template.find_resources("Custom::PersonalizeDeployment")
        assert deployment(template)["Properties"]["Signal"] == {"Ref": handle}
        assert resource["Properties"] == {"Count": 1, "Handle": {"Ref": handle}, "Timeout": "43200"}
        assert resource["DependsOn"] == [name]
        template.has_output("Run", {"Value": {"Fn::GetAtt": [name, "ExecutionArn"]}})
        return handle, ended, resource

    assert wait(1) == wait(1)
    assert set(wait(1)[:2]).isdisjoint(wait(2)[:2])


def test_a_deployment_does_not_wait_unless_told_to(template: Template) -> None:
    template.resource_count_is("AWS::CloudFormation::WaitCondition", 0)
    assert "Signal" not in deployment(template)["Properties"]


def test_solution_without_workflow_fails_at_synth() -> None:
    app = cdk.App()
    group = personalize.DatasetGroup(cdk.Stack(app, "Films"), "Movies")
    group.add_interactions(schema=personalize.Schema.interactions())
    group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
    with pytest.raises(RuntimeError, match=r"has solutions \('Films/Movies/Picks'\) but no Workflow"):
        app.synth()


def test_no_statement_is_without_a_resource() -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    group = personalize.DatasetGroup(stack, "Movies")
    personalize.Workflow(stack, "Workflow", dataset_group=group)
    for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Resource"], statement


def allowed(stack: cdk.Stack, part: str) -> dict[str, Any]:
    """The resources by action that a part of the workflow is allowed."""
    return {
        action: statement["Resource"]
        for name, policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").items()
        if re.match(rf"WorkflowFor\w{{8}}{part}RoleDefaultPolicy", name)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if re.search(r"(Batch\w+|Export|Deletion)Jobs?$", action)
    }


def test_jobs_are_allowed_on_what_is_declared_only() -> None:
    stack = cdk.Stack(cdk.App(), "Films", env=cdk.Environment(account="1" * 12, region="us-east-1"))
    group, _ = declare(stack)
    picks = group.solutions[0]
    fans = group.add_solution("Fans", recipe=personalize.Recipe.ITEM_AFFINITY)
    mail, clients = picks.add_batch_inference_job("Mail"), fans.add_batch_segment_job("Clients")
    backup, forget = group.datasets[0].add_export_job("Backup"), group.add_data_deletion_job("Forget")
    found = allowed(stack, "Job")
    for job, target in (
        (mail, [f"{picks.solution_arn}/*", f"{fans.solution_arn}/*"]),
        (clients, [f"{picks.solution_arn}/*", f"{fans.solution_arn}/*"]),
        (backup, [group.datasets[0].dataset_arn]),
        (forget, [group.dataset_group_arn]),
    ):
        resource = re.sub(r"\B(?=[A-Z])", "-", job.kind).lower()
        arn = f"arn:aws:personalize:us-east-1:{'1' * 12}:{resource}/{job.job_prefix}-*"
        read = json.dumps(found.pop(f"personalize:Describe{job.kind}")).replace('{"Ref": "AWS::Partition"}', '"aws"')
        assert _text(read) == arn
        statements = [
            statement
            for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if f"personalize:Create{job.kind}" in statement["Action"]
        ]
        assert stack.resolve(target) in [statement["Resource"] for statement in statements]
        assert len(statements) == 2
        found.pop(f"personalize:Create{job.kind}")
    assert not found
    assert sorted(allowed(stack, "Plan")) == [
        "personalize:ListBatchInferenceJobs",
        "personalize:ListBatchSegmentJobs",
        "personalize:ListDataDeletionJobs",
        "personalize:ListDatasetExportJobs",
    ]


def _text(resource: str) -> str:
    [parsed] = json.loads(resource)
    return "".join(parsed["Fn::Join"][1])


def test_without_jobs_none_is_allowed(template: Template) -> None:
    text = json.dumps(template.find_resources("AWS::IAM::Policy"))
    for kind in ("batch-inference-jobs", "batch-segment-jobs", "data-deletion-jobs", "dataset-export-jobs"):
        assert f":none/{kind}" in text


def schedule(template: Template) -> dict[str, Any]:
    (resource,) = template.find_resources("AWS::Scheduler::Schedule").values()
    return dict(resource["Properties"])


def test_runs_by_schedule_begin_once_something_depends_on_time() -> None:
    for training, state in (
        (personalize.Training.manual(), "DISABLED"),
        (personalize.Training.automatic(every=cdk.Duration.days(7)), "ENABLED"),
    ):
        stack = cdk.Stack(cdk.App(), "Films")
        group, _ = declare(stack)
        group.add_solution("Later", recipe=personalize.Recipe.SIMILAR_ITEMS, training=training)
        found = schedule(Template.from_stack(stack))
        assert (found["ScheduleExpression"], found["State"]) == ("rate(1 day)", state)
        assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_schedule_that_is_declared_is_kept_to() -> None:
    stack = cdk.Stack(cdk.App(), "Films")
    expression = cdk.aws_scheduler.ScheduleExpression.cron(hour="4", minute="30", time_zone=cdk.TimeZone.EUROPE_BERLIN)
    window = cdk.aws_scheduler.TimeWindow.flexible(cdk.Duration.minutes(30))
    _, workflow = declare(stack, schedule=expression, time_window=window)
    template = Template.from_stack(stack)
    found = schedule(template)
    assert (found["ScheduleExpression"], found["ScheduleExpressionTimezone"], found["State"]) == (
        "cron(30 4 * * ? *)",
        "Europe/Berlin",
        "ENABLED",
    )
    assert found["FlexibleTimeWindow"] == {"MaximumWindowInMinutes": 30, "Mode": "FLEXIBLE"}
    assert json.loads(found["Target"]["Input"]) == {"trigger": "schedule"}
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": "states:StartExecution",
                        "Effect": "Allow",
                        "Resource": stack.resolve(workflow.state_machine_arn),
                    }
                ],
                "Version": "2012-10-17",
            },
            "Roles": [{"Ref": Match.string_like_regexp("^SchedulerRole")}],
        },
    )
