"""Recommenders: what serves a use case of a domain, trained and deployed in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, Protocol

import jsii
from aws_cdk import IResolvable, IResource, ITaggableV2, Resource, Stack, TagManager
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize import _grants
from cdk_personalize._capacity import check_requests, warn_of_idle_requests
from cdk_personalize._imported import Imported
from cdk_personalize._names import check_name, personalize_arn, physical_name
from cdk_personalize._tags import ResourceTags
from cdk_personalize._training_columns import column_problems, render_columns
from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.metrics import GET_RECOMMENDATIONS, RequestMetrics
from cdk_personalize.use_case import UseCase

if TYPE_CHECKING:
    from cdk_personalize.campaign import ItemExploration
    from cdk_personalize.dataset_group import DatasetGroup

RESOURCE_TYPE: Final = "AWS::Personalize::Recommender"
"""What ``include_resource_types`` and ``exclude_resource_types`` of tags are compared with."""


class IRecommender(IResource, Protocol):
    """A recommender, whether declared here or elsewhere."""

    @property
    def recommender_arn(self) -> str:
        """ARN of the recommender."""
        ...

    @property
    def recommender_name(self) -> str:
        """Name of the recommender."""
        ...

    @property
    def grants(self) -> RecommenderGrants:
        """What can be allowed on the recommender."""
        ...

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the requests that it answers."""
        ...


