"""Campaigns: what serves recommendations in real time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import jsii
from aws_cdk import Annotations, Duration, IResolvable, IResource, ITaggableV2, Resource, TagManager, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize import _grants
from cdk_personalize._capacity import check_requests, warn_of_idle_requests
from cdk_personalize._imported import Imported
from cdk_personalize._names import check_name, personalize_arn, physical_name
from cdk_personalize._tags import ResourceTags
from cdk_personalize._text import text
from cdk_personalize.facts import limits
from cdk_personalize.facts.names import RANKING_INFLUENCES
from cdk_personalize.metrics import RequestMetrics, metrics_of_campaign
from cdk_personalize.recipe import RecipeType

if TYPE_CHECKING:
    from cdk_personalize.schema import Schema
    from cdk_personalize.solution import Solution

RESOURCE_TYPE: Final = "AWS::Personalize::Campaign"
"""What ``include_resource_types`` and ``exclude_resource_types`` of tags are compared with."""

REPLACE_WITH_SOLUTION: Final = "cdk-personalize:replaceCampaignWithSolution"
"""Context key. When true, the name of a campaign carries the hash of its solution, so that another solution gets a
campaign of its own. It is for the case that the service refuses to update a campaign to a version of another solution.
Default: - false"""

_GRANT_OF: Final = {
    RecipeType.PERSONALIZED_RANKING: "get_personalized_ranking",
    RecipeType.PERSONALIZED_ACTIONS: "get_action_recommendations",
}


@dataclass(frozen=True, kw_only=True)
class ItemExploration:
    """How much a campaign recommends items that little is known of.

    :param weight: From 0 (nothing is explored) to 1. Default: - 0.3, as the service sets it
    :param item_age_cut_off: Up to which age an item is explored, in whole days.
        Default: - 30 days, as the service sets it
    """

    weight: float | None = None
    item_age_cut_off: Duration | None = None

    def render(self) -> dict[str, str]:
        """Return the members of the API.

        :raises ValueError: When a value is not allowed.
        """
        config = {}
        if self.weight is not None:
            if not Token.is_unresolved(self.weight) and self.weight not in limits.EXPLORATION_WEIGHT:
                raise ValueError(f"weight of item_exploration must be from 0 to 1, got {self.weight}")
            config["explorationWeight"] = text(self.weight)
        if self.item_age_cut_off is not None:
            if self.item_age_cut_off.is_unresolved():
                return {**config, "explorationItemAgeCutOff": text(self.item_age_cut_off.to_days())}
            days = self.item_age_cut_off.to_days(integral=False)
            if days not in limits.EXPLORATION_DAYS or days != int(days):
                raise ValueError(f"item_age_cut_off must be whole days, at least 1, got {days:g} days")
            config["explorationItemAgeCutOff"] = f"{days:g}"
        return config


class ICampaign(IResource, Protocol):
    """A campaign, whether declared here or elsewhere."""

    @property
    def campaign_arn(self) -> str:
        """ARN of the campaign."""
        ...

    @property
    def campaign_name(self) -> str:
        """Name of the campaign."""
        ...

    @property
    def grants(self) -> CampaignGrants:
        """What can be allowed on the campaign."""
        ...

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the requests that it answers."""
        ...


