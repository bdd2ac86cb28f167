"""What all declarations of jobs share: a name to start with, locations, a role, tags, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

import jsii
from aws_cdk import Duration, IResolvable, ITaggableV2, TagManager, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize._names import check_name, physical_name
from cdk_personalize._tags import ResourceTags
from cdk_personalize.data_bucket import allow_personalize_writing
from cdk_personalize.dataset import DataSource
from cdk_personalize.dataset_group import DatasetGroup
from cdk_personalize.facts.limits import NAME_LENGTH, Range
from cdk_personalize.filter import Filter, IFilter
from cdk_personalize.filter_expression import Dataset, Target
from cdk_personalize.recipe import Recipe, RecipeType
from cdk_personalize.s3_location import S3Location
from cdk_personalize.service_role import READ_OBJECTS, WRITE_OBJECTS, allow_files, allow_using_key

PREFIX_LENGTH: Final = NAME_LENGTH - 22
"""Leaves room for what makes the name of a job unique."""


@jsii.implements(ITaggableV2)
class Job(Construct):
    """A job that the workflow of a dataset group runs again and again, each time under another name."""

    _INPUT = "job_input"

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        kind: str,
        target: Mapping[str, str],
        configuration: Mapping[str, Any],
        job_name: str | None,
        job_input: S3Location | None = None,
        input_suffix: str = "",
        job_output: S3Location | None = None,
        every: Duration | None = None,
        role: iam.IRole | None = None,
    ) -> None:
        """Declare the job.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group whose workflow runs it.
        :param kind: What it is, as the operations of the API name it, such as ``BatchInferenceJob``.
        :param target: ARN of what it works on.
        :param configuration: Members of the API that stay the same from job to job.
        :param job_name: What names start with. Default: - the construct path
        :param job_input: What it reads. Default: - nothing
        :param input_suffix: What the names of the files end in. Default: - anything
        :param job_output: Folder that holds a folder for every job. Default: - it writes nothing
        :param every: How often it runs. Default: - as the kind of job says
        :param role: Role that reads and writes. Default: - the service role of the dataset group
        :raises ValueError: When a value is not allowed.
        """
        check_name("job_name", job_name)
        if every is not None and not every.is_unresolved() and every.to_seconds() <= 0:
            raise ValueError(f"every must be longer than 0 seconds, got {every.to_seconds():g}")
        if job_output is not None and not job_output.is_folder:
            raise ValueError(f"job_output must be a folder that ends in '/', got {job_output.prefix!r}")
        super().__init__(scope, id)
        self.dataset_group = dataset_group
        self.kind = kind
        self.target = dict(target)
        self.job_input = job_input
        self.input_suffix = input_suffix
        self.job_output = job_output
        self.every = every
        self.role: iam.IRole = role or dataset_group.service_role
        self.job_prefix = physical_name(self, content=dataset_group.owner, prefix=job_name, max_length=PREFIX_LENGTH)
        self._configuration = {
            **configuration,
            **({} if job_output is None else {"jobOutput": {"s3DataDestination": job_output.render()}}),
        }
        self._tags = ResourceTags(self, f"AWS::Personalize::{kind}", dataset_group.owner)
        self._allow_reading()
        self._allow_writing()
        dataset_group._attach_job(self)

    @property
    def configuration(self) -> dict[str, Any]:
        """Members of the API that stay the same from job to job."""
        return deepcopy(self._configuration)

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The tags set by ``Tags.of(...)``."""
        return self._tags.manager

    @property
    def document_tags(self) -> IResolvable:
        """Its tags, as the API of the service has them; a token."""
        return self._tags.for_api()

    def _allow_reading(self) -> None:
        if self.job_input is None:
            return
        bucket = self.job_input.bucket
        self.dataset_group._prepare_bucket(bucket)
        reason = "a job reads every file of the folder that holds its input"
        allow_files(self.role, READ_OBJECTS, bucket, self.job_input.key_pattern, reason)
        key = self.job_input.encryption_key or bucket.encryption_key
        if key is not None:
            allow_using_key(self.role, key)

    def _allow_writing(self) -> None:
        if self.job_output is None:
            return
        bucket = self.job_output.bucket
        allow_personalize_writing(bucket, self.job_output.key_pattern, topic="bucketPolicyForJobs")
        if bucket.policy is not None:
            self.dataset_group.resources_ready.add(bucket.policy)
        reason = "a job names the files that it writes, in a folder named after it"
        allow_files(self.role, WRITE_OBJECTS, bucket, self.job_output.key_pattern, reason)
        key = self.job_output.encryption_key or bucket.encryption_key
        if key is not None:
            allow_using_key(self.role, key)

    def _problems(self) -> list[str]:
        """Return what does not fit what else the group declares, once all of it is declared."""
        found = [*self._location_problems(), *self._dataset_problems()]
        return [f"{self.kind} {self.node.path!r}: {problem}" for problem in found]

    def _dataset_problems(self) -> Iterable[str]:
        return []

    def _location_problems(self) -> Iterable[str]:
        datasets: list[tuple[str, DataSource | S3Location]] = [
            (each.dataset_type.value, source) for each in self.dataset_group.datasets for source in each.sources
        ]
        for noun, source in datasets:
            if self.job_input is not None and self.job_input.lies_in(source.bucket, source.prefix):
                yield (
                    f"{self._INPUT} must not be in the folder {source.prefix!r} of {noun}, from which it would be "
                    f"imported, got {self.job_input.prefix!r}"
                )
        inputs = [(repr(e.node.path), e.job_input) for e in self.dataset_group.jobs if e.job_input is not None]
        for noun, read in [*datasets, *inputs]:
            if self.job_output is not None and self.job_output.lies_in(read.bucket, read.prefix):
                yield (
                    f"job_output must not be in the folder {read.prefix!r} of {noun}, which would read what it wrote, "
                    f"got {self.job_output.prefix!r}"
                )


