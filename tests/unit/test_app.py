"""The reference app as a whole: what AWS, cfn-lint and cdk-nag would say of its templates."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import aws_cdk.aws_kms
import aws_cdk.aws_sqs
import cdk_nag
import pytest

import cdk_personalize as personalize
from stacks.films_data import FilmsData
from stacks.films_recommender import FilmsRecommender
from tests.e2e.everything import everything
from tests.e2e.shop import several
from tests.permissions import KEY_GRANTS, OF_DIFFERENT_KINDS, OTHERS, key_grants, others, part_of

ROOT = Path(__file__).parents[2]
SOURCES = ("app.py", "cdk.json", "stacks", "constructs", "lambda")


def build(app: cdk.App) -> cdk.App:
    data = FilmsData(app, "FilmsData")
    FilmsRecommender(app, "FilmsRecommender", data_bucket=data.bucket)
    return app


def jobs(app: cdk.App) -> cdk.App:
    """Jobs of all kinds, in one stack with files that a KMS key encrypts."""
    for name in ("Plain", "Encrypted"):
        stack = cdk.Stack(app, name)
        key = cdk.aws_kms.Key(stack, "Key", enable_key_rotation=True) if name == "Encrypted" else None
        files = personalize.DataBucket(stack, "Files", encryption_key=key)
        lists = personalize.DataBucket(stack, "Lists")
        group = personalize.DatasetGroup(stack, "Movies", data_bucket=files)
        interactions = group.add_interactions(schema=personalize.Schema.interactions())
        interactions.add_export_job("Backup", every=cdk.Duration.days(30))
        picks = group.add_solution("Picks", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
        picks.add_batch_inference_job("Mail", job_output=personalize.S3Location(files, "mail/", encryption_key=key))
        fans = group.add_solution("Fans", recipe=personalize.Recipe.ITEM_AFFINITY)
        fans.add_batch_segment_job("Campaign", role=personalize.ServiceRole(stack, "Segments"))
        group.add_data_deletion_job("Forget", data_source=personalize.S3Location(lists, "forget/"))
        personalize.Workflow(stack, "Workflow", dataset_group=group)
    return app


# What is built, and with which context
APPS: dict[str, tuple[Callable[[cdk.App], cdk.App], dict[str, str]]] = {
    "retain": (build, {"removal": "retain"}),
    "destroy": (build, {"removal": "destroy"}),
    "several": (several, {}),
    "jobs": (jobs, {}),
    "everything": (functools.partial(everything, later=True), {}),
}


@pytest.fixture(scope="module", params=APPS)
def assembly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    make, context = APPS[request.param]
    make(cdk.App(outdir=str(folder), context=context)).synth()
    return folder


def templates(assembly: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(assembly.glob("*.template.json")):
        yield path.name, json.loads(path.read_text())


def resources(assembly: Path, resource_type: str) -> Iterator[dict[str, Any]]:
    for _, template in templates(assembly):
        for resource in template["Resources"].values():
            if resource["Type"] == resource_type:
                yield resource


def test_cfn_lint_finds_no_error(assembly: Path) -> None:
    paths = sorted(assembly.glob("*.template.json"))
    assert len(paths) == 2
    result = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--non-zero-exit-code", "error", "--", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", APPS)
def test_cdk_nag_is_clean(name: str) -> None:
    make, context = APPS[name]
    app = make(cdk.App(context=context))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()  # raises, and lists the findings, if there are any


def test_cdk_nag_finds_what_is_not_acknowledged() -> None:
    app = cdk.App()
    cdk.aws_sqs.Queue(cdk.Stack(app, "Stack"), "Queue")
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match=r"(?s)ValidationFailed.*AwsSolutions-SQS3"):
        app.synth()


def test_state_machines_of_the_templates_are_valid(assembly: Path, tmp_path: Path) -> None:
    definitions = [
        machine["Properties"]["DefinitionString"] for machine in resources(assembly, "AWS::StepFunctions::StateMachine")
    ]
    assert len(definitions) >= 3
    arguments: list[str | Path] = []
    for number, definition in enumerate(definitions):
        path = tmp_path / f"{number}.json"
        path.write_text(_without_tokens(definition))
        arguments += ["--json-path", path]
    result = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "asl-validator", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("is valid") == len(definitions), result.stdout


def _without_tokens(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_without_tokens(part) for part in parts)
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Fn::GetAtt": _}:
            return "arn:aws:states:us-east-1:000000000000:stateMachine:other"
    return "token"


def test_nothing_is_allowed_that_is_not_named(assembly: Path) -> None:
    for kind in ("AWS::IAM::Policy", "AWS::IAM::Role"):
        for resource in resources(assembly, kind):
            properties = resource["Properties"]
            documents = [
                properties.get("PolicyDocument"),
                *(p["PolicyDocument"] for p in properties.get("Policies", [])),
            ]
            for document in filter(None, documents):
                for statement in document["Statement"]:
                    actions = statement["Action"]
                    for action in [actions] if isinstance(actions, str) else actions:
                        assert "*" not in action, action
            assert "ManagedPolicyArns" not in properties


def test_roles_are_passed_to_personalize_only(assembly: Path) -> None:
    passing = [
        statement
        for policy in resources(assembly, "AWS::IAM::Policy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "iam:PassRole" in statement["Action"]
    ]
    assert passing
    for statement in passing:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}


def test_synthesis_is_the_same_from_any_folder(tmp_path: Path) -> None:
    """Byte for byte, and without Docker or network: both would need a program or proxy that is not there."""
    found: list[dict[str, bytes]] = []
    for name in ("one", "another-folder"):
        folder = tmp_path / name
        folder.mkdir()
        for source in SOURCES:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, folder / source)
        environment = {key: value for key, value in os.environ.items() if not re.match("AWS_|PYTHONPATH", key)}
        environment |= {
            "CDK_OUTDIR": str(folder / "cdk.out"),
            "CDK_DOCKER": "/nonexistent/docker",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "PYTHONPATH": str(folder / "constructs"),
        }
        subprocess.run([sys.executable, "app.py"], cwd=folder, env=environment, check=True, timeout=120)
        found.append({path.name: path.read_bytes() for path in sorted((folder / "cdk.out").glob("*.template.json"))})
    assert found[0].keys() == found[1].keys()
    assert {name for name in found[0] if found[0][name] != found[1][name]} == set()


@pytest.mark.parametrize("assembly", ["everything"], indirect=True)
def test_roles_have_the_other_statements_of_the_data_and_no_policies_but_those(assembly: Path) -> None:
    found = [policy for _, template in templates(assembly) for policy in others(template).items()]
    assert {other for _, listed in found for other in listed} == OTHERS
    for policy, listed in found:
        part = part_of(policy)
        if part not in OF_DIFFERENT_KINDS:
            assert listed == sorted(other for other in OTHERS if other.part == part), policy
    for role in resources(assembly, "AWS::IAM::Role"):
        assert not {"ManagedPolicyArns", "Policies"} & role["Properties"].keys()


@pytest.mark.parametrize("assembly", ["everything"], indirect=True)
def test_every_service_role_may_use_the_keys_of_what_it_works_on(assembly: Path) -> None:
    found = {name.removesuffix(".template.json"): key_grants(template) for name, template in templates(assembly)}
    assert found == {stack: sorted(granted) for stack, granted in KEY_GRANTS.items()}
