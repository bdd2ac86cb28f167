"""Warnings: each is given where it should be, only there, and stands in the docs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

import cdk_personalize as personalize
from cdk_personalize import Domain, Field, Recipe, Schema, Training, UseCase
from tests.unit.rules.rule import INTERACTIONS, ITEMS, fresh_id, problems, stack

ROOT = Path(personalize.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "validation.md"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
V2 = Recipe.USER_PERSONALIZATION_V2


class Shop:
    """A stack to declare things in."""

    def __init__(self, region: str = "eu-west-1") -> None:
        self.stack = stack(region)
        self._groups: list[personalize.DatasetGroup] = []

    def group(self, *schemas: Schema, domain: Domain | None = None, **arguments: object) -> personalize.DatasetGroup:
        """Add a dataset group with datasets of these schemas."""
        made = personalize.DatasetGroup(self.stack, fresh_id(), domain=domain, **arguments)  # type: ignore[arg-type]
        for schema in schemas:
            personalize.Dataset(made, fresh_id(), dataset_group=made, schema=schema)
        self._groups.append(made)
        return made

    def key(self) -> kms.IKey:
        """Return a key that is managed elsewhere."""
        return kms.Key.from_key_arn(self.stack, fresh_id(), KEY_ARN)

    def bucket(self, *, encrypted: bool = False) -> s3.IBucket:
        """Return a bucket that is managed elsewhere."""
        return s3.Bucket.from_bucket_attributes(
            self.stack, fresh_id(), bucket_name="films", encryption_key=self.key() if encrypted else None
        )

    def warnings(self) -> set[str]:
        """Return the ids of the warnings."""
        for group in self._groups:
            assert problems(group) == []
        said = [
            str(entry.data)
            for construct in self.stack.node.find_all()
            for entry in construct.node.metadata
            if entry.type == "aws:cdk:warning"
        ]
        return {one for text in said for one in re.findall(r"\[ack: cdk-personalize:(\w+)\]", text)}


def solution(recipe: Recipe = V2, training: Training | None = None, *schemas: Schema) -> Callable[[Shop], object]:
    """Return what declares a solution."""
    return lambda shop: shop.group(*(schemas or (INTERACTIONS,))).add_solution("X", recipe=recipe, training=training)


def campaign(training: Training | None = None, **arguments: object) -> Callable[[Shop], object]:
    """Return what declares a campaign."""
    return lambda shop: solution(V2, training)(shop).add_campaign("X", **arguments)  # type: ignore[attr-defined]


def granted(training: Training) -> Callable[[Shop], object]:
    """Return what lets somebody else train a solution."""

    def make(shop: Shop) -> None:
        role = iam.Role(shop.stack, "Role", assumed_by=iam.AccountRootPrincipal())
        solution(V2, training)(shop).grants.train(role)  # type: ignore[attr-defined]

    return make


def many(method: str, number: int) -> Callable[[Shop], object]:
    """Return what declares so many of something."""

    def make(shop: Shop) -> None:
        group = shop.group(INTERACTIONS, ITEMS)
        solution = group.add_solution("Solution", recipe=V2) if method == "campaign" else None
        for index in range(number):
            if solution is not None:
                solution.add_campaign(f"X{index}")
            elif method == "filter":
                group.add_filter(f"X{index}", expression=f"EXCLUDE ItemID WHERE Items.YEAR < {index}")
            else:
                group.add_solution(f"X{index}", recipe=V2)

    return make


def reported(*, elsewhere: bool) -> Callable[[Shop], object]:
    """Return what declares reports in a bucket."""

    def make(shop: Shop) -> None:
        group = shop.group(INTERACTIONS)
        group.add_metric_attribution(
            metrics=[personalize.AttributedMetric(event_type="watch", metric_name="watched")],
            report_bucket=shop.bucket() if elsewhere else group.data_bucket,
        )

    return make


def exported(*, elsewhere: bool) -> Callable[[Shop], object]:
    """Return what exports a dataset to a bucket."""

    def make(shop: Shop) -> None:
        group = shop.group(INTERACTIONS)
        bucket = shop.bucket() if elsewhere else group.data_bucket
        group.datasets[0].add_export_job("Export", job_output=personalize.S3Location(bucket, "export/"))

    return make


def themes(shop: Shop) -> None:
    """Declare a job of themes."""
    items = Schema.items(Field.string("TITLE"), Field.textual("PLOT"))
    shop.group(INTERACTIONS, items).add_solution("X", recipe=Recipe.SIMILAR_ITEMS).add_batch_inference_job(
        "Job", theme_generation=personalize.ThemeGeneration(item_name="TITLE")
    )


def recommender(**arguments: object) -> Callable[[Shop], object]:
    """Return what declares a recommender."""
    return lambda shop: shop.group(
        Schema.interactions(domain=Domain.ECOMMERCE), domain=Domain.ECOMMERCE
    ).add_recommender(
        "X",
        use_case=UseCase.MOST_VIEWED,
        **arguments,  # type: ignore[arg-type]
    )


def tracker(*schemas: Schema) -> Callable[[Shop], object]:
    """Return what declares an event tracker for datasets of these schemas."""
    return lambda shop: shop.group(*schemas).add_event_tracker()


DAILY = Training.automatic(every=cdk.Duration.days(1))
DATED = Schema.items(Field.int("YEAR"), creation_timestamp=True)

CASES: list[tuple[str, Callable[[Shop], object], Callable[[Shop], object]]] = [
    ("bucketPolicy", lambda s: s.group(ITEMS, data_bucket=s.bucket()), lambda s: s.group(ITEMS)),
    ("bucketEvents", lambda s: s.group(ITEMS, data_bucket=s3.Bucket(s.stack, "B")), lambda s: s.group(ITEMS)),
    (
        "keyPolicy",
        lambda s: s.group(ITEMS, data_bucket=s.bucket(encrypted=True)),
        lambda s: s.group(ITEMS, data_bucket=s.bucket()),
    ),
    ("bucketPolicyForReports", reported(elsewhere=True), reported(elsewhere=False)),
    (
        "encryptionKeyPolicy",
        lambda s: s.group(encryption_key=s.key()),
        lambda s: s.group(encryption_key=kms.Key(s.stack, "Key")),
    ),
    ("bucketPolicyForJobs", exported(elsewhere=True), exported(elsewhere=False)),
    ("campaignDoesNotFollow", campaign(DAILY), campaign(DAILY, follow_latest=True)),
    ("twoOwnersOfRetraining", granted(DAILY), granted(Training.manual())),
    ("legacyRecipe", solution(Recipe.HRNN), solution(Recipe.SIMS)),
    ("idleCapacity", campaign(min_provisioned_tps=2), campaign(min_provisioned_tps=1)),
    (
        "idleCapacity",
        recommender(min_recommendation_requests_per_second=2),
        recommender(min_recommendation_requests_per_second=2, running=False),
    ),
    (
        "noCreationTimestamp",
        solution(Recipe.USER_PERSONALIZATION, None, INTERACTIONS, ITEMS),
        solution(Recipe.USER_PERSONALIZATION, None, INTERACTIONS, DATED),
    ),
    ("eventTrackerWithoutInteractions", tracker(ITEMS), tracker(ITEMS, INTERACTIONS)),
    ("solutionsQuota", many("solution", 11), many("solution", 10)),
    ("campaignsQuota", many("campaign", 6), many("campaign", 5)),
    ("filtersQuota", many("filter", 31), many("filter", 30)),
]


@pytest.mark.parametrize(("warning", "doubtful", "sound"), CASES, ids=[case[0] for case in CASES])
def test_what_is_doubtful_has_a_warning(
    warning: str, doubtful: Callable[[Shop], object], sound: Callable[[Shop], object]
) -> None:
    for declare, expected in ((doubtful, True), (sound, False)):
        shop = Shop()
        declare(shop)
        assert (warning in shop.warnings()) is expected


@pytest.mark.parametrize(("region", "expected"), [("eu-north-1", {"region"}), ("eu-west-1", set())])
def test_a_region_without_the_service_has_a_warning(region: str, expected: set[str]) -> None:
    shop = Shop(region)
    shop.group()

    assert shop.warnings() == expected


@pytest.mark.parametrize(("region", "expected"), [("eu-west-1", {"themeRegion"}), ("us-east-1", set())])
def test_a_region_without_themes_has_a_warning(region: str, expected: set[str]) -> None:
    shop = Shop(region)
    themes(shop)

    assert shop.warnings() == expected


def test_the_docs_have_every_warning_and_no_other() -> None:
    in_page = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    patterns = set(_ids_in_code())

    assert in_page == sorted(in_page)
    assert {one for one in in_page if not any(re.fullmatch(pattern, one) for pattern in patterns)} == set()
    assert {pattern for pattern in patterns if not any(re.fullmatch(pattern, one) for one in in_page)} == set()
    assert set(in_page) == {case[0] for case in CASES} | {"region", "themeRegion"}


def _ids_in_code() -> Iterator[str]:
    """Return a pattern for the id of every warning in the source."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_warning_v2":
                parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in parts)
                yield text.removeprefix("cdk-personalize:")
