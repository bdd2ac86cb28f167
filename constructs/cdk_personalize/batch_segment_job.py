"""Batch segment jobs: the users who will most likely be interested in items, from files into files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize._job import Job, check_filter, check_results, default_location
from cdk_personalize.facts.limits import BATCH_SEGMENT_RESULTS
from cdk_personalize.filter import IFilter
from cdk_personalize.recipe import RecipeType
from cdk_personalize.s3_location import S3Location

if TYPE_CHECKING:
    from cdk_personalize.solution import Solution


class BatchSegmentJob(Job):
    """Segments of users for all items, or item attributes, that are listed in files, written into files.

    One declaration makes many jobs over time. The workflow makes one as soon as there are input files and a trained
    version, and again in every run that finds other files, another configuration, or that ``every`` has passed;
    without ``every``, also when there is a newer version. Each job writes into a folder of its own below
    ``job_output``, named after the job.

    Input is JSON Lines: ``{"itemId": "1"}``, at most 500, for ``Recipe.ITEM_AFFINITY``, and
    ``{"itemAttributes": "ITEMS.genres = \\"Comedy\\""}``, at most 10, for ``Recipe.ITEM_ATTRIBUTE_AFFINITY``.

    See https://docs.aws.amazon.com/personalize/latest/dg/getting-user-segments.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        solution: Solution,
        job_name: str | None = None,
        job_input: S3Location | None = None,
        job_output: S3Location | None = None,
        every: Duration | None = None,
        filter: IFilter | None = None,
        num_results: int | None = None,
        role: iam.IRole | None = None,
    ) -> None:
        """Declare the jobs.

        :param scope: Parent.
        :param id: Construct id.
        :param solution: The solution, of a recipe for user segments, whose newest version finds the users.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param job_input: File, or folder of files, to read.
            Default: - the folder ``<dataset group id>/batch-segment/<solution id>/<id>/input/`` of the data bucket
        :param job_output: Folder to write to. Default: - ``output/`` beside that of the default input
        :param every: After how much time a job is made again, by the first run from then on.
            Default: - when there are other files or another version
        :param filter: Filter of users. Default: - none
        :param num_results: Users for each line, from 1 to 5,000,000. Default: - 25, as the service sets it
        :param role: Role that reads the input and writes the output. Default: - the service role of the dataset group
        :raises ValueError: When a value is not allowed, or the recipe is none for user segments.
        """
        recipe = solution.recipe
        if recipe.known and recipe.recipe_type is not RecipeType.USER_SEGMENTATION:
            raise ValueError(
                f"the recipe {recipe.name} of {solution.node.path!r} finds no user segments; use Recipe.ITEM_AFFINITY "
                "or Recipe.ITEM_ATTRIBUTE_AFFINITY"
            )
        check_results(num_results, BATCH_SEGMENT_RESULTS)
        group = solution.dataset_group
        check_filter(filter, group, recipe)
        job_input = job_input or default_location(group, "batch-segment", solution.node.id, id, "input")
        job_output = job_output or default_location(group, "batch-segment", solution.node.id, id, "output")
        configuration: dict[str, Any] = {"jobInput": {"s3DataSource": job_input.render()}}
        if filter is not None:
            configuration["filterArn"] = filter.filter_arn
        if num_results is not None:
            configuration["numResults"] = num_results
        super().__init__(
            scope,
            id,
            dataset_group=group,
            kind="BatchSegmentJob",
            target={"solutionArn": solution.solution_arn},
            configuration=configuration,
            job_name=job_name,
            job_input=job_input,
            job_output=job_output,
            every=every,
            role=role,
        )