def default_location(dataset_group: DatasetGroup, *folders: str) -> S3Location:
    """Return a folder of the data bucket.

    :param dataset_group: The dataset group, whose id is the first part of the folder.
    :param folders: The other parts.
    """
    return S3Location(dataset_group.data_bucket, "/".join((dataset_group.node.id, *folders, "")))


def check_results(value: int | None, allowed: Range) -> None:
    """Check how many results are asked for.

    :param value: How many; tokens pass.
    :param allowed: The least and the most.
    :raises ValueError: When it is fewer or more.
    """
    if value is not None and not Token.is_unresolved(value) and value not in allowed:
        raise ValueError(f"num_results must be from {allowed.minimum} to {allowed.maximum}, got {value}")


def check_filter(filter: IFilter | None, dataset_group: DatasetGroup, recipe: Recipe) -> None:
    """Check that a filter can be applied to what a recipe recommends.

    What is known elsewhere, or only when it is deployed, passes.

    :param filter: The filter. Values of its placeholders are in each line of the input, as ``filterValues``.
    :param dataset_group: The dataset group of the solution.
    :param recipe: The recipe of the solution.
    :raises ValueError: When it cannot.
    """
    if not isinstance(filter, Filter):
        return
    path = filter.node.path
    if isinstance(filter.dataset_group, DatasetGroup) and filter.dataset_group is not dataset_group:
        raise ValueError(
            f"filter must be one of the dataset group {dataset_group.node.path!r}, got {path!r} of "
            f"{filter.dataset_group.node.path!r}"
        )
    expression = filter._parsed
    if expression is None or recipe.recipe_type is None:
        return
    wanted = Target.USER if recipe.recipe_type is RecipeType.USER_SEGMENTATION else Target.ITEM
    if expression.target is not wanted:
        raise ValueError(
            f"filter must be about {wanted.value} for the recipe {recipe.name}, got {path!r} about "
            f"{expression.target.value}"
        )
    if expression.uses_current_item and recipe.recipe_type is not RecipeType.RELATED_ITEMS:
        raise ValueError(f"filter {path!r} compares with CurrentItem, which the recipe {recipe.name} does not know")
    if recipe is Recipe.ITEM_ATTRIBUTE_AFFINITY and any(
        c.dataset is Dataset.INTERACTIONS for c in expression.conditions
    ):
        raise ValueError(f"filter {path!r} looks at Interactions, which the recipe {recipe.name} cannot filter by")