class RecommenderGrants:
    """Permissions to ask a recommender."""

    def __init__(self, recommender: IRecommender) -> None:
        """Grant permissions on a recommender.

        :param recommender: The recommender.
        """
        self._recommender = recommender

    def get_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to ask for recommendations.

        :param grantee: Who is allowed.
        """
        return _grants.grant(grantee, _grants.GET_RECOMMENDATIONS, self._recommender.recommender_arn)


class _ImportedRecommender(Imported):
    KIND = "recommender"

    @property
    def recommender_arn(self) -> str:
        return self._arn

    @property
    def recommender_name(self) -> str:
        return self._name

    @property
    def grants(self) -> RecommenderGrants:
        return RecommenderGrants(self)

    @property
    def metrics(self) -> RequestMetrics:
        return _metrics(self._arn)


@jsii.implements(ITaggableV2)
class Recommender(Resource):
    """A recommender: a use case of a domain, trained on a dataset group and served in real time.

    It is made, updated, started and stopped by the workflow of the dataset group, and trained again by the service
    every seven days. It is billed by the hour for as long as it is running.

    See https://docs.aws.amazon.com/personalize/latest/dg/creating-recommenders.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        use_case: UseCase,
        recommender_name: str | None = None,
        min_recommendation_requests_per_second: int = 1,
        item_exploration: ItemExploration | None = None,
        metadata_with_recommendations: bool | None = None,
        excluded_columns: Mapping[DatasetType, Sequence[str]] | None = None,
        running: bool = True,
    ) -> None:
        """Declare the recommender.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group whose data it is trained on; it has the domain of the use case.
        :param use_case: What it recommends. Another use case makes another recommender, with another ARN.
        :param recommender_name: What its name starts with; a hash of the use case follows.
            Default: - the construct path
        :param min_recommendation_requests_per_second: Requests a second that are always provisioned, and billed.
            Default: - 1
        :param item_exploration: How much is explored. Default: - as the service sets it
        :param metadata_with_recommendations: Whether responses can hold item metadata. Default: - as the service does
        :param excluded_columns: Columns that training ignores; a change trains again. Default: - none
        :param running: Whether it answers, and is billed. One that is stopped keeps its model; one that was never
            running is not made. Default: - it is running
        :raises ValueError: When a value is not allowed, or the use case does not allow it.
        """
        check_name("recommender_name", recommender_name)
        _check_domain(dataset_group, use_case)
        requests = min_recommendation_requests_per_second
        check_requests("min_recommendation_requests_per_second", requests)
        if item_exploration is not None and not use_case.exploration:
            raise ValueError(f"item_exploration is not available with the use case {use_case.title!r}")
        configuration: dict[str, Any] = {"minRecommendationRequestsPerSecond": requests}
        if item_exploration is not None:
            configuration["itemExplorationConfig"] = item_exploration.render()
        if metadata_with_recommendations is not None:
            configuration["enableMetadataWithRecommendations"] = metadata_with_recommendations
        if excluded_columns is not None:
            configuration["trainingDataConfig"] = {"excludedDatasetColumns": render_columns(excluded_columns)}
        super().__init__(scope, id)
        self._dataset_group = dataset_group
        self._use_case = use_case
        self._configuration = configuration
        self._excluded_columns = dict(excluded_columns or {})
        self._running = running
        self._name = physical_name(self, content=f"{use_case.name}\n{dataset_group.owner}", prefix=recommender_name)
        self._tags = ResourceTags(self, RESOURCE_TYPE, dataset_group.owner)
        dataset_group._attach_recommender(self)
        if running:
            warn_of_idle_requests(self, "min_recommendation_requests_per_second", requests)

    @staticmethod
    def from_recommender_arn(scope: Construct, id: str, recommender_arn: str) -> IRecommender:
        """Import a recommender that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param recommender_arn: Its ARN, which says in which account and Region it is.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedRecommender(scope, id, arn=recommender_arn)

    @staticmethod
    def from_recommender_name(scope: Construct, id: str, recommender_name: str) -> IRecommender:
        """Import a recommender of this account and Region that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param recommender_name: Its name.
        :raises ValueError: When it cannot be the name of one.
        """
        return _ImportedRecommender(scope, id, name=recommender_name)

    @property
    def recommender_arn(self) -> str:
        """The ARN that the recommender has or will have."""
        return personalize_arn(self, "recommender", self._name)

    @property
    def recommender_name(self) -> str:
        """Name of the recommender; it carries a hash of the use case, which cannot be changed in place."""
        return self._name

    @property
    def recipe_arn(self) -> str:
        """ARN of the recipe of the use case."""
        return f"arn:{Stack.of(self).partition}:personalize:::{self._use_case.resource}"

    @property
    def dataset_group(self) -> DatasetGroup:
        """The dataset group whose data it is trained on."""
        return self._dataset_group

    @property
    def use_case(self) -> UseCase:
        """What it recommends."""
        return self._use_case

    @property
    def running(self) -> bool:
        """Whether it answers, and is billed."""
        return self._running

    @property
    def configuration(self) -> dict[str, Any]:
        """The member ``recommenderConfig`` of CreateRecommender."""
        return deepcopy(self._configuration)

    @property
    def grants(self) -> RecommenderGrants:
        """What can be allowed on the recommender."""
        return RecommenderGrants(self)

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the requests that it answers."""
        return _metrics(self.recommender_arn)

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The tags set by ``Tags.of(...)``."""
        return self._tags.manager

    @property
    def document_tags(self) -> IResolvable:
        """Its tags, as the API of the service has them; a token."""
        return self._tags.for_api()

    def _problems(self) -> list[str]:
        """Return what does not fit the datasets of the group, once all of them are declared."""
        return [f"recommender {self.node.path!r}: {problem}" for problem in self._dataset_problems()]

    def _dataset_problems(self) -> Iterable[str]:
        schemas = {dataset.dataset_type.value: dataset.schema for dataset in self._dataset_group.datasets}
        for dataset_type in sorted(self._use_case.required_datasets - schemas.keys()):
            yield f"the use case {self._use_case.title!r} needs a dataset of {dataset_type}, has {sorted(schemas)}"
        yield from column_problems(self._excluded_columns, schemas)


def _metrics(recommender_arn: str) -> RequestMetrics:
    return RequestMetrics(GET_RECOMMENDATIONS, {"RecommenderArn": recommender_arn})


def _check_domain(dataset_group: DatasetGroup, use_case: UseCase) -> None:
    domain = dataset_group.domain
    if domain is None:
        raise ValueError(
            f"dataset group {dataset_group.node.path!r} has no domain, so it cannot have recommenders; declare it with "
            f"domain=Domain.{use_case.domain}, or a solution with a campaign instead"
        )
    if domain.value != use_case.domain:
        raise ValueError(
            f"the use case {use_case.title!r} is one of the domain {use_case.domain}, but dataset group "
            f"{dataset_group.node.path!r} is of the domain {domain.value}"
        )
