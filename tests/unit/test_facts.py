"""What the service allows: in one place, with its source, and as AWS's own model has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import botocore.session
import pytest

import cdk_personalize
from cdk_personalize.facts import fields, hyperparameters, limits, names
from cdk_personalize.facts.limits import Limit, Range
from cdk_personalize.facts.names import Names, Pattern
from cdk_personalize.facts.source import Source
from cdk_personalize.recipe import RECIPES
from personalize_lambda.workflow.csv_rules import DOUBTFUL_MINIMUM_RECORDS, MINIMUM_RECORDS
from personalize_local.personalize.resources import NUMBERS, QUOTAS

ROOT = Path(cdk_personalize.__file__).parent
NUMBERS_OF_OUR_OWN = {
    "workflow/history.py": "what Step Functions allows, and what a dataset group may hold at first",
    "workflow/polling.py": "how the workflow waits; a choice of this library",
}
"""Modules with numbers that AWS does not set."""

_MODEL = botocore.session.get_session().get_service_model("personalize")


def sources() -> Iterator[tuple[str, Source]]:
    for module in (limits, names):
        for name, value in vars(module).items():
            if isinstance(value, (Limit, Range, Names, Pattern)):
                yield name, value.source
    for recipe, known in hyperparameters.HYPERPARAMETERS.items():
        yield recipe, known.source
    for domain, rules in fields.DATASET_RULES.items():
        for dataset_type, rule in rules.items():
            yield f"{domain} {dataset_type}", rule.source


@pytest.mark.parametrize(("name", "source"), list(sources()))
def test_every_fact_has_a_source_and_a_date(name: str, source: Source) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.html", source.page)
    assert source.url == f"https://docs.aws.amazon.com/personalize/latest/dg/{source.page}"
    assert date(2023, 1, 1) <= date.fromisoformat(source.date)


def test_every_fact_of_the_modules_is_one_with_a_source() -> None:
    bare = {
        f"{module.__name__}.{name}"
        for module in (limits, names)
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and not isinstance(value, (Limit, Range, Names, Pattern, str))
    }
    assert bare == set()
    assert set(hyperparameters.HYPERPARAMETERS) == {name for name, recipe in RECIPES.items() if recipe.hyperparameters}


@pytest.mark.parametrize(
    ("name", "limit"), [(name, value) for name, value in vars(limits).items() if getattr(value, "shape", None)]
)
def test_what_the_api_model_says_is_what_stands_here(name: str, limit: Limit | Range) -> None:
    assert limit.shape is not None
    metadata = _MODEL.shape_for(limit.shape).metadata
    if isinstance(limit, Range):
        assert (limit.minimum, limit.maximum) == (metadata["min"], metadata.get("max"))
    else:
        assert limit == metadata["max"]


@pytest.mark.parametrize("pattern", [names.NAME, names.COLUMN])
def test_patterns_are_those_of_the_api_model(pattern: Pattern) -> None:
    documented = _MODEL.shape_for(pattern.shape).metadata["pattern"].removeprefix("^")

    assert re.sub(r"\{.*\}$", "*", pattern.pattern) == documented


def test_domains_and_influences_are_those_of_the_api_model() -> None:
    assert list(names.DOMAINS.names) == sorted(_MODEL.shape_for("Domain").enum)
    assert sorted(names.RANKING_INFLUENCES.names) == sorted(_MODEL.shape_for("RankingInfluenceType").enum)


def test_no_other_module_has_limits() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in ROOT.rglob("*.py")
        if "facts" not in path.parts and path.relative_to(ROOT).as_posix() not in NUMBERS_OF_OUR_OWN
        for name, value in _constants(path)
        if re.search(r"(^|_)(MAX|MIN|LIMIT|QUOTA|MAXIMUM|MINIMUM)(_|$)", name) and _is_number(value)
    }
    assert found == set(), "say it in cdk_personalize/facts, with its source"


def _constants(path: Path) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value


def _is_number(value: ast.expr) -> bool:
    return any(isinstance(one, ast.Constant) and isinstance(one.value, (int, float)) for one in ast.walk(value))


@pytest.mark.parametrize(
    ("quota", "limit"),
    [
        ("solutions_per_dataset_group", limits.SOLUTIONS_PER_DATASET_GROUP),
        ("campaigns_per_dataset_group", limits.CAMPAIGNS_PER_DATASET_GROUP),
        ("recommenders_per_dataset_group", limits.RECOMMENDERS_PER_DATASET_GROUP),
        ("filters_per_dataset_group", limits.FILTERS_PER_DATASET_GROUP),
        ("fields_of_all_filters_per_dataset_group", limits.FILTER_FIELDS_PER_DATASET_GROUP),
        ("tags_per_resource", limits.TAGS_PER_RESOURCE),
        ("min_interactions_to_train", limits.EVENTS_TO_TRAIN),
        ("min_records_per_interactions_import", limits.RECORDS_TO_IMPORT),
    ],
)
def test_the_local_cloud_has_the_same_quotas(quota: str, limit: Limit) -> None:
    assert {**{one.name: one.default for one in QUOTAS}, **NUMBERS}[quota] == limit


def test_the_check_before_an_import_asks_for_as_many_records() -> None:
    """The functions cannot import the facts."""
    assert {*MINIMUM_RECORDS.values(), *DOUBTFUL_MINIMUM_RECORDS.values()} == {limits.RECORDS_TO_IMPORT}


def test_the_defaults_of_hyperparameters_are_allowed() -> None:
    for known in hyperparameters.HYPERPARAMETERS.values():
        for parameter in known.parameters:
            if parameter.choices:
                assert parameter.default in parameter.choices
            else:
                default = float(parameter.default)
                assert parameter.minimum is not None
                assert parameter.minimum <= default <= (parameter.maximum or float("inf"))
