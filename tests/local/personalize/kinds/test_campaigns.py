from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from personalize_local.personalize import Settings, Uncertain

from ..films import scope_of
from ..support import Builder, Cloud, interactions_csv

SETTINGS = Settings(time_scale=1, quotas={"campaigns_per_dataset_group": 50, "solutions_per_dataset_group": 50})


class Trained(Builder):
    """A group with a solution and a version.

    :ivar test: what names start with.
    """

    test = ""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.group_arn = self.group()
        self.import_csv(self.dataset(self.group_arn), interactions_csv())
        self.solution_arn = self.solution(self.group_arn)
        self.version_arn = self.version(self.solution_arn)

    def campaign(self, version: str, name: str = "live", **arguments: Any) -> str:
        """Make a campaign of this test."""
        return super().campaign(version, self.named(name), **arguments)

    def named(self, name: str) -> str:
        """Give the name that something has in this test."""
        return f"{self.test[:50]}-{name}".lstrip("-")

    def updated(self, campaign: str) -> dict[str, object]:
        """Wait until the update of a campaign has come through."""
        found = self.wait("campaign", campaign)
        while found["latestCampaignUpdate"]["status"] not in ("ACTIVE", "CREATE FAILED"):
            self.cloud.advance(3600)
            found = self.wait("campaign", campaign)
        return found


@pytest.fixture(scope="module")
def once() -> Iterator[Trained]:
    """Trained once, since that is what takes time."""
    cloud = Cloud(SETTINGS)
    yield Trained(cloud)
    cloud.service.close()


@pytest.fixture
def trained(once: Trained, request: pytest.FixtureRequest) -> Trained:
    """What was trained once, for campaigns named after the test."""
    once.cloud.service.admin("forget_faults", {})
    once.test = request.node.name.removeprefix("test_").replace("_", "-")
    return once


def test_defaults(trained: Trained) -> None:
    found = trained.wait("campaign", trained.campaign(trained.version_arn))
    assert found["minProvisionedTPS"] == 1
    assert found["solutionVersionArn"] == trained.version_arn
    assert "latestCampaignUpdate" not in found


def test_an_update_leaves_the_rest(trained: Trained) -> None:
    client = trained.personalize
    configuration = {"enableMetadataWithRecommendations": True}
    campaign = trained.campaign(trained.version_arn, campaignConfig=configuration)
    client.update_campaign(campaignArn=campaign, minProvisionedTPS=3)
    updating = client.describe_campaign(campaignArn=campaign)["campaign"]
    assert (updating["status"], updating["minProvisionedTPS"]) == ("ACTIVE", 1)
    assert updating["latestCampaignUpdate"]["status"] == "CREATE PENDING"
    assert updating["latestCampaignUpdate"]["minProvisionedTPS"] == 3
    for refused in (client.update_campaign, client.delete_campaign):
        with pytest.raises(client.exceptions.ResourceInUseException, match="CREATE"):
            refused(campaignArn=campaign)
    found = trained.updated(campaign)
    assert found["minProvisionedTPS"] == 3
    assert found["solutionVersionArn"] == trained.version_arn
    assert found["campaignConfig"] == configuration


def test_the_old_version_serves_until_the_update_is_through(trained: Trained) -> None:
    campaign = trained.campaign(trained.version_arn)
    version = trained.version(trained.solution_arn)
    trained.personalize.update_campaign(campaignArn=campaign, solutionVersionArn=version)
    for _ in range(20):
        assert trained.cloud.runtime.get_recommendations(campaignArn=campaign, userId="u0")["itemList"]
    assert trained.updated(campaign)["solutionVersionArn"] == version


def test_a_version_of_another_solution(trained: Trained) -> None:
    client = trained.personalize
    solutions = [trained.solution(trained.group_arn, name) for name in ("first", "second")]
    versions = [trained.version(solution) for solution in solutions]
    campaign = trained.campaign(versions[0])
    client.update_campaign(campaignArn=campaign, solutionVersionArn=versions[1])
    for solution in solutions:
        with pytest.raises(client.exceptions.ResourceInUseException, match=campaign):
            client.delete_solution(solutionArn=solution)
    assert trained.updated(campaign)["solutionVersionArn"] == versions[1]
    client.delete_solution(solutionArn=solutions[0])
    with pytest.raises(client.exceptions.ResourceInUseException, match=campaign):
        client.delete_solution(solutionArn=solutions[1])


def test_a_version_of_another_solution_refused(make_cloud: Callable[..., Cloud]) -> None:
    uncertain = Uncertain(update_campaign_across_solutions=False)
    trained = Trained(make_cloud(Settings(uncertain=uncertain)))
    campaign = trained.campaign(trained.version_arn)
    version = trained.version(trained.solution(trained.group_arn, "other"))
    with pytest.raises(trained.personalize.exceptions.InvalidInputException, match=r"serves the solution .*picks"):
        trained.personalize.update_campaign(campaignArn=campaign, solutionVersionArn=version)


