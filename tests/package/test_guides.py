"""The guides tell the truth: what they declare is synthesized, and the local cloud answers what they ask."""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Duration

import cdk_personalize as personalize
from personalize_local.personalize import Settings
from tests.local.personalize.support import Builder, Cloud
from tools import reference
from tools.documents import DOCS, blocks

GUIDES = {path.name: path for path in sorted((DOCS / "guides").glob("*.md")) if path.name != "README.md"}
CAPABILITIES = (
    "recently watched",
    "a brand",
    "trending news",
    "family-safe",
    "revenue",
    "watch time",
    "e-mail",
    "segments",
    "new items",
    "users whom nobody knows",
    "promotions",
    "contextual metadata",
    "encryption",
    "private access",
    "retraining",
    "export",
    "deletion of users",
)

INTERACTIONS = personalize.Schema.interactions(personalize.Field.categorical("DEVICE"), event_type=True)
ITEMS = personalize.Schema.items(
    personalize.Field.categorical("GENRES"),
    personalize.Field.categorical("BRAND"),
    personalize.Field.categorical("RATING"),
    personalize.Field.float("PRICE"),
    personalize.Field.int("YEAR"),
    creation_timestamp=True,
)
USERS = personalize.Schema.users(personalize.Field.int("AGE"), personalize.Field.categorical("COUNTRY"))


class Shop:
    """A dataset group with data that has the columns of all guides, and what a guide declares made in it."""

    def __init__(self) -> None:
        # each guide is an app of its own, which here share one dataset group
        self.cloud = Cloud(Settings(quotas={"solutions_per_dataset_group": 30}))
        self._build = Builder(self.cloud)
        self._group = self._build.group("shop")
        for schema, text in ((INTERACTIONS, _interactions()), (ITEMS, _items()), (USERS, _users())):
            kind = schema.dataset_type.api_name
            self._build.import_csv(self._build.dataset(self._group, kind, schema.document), text, name=kind.lower())

    def deploy(self, app: App, prefix: str) -> dict[str, str]:
        """Make filters, solutions and campaigns of an app, and give their ARNs by construct id."""
        arns: dict[str, str] = {}
        for construct in app.node.find_all():
            name = f"{prefix}-{construct.node.id}"
            if isinstance(construct, personalize.Filter):
                arns[construct.node.id] = self._filter(name, construct.expression)
            elif isinstance(construct, personalize.Solution):
                recipe = f"arn:aws:personalize:::{construct.recipe.resource}"
                solution = self._build.solution(self._group, name, **{**construct.configuration, "recipeArn": recipe})
                arns[construct.node.id] = solution
                version = self._build.version(solution)
                for campaign in construct.campaigns:
                    arns[campaign.node.id] = self._build.campaign(
                        version, f"{prefix}-{campaign.node.id}", **campaign.configuration
                    )
        return arns

    def close_campaigns(self) -> None:
        """Delete the campaigns, since only a few are allowed at a time."""
        for campaign in self.cloud.personalize.list_campaigns()["campaigns"]:
            self.cloud.personalize.delete_campaign(campaignArn=campaign["campaignArn"])

    def _filter(self, name: str, expression: str) -> str:
        request = {"name": name, "datasetGroupArn": self._group, "filterExpression": expression}
        arn: str = self.cloud.personalize.create_filter(**request)["filterArn"]
        self._build.wait("filter", arn)
        return arn


def _interactions() -> str:
    chance = random.Random(1)
    rows = ["USER_ID,ITEM_ID,TIMESTAMP,DEVICE,EVENT_TYPE"]
    for number in range(1200):
        user, device = number % 50, chance.choice(("telephone", "television"))
        rows.append(f"u{user},i{chance.randrange(40)},{int(time.time()) - number * 600},{device},watch")
    return "\n".join(rows) + "\n"


def _items() -> str:
    rows = ["ITEM_ID,GENRES,BRAND,RATING,PRICE,YEAR,CREATION_TIMESTAMP"]
    for item in range(40):
        genre, brand, rating = (
            ("Drama", "Comedy")[item % 2],
            ("acme", "globex", "other")[item % 3],
            ("ALL", "18")[item % 2],
        )
        rows.append(f"i{item},{genre},{brand},{rating},{item}.5,{1990 + item},{int(time.time()) - item * 43_200}")
    return "\n".join(rows) + "\n"


def _users() -> str:
    rows = (f"u{user},{15 + user},{('FR', 'DE')[user % 2]}" for user in range(50))
    return "\n".join(["USER_ID,AGE,COUNTRY", *rows]) + "\n"


@pytest.fixture(scope="module")
def whole_shop() -> Shop:
    return Shop()


@pytest.fixture
def shop(whole_shop: Shop) -> Iterator[Shop]:
    """The shop, without campaigns."""
    yield whole_shop
    whole_shop.close_campaigns()


@pytest.fixture
def namespace() -> Iterator[dict[str, Any]]:
    """What a guide's code has made by the end of the test."""
    made: dict[str, Any] = {}
    yield made
    if "app" in made:
        shutil.rmtree(made["app"].outdir, ignore_errors=True)


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_runs(name: str, shop: Shop, namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", shop.cloud.client)
    declaration, *calls = blocks(GUIDES[name], "python")
    exec(compile(declaration, f"{name}, declaration", "exec"), namespace)
    namespace["arns"] = shop.deploy(namespace["app"], GUIDES[name].stem)
    for number, call in enumerate(calls):
        namespace.pop("answer", None)
        exec(compile(call, f"{name}, call {number}", "exec"), namespace)
        if "answer" in namespace:
            assert namespace["answer"]["itemList"], f"{name}, call {number}: no items"


def test_every_guide_is_listed() -> None:
    index = (DOCS / "guides" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w[\w-]*\.md)\)", index)) == set(GUIDES)


def test_every_capability_has_a_guide() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in GUIDES.values())
    headings = "\n".join(re.findall(r"^#+ (.*)", text, re.MULTILINE)).lower()
    assert [capability for capability in CAPABILITIES if capability not in headings] == []


@pytest.mark.parametrize("path", GUIDES.values(), ids=lambda path: path.stem)
def test_a_guide_says_what_to_look_out_for_and_where_to_read_on(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "## Look out for" in text
    assert "https://docs.aws.amazon.com/personalize/" in text.rpartition("AWS:")[2]


def test_examples_in_docstrings_run() -> None:
    names: dict[str, Any] = {"Duration": Duration}
    names |= {name: getattr(personalize, name) for name in personalize.__all__}
    for module in reference.modules():
        for entry in reference.entries(module):
            for example in reference.examples(entry.text):
                exec(compile(example, entry.path, "exec"), dict(names))
