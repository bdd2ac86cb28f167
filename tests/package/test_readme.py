"""The documentation tells the truth: its code runs, its commands and links exist."""

import re
from pathlib import Path

import pytest

from tools.documents import blocks
from tools.synthesized import ROOT, synthesize, templates

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_readme_shows_an_app_of_fifteen_lines_that_synthesizes(tmp_path: Path) -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    app = tmp_path / "app.py"
    app.write_text(code, encoding="utf-8")
    synthesize(tmp_path / "cdk.out", app=app)
    (template,) = templates(tmp_path / "cdk.out").values()
    types = [resource["Type"] for resource in template["Resources"].values()]
    assert types.count("Custom::PersonalizeDataset") == 2
    assert "AWS::StepFunctions::StateMachine" in types


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_in_documents_compiles(path: Path) -> None:
    for number, code in enumerate(blocks(path, "python")):
        compile(code, f"{path.name}, block {number}", "exec")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_in_documents_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = "\n".join([*blocks(path, "sh"), *re.findall(r"`([^`\n]+)`", text)])
    named = {target for line in re.findall(r"\bmake ((?:[a-z]+ ?)+)", code) for target in line.split()}
    declared = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= declared


def test_every_page_is_listed() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index.read_text("utf-8"))}
    assert [path.name for path in sorted(index.parent.glob("*.md")) if path != index and path not in listed] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if not target.startswith("https://")]
    assert [target for target in local if not (path.parent / target).exists()] == []