def test_a_failed_update_leaves_the_old(trained: Trained) -> None:
    campaign = trained.campaign(trained.version_arn)
    trained.cloud.service.admin("fail", {"operation": "UpdateCampaign", "failure_reason": "no capacity"})
    trained.personalize.update_campaign(campaignArn=campaign, minProvisionedTPS=9)
    found = trained.updated(campaign)
    assert (found["status"], found["minProvisionedTPS"]) == ("ACTIVE", 1)
    update = found["latestCampaignUpdate"]
    assert (update["status"], update["failureReason"]) == ("CREATE FAILED", "no capacity")  # type: ignore[index]
    trained.personalize.update_campaign(campaignArn=campaign, minProvisionedTPS=2)
    assert trained.updated(campaign)["minProvisionedTPS"] == 2


def test_a_failed_campaign_can_be_updated(trained: Trained) -> None:
    trained.cloud.service.admin("fail", {"operation": "CreateCampaign", "failure_reason": "no capacity"})
    campaign = trained.personalize.create_campaign(name=trained.named("live"), solutionVersionArn=trained.version_arn)[
        "campaignArn"
    ]
    assert trained.wait("campaign", campaign, until=("CREATE FAILED",))["failureReason"] == "no capacity"
    trained.personalize.update_campaign(campaignArn=campaign, minProvisionedTPS=2)
    found = trained.wait("campaign", campaign, until=("ACTIVE", "CREATE FAILED"))
    while found["status"] == "CREATE FAILED":
        trained.cloud.advance(3600)
        found = trained.wait("campaign", campaign, until=("ACTIVE", "CREATE FAILED"))
    assert "failureReason" not in found
    assert found["minProvisionedTPS"] == 2


def test_latest(trained: Trained) -> None:
    solution = trained.solution(trained.group_arn, "growing")
    first = trained.version(solution)
    latest = f"{solution}/$LATEST"
    follows = trained.campaign(latest, "follows", campaignConfig={"syncWithLatestSolutionVersion": True})
    stays = trained.campaign(latest, "stays")
    assert trained.wait("campaign", follows)["solutionVersionArn"] == first
    version = trained.version(solution)
    assert trained.updated(follows)["solutionVersionArn"] == version
    assert "latestCampaignUpdate" not in trained.wait("campaign", stays)
    trained.personalize.update_campaign(campaignArn=stays, solutionVersionArn=latest)
    assert trained.updated(stays)["solutionVersionArn"] == version


def test_versions_that_come_while_a_campaign_is_busy_are_not_missed(trained: Trained) -> None:
    client, cloud = trained.personalize, trained.cloud
    solution = trained.solution(trained.group_arn, "hurrying")
    trained.version(solution)

    def meanwhile(act: Callable[[], Any]) -> str:
        """Do something that takes ten minutes; a version of twenty that began before is ready in between."""
        version: str = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        cloud.advance(15 * 60)
        act()
        cloud.advance(6 * 60)
        while client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]["status"] != "ACTIVE":
            time.sleep(0.01)
        return version

    name = trained.named("live")
    sync = {"syncWithLatestSolutionVersion": True}
    second = meanwhile(
        lambda: client.create_campaign(name=name, solutionVersionArn=f"{solution}/$LATEST", campaignConfig=sync)
    )
    campaign = client.list_campaigns(solutionArn=solution)["campaigns"][0]["campaignArn"]
    trained.wait("campaign", campaign)
    assert trained.updated(campaign)["solutionVersionArn"] == second
    third = meanwhile(lambda: client.update_campaign(campaignArn=campaign, minProvisionedTPS=2))
    found = client.describe_campaign(campaignArn=campaign)["campaign"]
    assert (found["latestCampaignUpdate"]["status"], found["solutionVersionArn"]) == ("CREATE IN_PROGRESS", second)
    while found["solutionVersionArn"] != third:
        cloud.advance(60)
        found = client.describe_campaign(campaignArn=campaign)["campaign"]
    assert found["minProvisionedTPS"] == 2


def test_how_the_latest_version_is_reported(make_cloud: Callable[..., Cloud]) -> None:
    trained = Trained(make_cloud(Settings(uncertain=Uncertain(campaign_reports_resolved_version=False))))
    latest = f"{trained.solution_arn}/$LATEST"
    follows, stays = trained.campaign(latest, "follows"), trained.campaign(trained.version_arn, "stays")
    assert trained.wait("campaign", follows)["solutionVersionArn"] == latest
    assert trained.wait("campaign", stays)["solutionVersionArn"] == trained.version_arn


