"""The wheel, as users get it: an app written in an empty folder synthesizes with it."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tools.synthesized import ROOT, synthesize, templates

APP = """\
import aws_cdk as cdk
import cdk_personalize as personalize

app = cdk.App()
stack = cdk.Stack(app, "Shop")
shop = personalize.DatasetGroup(stack, "Shop")
shop.add_interactions(schema=personalize.Schema.interactions())
shop.add_filter("InStock", expression='INCLUDE ItemID WHERE Items.STOCK > 0')
shop.add_items(schema=personalize.Schema.items(personalize.Field.int("STOCK")))
solution = shop.add_solution("ForYou", recipe=personalize.Recipe.USER_PERSONALIZATION_V2)
solution.add_campaign("Live")
personalize.Workflow(stack, "Workflow", dataset_group=shop)
app.synth()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app in a folder where nothing else is."""
    path = tmp_path_factory.mktemp("shop") / "app.py"
    path.write_text(APP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def synthesized(wheel: Path, app: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of the app, synthesized in an environment that holds the wheel and what it depends on."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
    outdir = tmp_path_factory.mktemp("from-wheel")
    synthesize(outdir, app=app, python=python, env=_clean_environment())
    return outdir


def test_an_app_in_an_empty_folder_synthesizes(synthesized: Path) -> None:
    (template,) = templates(synthesized).values()
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert {"Custom::PersonalizeDatasetGroup", "AWS::Personalize::Filter", "AWS::StepFunctions::StateMachine"} <= types


def test_the_wheel_carries_the_lambda_code_of_the_checkout(synthesized: Path, app: Path, tmp_path: Path) -> None:
    synthesize(tmp_path / "from-checkout", app=app)
    assert _asset_hashes(synthesized) == _asset_hashes(tmp_path / "from-checkout")


def test_the_template_does_not_depend_on_where_the_package_is(synthesized: Path, app: Path, tmp_path: Path) -> None:
    synthesize(tmp_path / "from-checkout", app=app)
    assert templates(synthesized) == templates(tmp_path / "from-checkout")


def test_the_wheel_contains_what_it_should(wheel: Path) -> None:
    _run(
        str(Path(sys.executable).with_name("check-wheel-contents")),
        "--toplevel",
        "cdk_personalize,personalize_local",
        str(wheel),
    )


def _asset_hashes(assembly: Path) -> set[str]:
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in assembly.glob("*.assets.json")]
    hashes = {asset for manifest in manifests for asset, told in manifest["files"].items() if _is_code(told)}
    assert hashes
    return hashes


def _is_code(told: dict[str, dict[str, str]]) -> bool:
    return told["source"]["packaging"] == "zip"


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "VIRTUAL_ENV"))}


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