class CampaignGrants:
    """Permissions to ask a campaign for recommendations."""

    def __init__(self, campaign_arn: str, recipe_type: RecipeType | None = None) -> None:
        """Grant permissions on a campaign.

        :param campaign_arn: ARN of the campaign.
        :param recipe_type: What its solution produces. Default: - unknown, everything can be granted
        """
        self._campaign_arn = campaign_arn
        self._recipe_type = recipe_type

    def get_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to ask for recommendations of items.

        :param grantee: Who is allowed.
        :raises ValueError: When the campaign's recipe answers another request.
        """
        self._check("get_recommendations")
        return _grants.grant(grantee, _grants.GET_RECOMMENDATIONS, self._campaign_arn)

    def get_personalized_ranking(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to have a list of items ranked.

        :param grantee: Who is allowed.
        :raises ValueError: When the campaign's recipe answers another request.
        """
        self._check("get_personalized_ranking")
        return _grants.grant(grantee, _grants.GET_PERSONALIZED_RANKING, self._campaign_arn)

    def get_action_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to ask for recommendations of actions.

        :param grantee: Who is allowed.
        :raises ValueError: When the campaign's recipe answers another request.
        """
        self._check("get_action_recommendations")
        return _grants.grant(grantee, _grants.GET_ACTION_RECOMMENDATIONS, self._campaign_arn)

    def _check(self, name: str) -> None:
        if self._recipe_type is None:
            return
        answered = _GRANT_OF.get(self._recipe_type, "get_recommendations")
        if name != answered:
            raise ValueError(
                f"a campaign of a recipe of type {self._recipe_type.value} does not answer what {name} allows, "
                f"use {answered}"
            )


class _ImportedCampaign(Imported):
    KIND = "campaign"

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        arn: str | None = None,
        name: str = "",
        recipe_type: RecipeType | None = None,
    ) -> None:
        super().__init__(scope, id, arn=arn, name=name)
        self._recipe_type = recipe_type

    @property
    def campaign_arn(self) -> str:
        return self._arn

    @property
    def campaign_name(self) -> str:
        return self._name

    @property
    def grants(self) -> CampaignGrants:
        return CampaignGrants(self._arn, self._recipe_type)

    @property
    def metrics(self) -> RequestMetrics:
        return metrics_of_campaign(self._arn, self._recipe_type)


@jsii.implements(ITaggableV2)
class Campaign(Resource):
    """A campaign: serves the newest version of a solution that passed.

    The campaign is made and updated by the workflow of the dataset group; its name and ARN stay the same, so clients
    need not change. It is billed for as long as it exists.

    See https://docs.aws.amazon.com/personalize/latest/dg/campaigns.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        solution: Solution,
        campaign_name: str | None = None,
        min_provisioned_tps: int = 1,
        item_exploration: ItemExploration | None = None,
        metadata_with_recommendations: bool | None = None,
        ranking_influence: Mapping[str, float] | None = None,
        follow_latest: bool = False,
    ) -> None:
        """Declare the campaign.

        :param scope: Parent.
        :param id: Construct id.
        :param solution: The solution that it serves.
        :param campaign_name: Its name. Default: - a name derived from the construct path
        :param min_provisioned_tps: Requests a second that are always provisioned, and billed. Default: - 1
        :param item_exploration: How much is explored. Default: - as the service sets it
        :param metadata_with_recommendations: Whether responses can hold item metadata. Default: - as the service does
        :param ranking_influence: Weights from 0 to 1 of ``POPULARITY`` and ``FRESHNESS``. Default: - none
        :param follow_latest: Whether the service lets it serve every new version as soon as it is trained, whoever
            trains it. Default: - the workflow lets it serve new versions, in its next run
        :raises ValueError: When a value is not allowed, or the recipe does not allow it.
        """
        check_name("campaign_name", campaign_name)
        recipe = solution.recipe
        if not recipe.realtime:
            raise ValueError(f"the recipe {recipe.name} of {solution.node.path!r} works in batch only; no campaign")
        check_requests("min_provisioned_tps", min_provisioned_tps)
        if item_exploration is not None and not recipe.exploration:
            raise ValueError(f"item_exploration is not available with the recipe {recipe.name}")
        if ranking_influence and recipe.known and not recipe.ranking_influence:
            raise ValueError(f"ranking_influence is not available with the recipe {recipe.name}")
        if follow_latest and solution.quality_gate is not None:
            raise ValueError(
                f"follow_latest lets the service serve every version, past the quality_gate of {solution.node.path!r}; "
                "leave out one of them"
            )
        # said even if it is not wanted, since it may have been
        config: dict[str, Any] = {"syncWithLatestSolutionVersion": follow_latest}
        if item_exploration is not None:
            config["itemExplorationConfig"] = item_exploration.render()
        if metadata_with_recommendations is not None:
            config["enableMetadataWithRecommendations"] = metadata_with_recommendations
        if ranking_influence:
            config["rankingInfluence"] = check_influence(ranking_influence)
        super().__init__(scope, id)
        self._solution = solution
        self._configuration: dict[str, Any] = {"minProvisionedTPS": min_provisioned_tps, "campaignConfig": config}
        self._name = self._choose_name(campaign_name)
        self._tags = ResourceTags(self, RESOURCE_TYPE, solution.dataset_group.owner)
        solution._attach_campaign(self)
        warn_of_idle_requests(self, "min_provisioned_tps", min_provisioned_tps)
        if solution.training.is_automatic and not follow_latest:
            Annotations.of(self).add_warning_v2(
                "cdk-personalize:campaignDoesNotFollow",
                f"the service trains the solution {solution.node.path!r} automatically, and this campaign serves what "
                "was trained only after the next run of the workflow; use follow_latest=True to serve it at once",
            )

    @staticmethod
    def from_campaign_arn(scope: Construct, id: str, campaign_arn: str) -> ICampaign:
        """Import a campaign that is managed elsewhere, of whatever recipe.

        :param scope: Parent.
        :param id: Construct id.
        :param campaign_arn: Its ARN, which says in which account and Region it is.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedCampaign(scope, id, arn=campaign_arn)

    @staticmethod
    def from_campaign_name(scope: Construct, id: str, campaign_name: str) -> ICampaign:
        """Import a campaign of this account and Region that is managed elsewhere, of whatever recipe.

        :param scope: Parent.
        :param id: Construct id.
        :param campaign_name: Its name.
        :raises ValueError: When it cannot be the name of one.
        """
        return _ImportedCampaign(scope, id, name=campaign_name)

    @staticmethod
    def from_campaign_attributes(scope: Construct, id: str, *, campaign_arn: str, recipe_type: RecipeType) -> ICampaign:
        """Import a campaign that is managed elsewhere, of a known recipe.

        :param scope: Parent.
        :param id: Construct id.
        :param campaign_arn: Its ARN, which says in which account and Region it is.
        :param recipe_type: What its solution produces; it says what can be granted and what is measured.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedCampaign(scope, id, arn=campaign_arn, recipe_type=recipe_type)

    @property
    def campaign_arn(self) -> str:
        """The ARN that the campaign has or will have."""
        return personalize_arn(self, "campaign", self._name)

    @property
    def campaign_name(self) -> str:
        """Name of the campaign."""
        return self._name

    @property
    def solution(self) -> Solution:
        """The solution that it serves."""
        return self._solution

    @property
    def configuration(self) -> dict[str, Any]:
        """Members of CreateCampaign except the name, the solution version and the tags."""
        return deepcopy(self._configuration)

    @property
    def grants(self) -> CampaignGrants:
        """What can be allowed on the campaign."""
        return CampaignGrants(self.campaign_arn, self._solution.recipe.recipe_type)

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the requests that it answers."""
        return metrics_of_campaign(self.campaign_arn, self._solution.recipe.recipe_type)

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The tags set by ``Tags.of(...)``."""
        return self._tags.manager

    @property
    def document_tags(self) -> IResolvable:
        """Its tags, as the API of the service has them; a token."""
        return self._tags.for_api()

    def _problems(self, schemas: Mapping[str, Schema]) -> Iterator[str]:
        """Tell what does not fit the datasets of the group, once all of them are declared."""
        influences = self._configuration["campaignConfig"].get("rankingInfluence", {})
        items = schemas.get("ITEMS")
        if "FRESHNESS" in influences and items is not None and "CREATION_TIMESTAMP" not in items.columns:
            yield (
                f"campaign {self.node.path!r}: ranking_influence of FRESHNESS needs the column CREATION_TIMESTAMP in "
                f"ITEMS, which has {list(items.columns)}"
            )
        if "POPULARITY" in influences and "INTERACTIONS" not in schemas:
            yield (
                f"campaign {self.node.path!r}: ranking_influence of POPULARITY needs a dataset of INTERACTIONS, "
                f"declared: {sorted(schemas)}"
            )

    def _choose_name(self, campaign_name: str | None) -> str:
        if self.node.try_get_context(REPLACE_WITH_SOLUTION) in (True, "true"):
            return physical_name(self, content=self._solution.solution_name, prefix=campaign_name)
        return campaign_name or physical_name(self, content=self._solution.dataset_group.owner)


def check_influence(influence: Mapping[str, float]) -> dict[str, float]:
    """Return ``rankingInfluence`` of the API.

    :param influence: Weights by what they are of.
    :raises ValueError: When a name or a weight is not allowed.
    """
    for name, weight in influence.items():
        if name not in RANKING_INFLUENCES.names:
            raise ValueError(f"ranking_influence must have keys of {list(RANKING_INFLUENCES.names)}, got {name!r}")
        if not Token.is_unresolved(weight) and weight not in limits.RANKING_INFLUENCE:
            raise ValueError(f"ranking_influence of {name} must be from 0 to 1, got {weight}")
    return dict(influence)