def test_a_refused_update_changes_nothing(trained: Trained) -> None:
    client = trained.personalize
    campaign = trained.campaign(trained.version_arn)
    wrong = {"itemExplorationConfig": {"explorationWeight": "1"}}
    with pytest.raises(client.exceptions.InvalidInputException, match="itemExplorationConfig"):
        client.update_campaign(
            campaignArn=campaign, solutionVersionArn=f"{trained.solution_arn}/$LATEST", campaignConfig=wrong
        )
    sync = {"syncWithLatestSolutionVersion": True}
    with pytest.raises(client.exceptions.InvalidInputException, match=r"ends with /\$LATEST"):
        client.update_campaign(campaignArn=campaign, campaignConfig=sync)


@pytest.mark.parametrize(
    ("recipe", "configuration", "message"),
    [
        ("aws-user-personalization", {"itemExplorationConfig": {"explorationWeight": "0.5"}}, None),
        ("aws-user-personalization", {"itemExplorationConfig": {"explorationItemAgeCutOff": "1"}}, None),
        (
            "aws-user-personalization",
            {"itemExplorationConfig": {"explorationWeight": "1.5"}},
            "from 0.0 to 1.0, got 1.5",
        ),
        ("aws-user-personalization", {"itemExplorationConfig": {"explorationWeight": "much"}}, "got much"),
        ("aws-user-personalization", {"itemExplorationConfig": {"explorationWeight": "nan"}}, "got nan"),
        ("aws-user-personalization", {"itemExplorationConfig": {"explorationItemAgeCutOff": "-1"}}, "got -1"),
        ("aws-user-personalization", {"itemExplorationConfig": {"explorationItemAgeCutOff": "0"}}, "from 1.0 to inf"),
        ("aws-user-personalization", {"itemExplorationConfig": {"exploration_weight": "1"}}, "got exploration_weight"),
        ("aws-user-personalization-v2", {"itemExplorationConfig": {"explorationWeight": "0.5"}}, "does not support"),
        ("aws-user-personalization", {"rankingInfluence": {"POPULARITY": 0.5}}, "does not support rankingInfluence"),
        ("aws-semantic-similarity", {"rankingInfluence": {"POPULARITY": 0.5}}, None),
        ("aws-semantic-similarity", {"rankingInfluence": {"POPULARITY": 1.5}}, "less than or equal to 1"),
        ("aws-semantic-similarity", {"rankingInfluence": {"AGE": 0.5}}, "POPULARITY, FRESHNESS"),
        ("aws-semantic-similarity", {"rankingInfluence": {"FRESHNESS": 0.5}}, "needs the column CREATION_TIMESTAMP"),
        ("aws-item-affinity", {}, "cannot serve solution versions of the recipe aws-item-affinity"),
    ],
)
def test_configuration_has_to_go_with_the_recipe(
    trained: Trained, recipe: str, configuration: dict[str, Any], message: str | None
) -> None:
    scope = scope_of(trained.cloud)
    known = scope.get("SolutionVersion", trained.version_arn)
    arn = f"arn:aws:personalize:::recipe/{recipe}"
    version = replace(known, arn=f"{known.arn}-{recipe}", attributes={**known.attributes, "recipeArn": arn})
    scope.add(version)
    client = trained.personalize
    if message is None:
        campaign = client.create_campaign(
            name=f"c{uuid.uuid4().hex}", solutionVersionArn=version.arn, campaignConfig=configuration
        )["campaignArn"]
        assert trained.wait("campaign", campaign)["campaignConfig"] == configuration
    else:
        with pytest.raises(client.exceptions.InvalidInputException, match=message):
            client.create_campaign(name="c", solutionVersionArn=version.arn, campaignConfig=configuration)


def test_what_is_refused(trained: Trained) -> None:
    client = trained.personalize
    untrained = trained.solution(trained.group_arn, "untrained")
    sync = {"campaignConfig": {"syncWithLatestSolutionVersion": True}}
    explore = {"campaignConfig": {"itemExplorationConfig": {"explorationWeight": "0.3"}}}
    for code, arguments, message in (
        ("InvalidInputException", {"solutionVersionArn": trained.version_arn, **sync}, r"ends with /\$LATEST"),
        ("InvalidInputException", {"solutionVersionArn": trained.version_arn, **explore}, "itemExplorationConfig"),
        ("ResourceNotFoundException", {"solutionVersionArn": f"{untrained}/$LATEST"}, "has no ACTIVE"),
    ):
        with pytest.raises(getattr(client.exceptions, code), match=message):
            client.create_campaign(name="c", **arguments)
