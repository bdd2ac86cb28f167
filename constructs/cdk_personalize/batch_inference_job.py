"""Batch inference jobs: recommendations for many users or items at once, from files into files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Annotations, Duration, Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize import avro
from cdk_personalize._job import Job, check_filter, check_results, default_location
from cdk_personalize.campaign import ItemExploration, check_influence
from cdk_personalize.facts.limits import BATCH_INFERENCE_RESULTS
from cdk_personalize.filter import IFilter
from cdk_personalize.recipe import Recipe, RecipeType
from cdk_personalize.s3_location import S3Location

if TYPE_CHECKING:
    from cdk_personalize.solution import Solution

THEME_REGIONS: Final = ("ap-northeast-1", "us-east-1", "us-west-2")
"""Where themes can be had. See
https://docs.aws.amazon.com/personalize/latest/dg/themed-batch-recommendations.html"""


@dataclass(frozen=True, kw_only=True)
class ThemeGeneration:
    """A theme for each list of similar items, such as "films about the sea"; it costs more than the list alone.

    Items need a textual column, and files at most 100 lines.

    See https://docs.aws.amazon.com/personalize/latest/dg/themed-batch-recommendations.html

    :param item_name: The column of items that holds their names.
    """

    item_name: str


class BatchInferenceJob(Job):
    """Recommendations for all users or items that are listed in files, written into files.

    One declaration makes many jobs over time. The workflow makes one as soon as there are input files and a trained
    version, and again in every run that finds other files, another configuration, or that ``every`` has passed;
    without ``every``, also when another version serves. Each job writes into a folder of its own below ``job_output``,
    named after the job.

    Input is JSON Lines, such as ``{"userId": "1"}``, ``{"itemId": "1"}`` for related items, or
    ``{"userId": "1", "itemList": ["a", "b"]}`` for rankings; values of a filter's placeholders are in ``filterValues``
    of each line.

    See https://docs.aws.amazon.com/personalize/latest/dg/getting-batch-recommendations.html
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
        item_exploration: ItemExploration | None = None,
        ranking_influence: Mapping[str, float] | None = None,
        theme_generation: ThemeGeneration | None = None,
        role: iam.IRole | None = None,
    ) -> None:
        """Declare the jobs.

        :param scope: Parent.
        :param id: Construct id.
        :param solution: The solution whose serving version recommends: the one that its campaigns serve, or the newest.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param job_input: File, or folder of files, to read.
            Default: - the folder ``<dataset group id>/batch-inference/<solution id>/<id>/input/`` of the data bucket
        :param job_output: Folder to write to. Default: - ``output/`` beside that of the default input
        :param every: After how much time a job is made again, by the first run from then on.
            Default: - when there are other files or another version
        :param filter: Filter of items. Default: - none
        :param num_results: Items for each line, from 1 to 500. Default: - 25, as the service sets it
        :param item_exploration: How much is explored. Default: - as the service sets it
        :param ranking_influence: Weights from 0 to 1 of ``POPULARITY`` and ``FRESHNESS``. Default: - none
        :param theme_generation: Have each list named. Default: - no
        :param role: Role that reads the input and writes the output. Default: - the service role of the dataset group
        :raises ValueError: When a value is not allowed, or the recipe does not allow it.
        """
        recipe = solution.recipe
        if not recipe.batch or recipe.recipe_type is RecipeType.USER_SEGMENTATION:
            raise ValueError(
                f"the recipe {recipe.name} of {solution.node.path!r} does not work in batch inference jobs"
                + ("; use add_batch_segment_job" if recipe.batch else "")
            )
        _check_support("item_exploration", item_exploration, recipe.exploration, recipe)
        _check_support("ranking_influence", ranking_influence, recipe.ranking_influence, recipe)
        _check_support("theme_generation", theme_generation, recipe.themes, recipe)
        check_results(num_results, BATCH_INFERENCE_RESULTS)
        group = solution.dataset_group
        check_filter(filter, group, recipe)
        job_input = job_input or default_location(group, "batch-inference", solution.node.id, id, "input")
        job_output = job_output or default_location(group, "batch-inference", solution.node.id, id, "output")
        config: dict[str, Any] = {}
        if item_exploration is not None:
            config["itemExplorationConfig"] = item_exploration.render()
        if ranking_influence:
            config["rankingInfluence"] = check_influence(ranking_influence)
        configuration: dict[str, Any] = {
            "jobInput": {"s3DataSource": job_input.render()},
            "batchInferenceJobMode": "BATCH_INFERENCE" if theme_generation is None else "THEME_GENERATION",
        }
        if filter is not None:
            configuration["filterArn"] = filter.filter_arn
        if num_results is not None:
            configuration["numResults"] = num_results
        if config:
            configuration["batchInferenceJobConfig"] = config
        if theme_generation is not None:
            fields = {"itemName": theme_generation.item_name}
            configuration["themeGenerationConfig"] = {"fieldsForThemeGeneration": fields}
        super().__init__(
            scope,
            id,
            dataset_group=group,
            kind="BatchInferenceJob",
            target={"solutionArn": solution.solution_arn},
            configuration=configuration,
            job_name=job_name,
            job_input=job_input,
            job_output=job_output,
            every=every,
            role=role,
        )
        self._theme_generation = theme_generation
        region = Stack.of(self).region
        if theme_generation is not None and not Token.is_unresolved(region) and region not in THEME_REGIONS:
            Annotations.of(self).add_warning_v2(
                "cdk-personalize:themeRegion",
                f"themes can be had in {', '.join(THEME_REGIONS)} only as far as this library knows, not in {region}",
            )

    def _dataset_problems(self) -> Iterable[str]:
        themes = self._theme_generation
        if themes is None:
            return
        schemas = [each.schema for each in self.dataset_group.datasets if each.dataset_type.value == "ITEMS"]
        fields = [field for schema in schemas for field in schema.fields]
        if not any(field.get("textual") for field in fields):
            yield "theme_generation needs a textual column in ITEMS, such as Field.textual('DESCRIPTION')"
        names = [field["name"] for field in fields if avro.value_type(field) == "string"]
        if not Token.is_unresolved(themes.item_name) and themes.item_name not in names:
            yield f"item_name must be a string column of ITEMS, got {themes.item_name!r}, allowed: {names}"


def _check_support(parameter: str, value: object, is_supported: bool, recipe: Recipe) -> None:
    if value and recipe.known and not is_supported:
        raise ValueError(f"{parameter} is not available with the recipe {recipe.name}")
