"""Solutions: what is trained, on what, and how."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

import jsii
from aws_cdk import Annotations, Duration, IResolvable, IResource, ITaggableV2, Resource, Stack, TagManager, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_personalize import _grants, avro
from cdk_personalize._imported import Imported
from cdk_personalize._names import check_name, personalize_arn, physical_name
from cdk_personalize._tags import ResourceTags
from cdk_personalize._text import Value, text
from cdk_personalize._training_columns import column_problems, render_columns
from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.facts import limits
from cdk_personalize.facts.fields import RESERVED_OF_ITEMS
from cdk_personalize.metrics import SOLUTION_TRAINING_JOB, JobMetrics, ModelMetrics
from cdk_personalize.quality_gate import QualityGate, check_gate
from cdk_personalize.recipe import Hyperparameter, ParameterKind, Recipe
from cdk_personalize.training import Training

if TYPE_CHECKING:
    from cdk_personalize.batch_inference_job import BatchInferenceJob, ThemeGeneration
    from cdk_personalize.batch_segment_job import BatchSegmentJob
    from cdk_personalize.campaign import Campaign, ItemExploration
    from cdk_personalize.dataset_group import DatasetGroup
    from cdk_personalize.filter import IFilter
    from cdk_personalize.s3_location import S3Location
    from cdk_personalize.schema import Schema

RESOURCE_TYPE: Final = "AWS::Personalize::Solution"
"""What ``include_resource_types`` and ``exclude_resource_types`` of tags are compared with."""

UPDATABLE_MEMBERS: Final = ("performAutoTraining", "performIncrementalUpdate")
UPDATABLE_CONFIG_MEMBERS: Final = ("autoTrainingConfig",)
"""What does not change a model, and is changed in place; everything else makes another solution."""


@dataclass(frozen=True, kw_only=True)
class EventWeight:
    """How much the events of one type count.

    :param event_type: The event type.
    :param weight: From 0 to 1. Default: - 1
    :param event_value_threshold: Lowest event value to train on. Default: - all
    """

    event_type: str
    weight: float = 1.0
    event_value_threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class HyperparameterRange:
    """What hyperparameter optimization tries for one hyperparameter.

    :param name: Name of the hyperparameter.
    :param minimum: Lowest number. Default: - the recipe's
    :param maximum: Highest number. Default: - the recipe's
    :param values: Values of a categorical hyperparameter. Default: - the recipe's
    """

    name: str
    minimum: float | None = None
    maximum: float | None = None
    values: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class HyperparameterOptimization:
    """A search for the best hyperparameters with every training; each of its training jobs is billed.

    See https://docs.aws.amazon.com/personalize/latest/dg/customizing-solution-config-hpo.html

    :param ranges: What is tried. Default: - all that the recipe can tune, over their whole ranges
    :param max_training_jobs: Highest number of training jobs, from 1 to 40. Default: - the service decides
    :param max_parallel_training_jobs: How many of them at once, from 1 to 10. Default: - the service decides
    """

    ranges: Sequence[HyperparameterRange] = ()
    max_training_jobs: int | None = None
    max_parallel_training_jobs: int | None = None


class ObjectiveSensitivity(Enum):
    """How much an optimization objective counts beside relevance."""

    LOW = "LOW"
    """A little: relevance decides mostly."""
    MEDIUM = "MEDIUM"
    """In balance with relevance."""
    HIGH = "HIGH"
    """Much: recommendations may become less relevant."""
    OFF = "OFF"
    """Not at all."""


@dataclass(frozen=True, kw_only=True)
class OptimizationObjective:
    """A numeric attribute of items that recommendations should make more of, such as revenue.

    See https://docs.aws.amazon.com/personalize/latest/dg/optimizing-solution-for-objective.html

    :param item_attribute: The column of items.
    :param sensitivity: How much it counts beside relevance.
    """

    item_attribute: str
    sensitivity: ObjectiveSensitivity


class ISolution(IResource, Protocol):
    """A solution, whether declared here or elsewhere."""

    @property
    def solution_arn(self) -> str:
        """ARN of the solution."""
        ...

    @property
    def solution_name(self) -> str:
        """Name of the solution."""
        ...

    @property
    def grants(self) -> SolutionGrants:
        """What can be allowed on the solution."""
        ...

    @property
    def training_metrics(self) -> JobMetrics:
        """Metrics of its trainings."""
        ...


class SolutionGrants:
    """Permissions to train a solution."""

    def __init__(self, solution: ISolution) -> None:
        """Grant permissions on a solution.

        :param solution: The solution.
        """
        self._solution = solution

    def train(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to create solution versions, with tags, and to see how they are getting on.

        There is a warning when the service trains the solution: two would then own its retraining.

        :param grantee: Who is allowed.
        """
        solution = self._solution
        if isinstance(solution, Solution) and solution.training.is_automatic:
            Annotations.of(solution).add_warning_v2(
                "cdk-personalize:twoOwnersOfRetraining",
                f"the service trains the solution {solution.node.path!r} automatically and something else may train it "
                "too; each training is billed: use Training.manual(), or do not grant it",
            )
        arn = solution.solution_arn
        return _grants.grant(grantee, _grants.TRAIN, arn, f"{arn}/*")


class _ImportedSolution(Imported):
    KIND = "solution"

    @property
    def solution_arn(self) -> str:
        return self._arn

    @property
    def solution_name(self) -> str:
        return self._name

    @property
    def grants(self) -> SolutionGrants:
        return SolutionGrants(self)

    @property
    def training_metrics(self) -> JobMetrics:
        return _training_metrics(self._arn)


@jsii.implements(ITaggableV2)
class Solution(Resource):
    """A recipe with its configuration, trained on the data of a dataset group.

    The solution itself, its versions and what serves them are made by the workflow of the dataset group. A change of
    what the service cannot change in place makes another solution, which takes the place of the former one when it is
    trained. The workflow makes the first version; ``training`` says who makes those after it.

    See https://docs.aws.amazon.com/personalize/latest/dg/customizing-solution-config.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: DatasetGroup,
        recipe: Recipe,
        solution_name: str | None = None,
        event_type: str | None = None,
        event_value_threshold: float | None = None,
        events: Sequence[EventWeight] | None = None,
        hyperparameters: Mapping[str, Value] | None = None,
        hyperparameter_optimization: HyperparameterOptimization | None = None,
        optimization_objective: OptimizationObjective | None = None,
        excluded_columns: Mapping[DatasetType, Sequence[str]] | None = None,
        incremental_update: bool | None = None,
        training: Training | None = None,
        quality_gate: QualityGate | None = None,
    ) -> None:
        """Declare the solution.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group whose data it is trained on.
        :param recipe: What is trained.
        :param solution_name: What its name starts with; a hash of the configuration follows.
            Default: - the construct path
        :param event_type: The only event type to train on. Default: - all
        :param event_value_threshold: Lowest event value to train on. Needs ``event_type``. Default: - all
        :param events: Weights and thresholds of event types. Default: - all events count the same
        :param hyperparameters: Hyperparameters of the recipe. Default: - those of the service
        :param hyperparameter_optimization: Search for the best hyperparameters. Default: - none
        :param optimization_objective: Item attribute to optimize for. Default: - relevance alone
        :param excluded_columns: Columns that training ignores. Default: - none
        :param incremental_update: Whether item changes go live without training, at additional cost. Can be changed in
            place. Default: - no
        :param training: Who trains it again. Can be changed in place. Default: - ``Training.manual()``
        :param quality_gate: What a new version has to be like before campaigns serve it. Can be changed at any time.
            Default: - campaigns serve every version
        :raises ValueError: When the recipe cannot be configured like that.
        """
        check_name("solution_name", solution_name)
        _check_event_type(event_type, event_value_threshold)
        _check_support("events", events, recipe.events_config, recipe)
        _check_support("optimization_objective", optimization_objective, recipe.optimization_objective, recipe)
        _check_support("incremental_update", incremental_update, recipe.incremental_update, recipe)
        check_gate(quality_gate, recipe, objective=optimization_objective is not None, events=events is not None)
        training = training or Training.manual()
        _check_support("full_every", training.full_every, recipe.update_training, recipe)
        training_members = training.render()
        config: dict[str, Any] = training_members.pop("solutionConfig", {})
        if event_value_threshold is not None:
            config["eventValueThreshold"] = text(event_value_threshold)
        config |= _render_hyperparameters(recipe, hyperparameters or {})
        if hyperparameter_optimization is not None:
            config["hpoConfig"] = _render_optimization(recipe, hyperparameter_optimization)
        if events is not None:
            config["eventsConfig"] = {"eventParametersList": _render_events(events)}
        if optimization_objective is not None:
            config["optimizationObjective"] = {
                "itemAttribute": optimization_objective.item_attribute,
                "objectiveSensitivity": optimization_objective.sensitivity.value,
            }
        if excluded_columns is not None:
            config["trainingDataConfig"] = {"excludedDatasetColumns": render_columns(excluded_columns)}
        super().__init__(scope, id)
        self._dataset_group = dataset_group
        self._recipe = recipe
        self._training = training
        self._quality_gate = quality_gate
        self._excluded_columns = dict(excluded_columns or {})
        self._optimization_objective = optimization_objective
        self._needs_event_type = event_type is not None or events is not None
        self._configuration: dict[str, Any] = {
            "recipeArn": f"arn:{Stack.of(self).partition}:personalize:::{recipe.resource}",
            **training_members,
        }
        if hyperparameter_optimization is not None:
            self._configuration["performHPO"] = True
        # said even if it is not wanted, since it may have been
        if incremental_update is not None or recipe.incremental_update:
            self._configuration["performIncrementalUpdate"] = bool(incremental_update)
        if event_type is not None:
            self._configuration["eventType"] = event_type
        if config:
            self._configuration["solutionConfig"] = config
        self._name = physical_name(
            self, content=f"{self.configuration_hash_text}\n{dataset_group.owner}", prefix=solution_name
        )
        self._tags = ResourceTags(self, RESOURCE_TYPE, dataset_group.owner)
        self._campaigns: list[Campaign] = []
        dataset_group._attach_solution(self)
        if recipe.legacy:
            Annotations.of(self).add_warning_v2(
                "cdk-personalize:legacyRecipe",
                f"AWS advises against the recipe {recipe.name} for new work; use Recipe.USER_PERSONALIZATION_V2",
            )

    @staticmethod
    def from_solution_arn(scope: Construct, id: str, solution_arn: str) -> ISolution:
        """Import a solution that is managed elsewhere.

        It can have no campaigns here: they belong to the workflow that trains the solution.

        :param scope: Parent.
        :param id: Construct id.
        :param solution_arn: Its ARN, which says in which account and Region it is.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedSolution(scope, id, arn=solution_arn)

    @staticmethod
    def from_solution_name(scope: Construct, id: str, solution_name: str) -> ISolution:
        """Import a solution of this account and Region that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param solution_name: Its name.
        :raises ValueError: When it cannot be the name of one.
        """
        return _ImportedSolution(scope, id, name=solution_name)

    @property
    def solution_arn(self) -> str:
        """The ARN that the solution has or will have."""
        return personalize_arn(self, "solution", self._name)

    @property
    def solution_name(self) -> str:
        """Name of the solution; it carries a hash of what cannot be changed in place."""
        return self._name

    @property
    def dataset_group(self) -> DatasetGroup:
        """The dataset group whose data it is trained on."""
        return self._dataset_group

    @property
    def recipe(self) -> Recipe:
        """What is trained."""
        return self._recipe

    @property
    def training(self) -> Training:
        """Who trains it again."""
        return self._training

    @property
    def quality_gate(self) -> QualityGate | None:
        """What a new version has to be like before campaigns serve it."""
        return self._quality_gate

    @property
    def metrics(self) -> ModelMetrics:
        """Offline metrics of its versions, which the workflow publishes after each training."""
        return ModelMetrics(self._name)

    @property
    def grants(self) -> SolutionGrants:
        """What can be allowed on the solution."""
        return SolutionGrants(self)

    @property
    def training_metrics(self) -> JobMetrics:
        """Metrics of its trainings, whoever starts them."""
        return _training_metrics(self.solution_arn)

    @property
    def campaigns(self) -> list[Campaign]:
        """Its campaigns."""
        return list(self._campaigns)

    @property
    def configuration(self) -> dict[str, Any]:
        """Members of CreateSolution except the name, the dataset group and the tags."""
        return deepcopy(self._configuration)

    @property
    def configuration_hash_text(self) -> str:
        """What another solution is needed for when it changes, as text."""
        fixed = {name: value for name, value in self._configuration.items() if name not in UPDATABLE_MEMBERS}
        config = {
            name: value
            for name, value in self._configuration.get("solutionConfig", {}).items()
            if name not in UPDATABLE_CONFIG_MEMBERS
        }
        fixed["solutionConfig"] = config
        return json.dumps(Stack.of(self).resolve(fixed), sort_keys=True)

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The tags set by ``Tags.of(...)``."""
        return self._tags.manager

    @property
    def document_tags(self) -> IResolvable:
        """Its tags, as the API of the service has them; a token."""
        return self._tags.for_api()

    def add_campaign(
        self,
        id: str,
        *,
        campaign_name: str | None = None,
        min_provisioned_tps: int = 1,
        item_exploration: ItemExploration | None = None,
        metadata_with_recommendations: bool | None = None,
        ranking_influence: Mapping[str, float] | None = None,
        follow_latest: bool = False,
    ) -> Campaign:
        """Add a campaign as a child. The parameters are those of :class:`Campaign`.

        :param id: Construct id.
        :param campaign_name: Its name. Default: - a name derived from the construct path
        :param min_provisioned_tps: Requests a second that are always provisioned, and billed. Default: - 1
        :param item_exploration: How much is explored. Default: - as the service sets it
        :param metadata_with_recommendations: Whether responses can hold item metadata. Default: - as the service does
        :param ranking_influence: Weights of ``POPULARITY`` and ``FRESHNESS``. Default: - none
        :param follow_latest: Whether the service lets it serve every new version at once. Default: - the workflow does
        :raises ValueError: When the recipe does not allow it.
        """
        from cdk_personalize.campaign import Campaign

        return Campaign(
            self,
            id,
            solution=self,
            campaign_name=campaign_name,
            min_provisioned_tps=min_provisioned_tps,
            item_exploration=item_exploration,
            metadata_with_recommendations=metadata_with_recommendations,
            ranking_influence=ranking_influence,
            follow_latest=follow_latest,
        )

    def add_batch_inference_job(
        self,
        id: str,
        *,
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
    ) -> BatchInferenceJob:
        """Add batch inference jobs as a child. The parameters are those of :class:`BatchInferenceJob`.

        :param id: Construct id.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param job_input: File, or folder of files, to read. Default: - a folder of the data bucket
        :param job_output: Folder to write to. Default: - a folder of the data bucket
        :param every: After how much time a job is made again. Default: - when there are other files or another version
        :param filter: Filter of items. Default: - none
        :param num_results: Items for each line. Default: - 25, as the service sets it
        :param item_exploration: How much is explored. Default: - as the service sets it
        :param ranking_influence: Weights of ``POPULARITY`` and ``FRESHNESS``. Default: - none
        :param theme_generation: Have each list named. Default: - no
        :param role: Role that reads and writes. Default: - the service role of the dataset group
        :raises ValueError: When the recipe does not allow it.
        """
        from cdk_personalize.batch_inference_job import BatchInferenceJob

        return BatchInferenceJob(
            self,
            id,
            solution=self,
            job_name=job_name,
            job_input=job_input,
            job_output=job_output,
            every=every,
            filter=filter,
            num_results=num_results,
            item_exploration=item_exploration,
            ranking_influence=ranking_influence,
            theme_generation=theme_generation,
            role=role,
        )

    def add_batch_segment_job(
        self,
        id: str,
        *,
        job_name: str | None = None,
        job_input: S3Location | None = None,
        job_output: S3Location | None = None,
        every: Duration | None = None,
        filter: IFilter | None = None,
        num_results: int | None = None,
        role: iam.IRole | None = None,
    ) -> BatchSegmentJob:
        """Add batch segment jobs as a child. The parameters are those of :class:`BatchSegmentJob`.

        :param id: Construct id.
        :param job_name: What the names of the jobs start with. Default: - the construct path
        :param job_input: File, or folder of files, to read. Default: - a folder of the data bucket
        :param job_output: Folder to write to. Default: - a folder of the data bucket
        :param every: After how much time a job is made again. Default: - when there are other files or another version
        :param filter: Filter of users. Default: - none
        :param num_results: Users for each line. Default: - 25, as the service sets it
        :param role: Role that reads and writes. Default: - the service role of the dataset group
        :raises ValueError: When the recipe finds no user segments.
        """
        from cdk_personalize.batch_segment_job import BatchSegmentJob

        return BatchSegmentJob(
            self,
            id,
            solution=self,
            job_name=job_name,
            job_input=job_input,
            job_output=job_output,
            every=every,
            filter=filter,
            num_results=num_results,
            role=role,
        )

    def _attach_campaign(self, campaign: Campaign) -> None:
        self._campaigns.append(campaign)
        self._dataset_group._campaign_added()

    def _problems(self) -> list[str]:
        """Return what does not fit the datasets of the group, once all of them are declared."""
        schemas = {dataset.dataset_type.value: dataset.schema for dataset in self._dataset_group.datasets}
        problems = [f"solution {self.node.path!r}: {problem}" for problem in self._dataset_problems(schemas)]
        return [*problems, *(problem for campaign in self._campaigns for problem in campaign._problems(schemas))]

    def _dataset_problems(self, schemas: Mapping[str, Schema]) -> Iterable[str]:
        for dataset_type in sorted(self._recipe.required_datasets - schemas.keys()):
            yield f"the recipe {self._recipe.name} needs a dataset of {dataset_type}, declared: {sorted(schemas)}"
        interactions = schemas.get(DatasetType.INTERACTIONS.value)
        if self._needs_event_type and interactions is not None and "EVENT_TYPE" not in interactions.columns:
            yield "event_type and events need the column EVENT_TYPE in INTERACTIONS"
        if self._quality_gate is not None and not self._campaigns:
            yield "quality_gate keeps versions from campaigns, and there is none; add a campaign, or leave it out"
        yield from column_problems(self._excluded_columns, schemas)
        items = schemas.get(DatasetType.ITEMS.value)
        if items is not None:
            yield from self._item_problems(items)
        yield from self._objective_problems(items)

    def _item_problems(self, items: Schema) -> Iterable[str]:
        for mark in self._recipe.item_marks:
            if not any(field.get(mark) for field in items.fields):
                yield (
                    f"the recipe {self._recipe.name} needs a column of ITEMS that is marked {mark}, got "
                    f"{list(items.columns)}"
                )
        own = [field["name"] for field in items.fields if field["name"] not in RESERVED_OF_ITEMS]
        text = [field["name"] for field in items.fields if field.get("textual")]
        if self._recipe.item_attributes and not set(own) - set(text):
            yield (
                f"the recipe {self._recipe.name} needs a column of ITEMS that is neither reserved nor textual, got "
                f"{list(items.columns)}"
            )

    def _objective_problems(self, items: Schema | None) -> Iterable[str]:
        objective = self._optimization_objective
        if objective is None or Token.is_unresolved(objective.item_attribute):
            return
        fields = {field["name"]: field for field in items.fields} if items is not None else {}
        allowed = [
            name
            for name, field in fields.items()
            if avro.value_type(field) in avro.NUMERIC_TYPES and not avro.is_nullable(field)
        ]
        if objective.item_attribute not in allowed:
            yield (
                "item_attribute must be a numeric column of ITEMS that is not nullable, "
                f"got {objective.item_attribute!r}, allowed: {allowed}"
            )


def _training_metrics(solution_arn: str) -> JobMetrics:
    return JobMetrics(SOLUTION_TRAINING_JOB, {"SolutionArn": solution_arn})


def _check_support(parameter: str, value: object, is_supported: bool, recipe: Recipe) -> None:
    if value and recipe.known and not is_supported:
        raise ValueError(f"{parameter} is not available with the recipe {recipe.name}")


def _check_event_type(event_type: str | None, threshold: float | None) -> None:
    if threshold is not None and event_type is None:
        raise ValueError(
            f"event_value_threshold needs event_type, got {threshold!r} alone; "
            "use events for thresholds of several event types"
        )
    if event_type is not None:
        _check_event_type_length("event_type", event_type)


def _check_event_type_length(parameter: str, event_type: str) -> None:
    if not Token.is_unresolved(event_type) and not 1 <= len(event_type) <= limits.EVENT_TYPE_LENGTH:
        raise ValueError(f"{parameter} must have 1 to {limits.EVENT_TYPE_LENGTH} characters, got {event_type!r}")


def _render_hyperparameters(recipe: Recipe, values: Mapping[str, Value]) -> dict[str, dict[str, str]]:
    maps: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        kind = ParameterKind.ALGORITHM
        if recipe.known:
            parameter = recipe.hyperparameter(name)
            _check_hyperparameter(recipe, parameter, value)
            kind = parameter.kind
        maps.setdefault(kind.value, {})[name] = text(value)
    return maps


def _check_hyperparameter(recipe: Recipe, parameter: Hyperparameter, value: Value) -> None:
    if Token.is_unresolved(value):
        return
    if parameter.tuning_only:
        raise ValueError(
            f"hyperparameter {parameter.name!r} of the recipe {recipe.name} can only be set by "
            "the ranges of hyperparameter_optimization"
        )
    if parameter.choices:
        if text(value) not in parameter.choices:
            raise ValueError(
                f"hyperparameter {parameter.name!r} must be one of {list(parameter.choices)}, got {value!r}"
            )
        return
    try:
        number = float(value)
    except ValueError as error:
        raise ValueError(f"hyperparameter {parameter.name!r} must be a number, got {value!r}") from error
    if parameter.type == "integer" and not number.is_integer():
        raise ValueError(f"hyperparameter {parameter.name!r} must be a whole number, got {value!r}")
    _check_within(f"hyperparameter {parameter.name!r}", number, parameter)


def _check_within(subject: str, number: float, parameter: Hyperparameter) -> None:
    low = parameter.minimum if parameter.minimum is not None else float("-inf")
    high = parameter.maximum if parameter.maximum is not None else float("inf")
    if not low <= number <= high:
        raise ValueError(f"{subject} must be from {low} to {high}, got {number}")


def _render_optimization(recipe: Recipe, optimization: HyperparameterOptimization) -> dict[str, Any]:
    tunable = [parameter for parameter in recipe.hyperparameters if parameter.tunable]
    if recipe.known and not tunable:
        raise ValueError(f"hyperparameter_optimization is not available with the recipe {recipe.name}")
    ranges = optimization.ranges or [HyperparameterRange(name=parameter.name) for parameter in tunable]
    # The service wants a list of each kind, even an empty one.
    rendered: dict[str, list[dict[str, Any]]] = {
        "integerHyperParameterRanges": [],
        "continuousHyperParameterRanges": [],
        "categoricalHyperParameterRanges": [],
    }
    for wanted in ranges:
        parameter = _tunable(recipe, tunable, wanted)
        rendered[f"{parameter.type}HyperParameterRanges"].append(_render_range(parameter, wanted))
    resources = {
        "maxNumberOfTrainingJobs": _job_count(
            "max_training_jobs", optimization.max_training_jobs, limits.TRAINING_JOBS
        ),
        "maxParallelTrainingJobs": _job_count(
            "max_parallel_training_jobs", optimization.max_parallel_training_jobs, limits.PARALLEL_TRAINING_JOBS
        ),
    }
    config: dict[str, Any] = {"algorithmHyperParameterRanges": rendered}
    given = {name: value for name, value in resources.items() if value is not None}
    return config | ({"hpoResourceConfig": given} if given else {})


def _tunable(recipe: Recipe, tunable: Sequence[Hyperparameter], wanted: HyperparameterRange) -> Hyperparameter:
    if not recipe.known:
        if wanted.values:
            return Hyperparameter(wanted.name, wanted.values[0], choices=tuple(wanted.values))
        return Hyperparameter(wanted.name, wanted.minimum if wanted.minimum is not None else 0)
    for parameter in tunable:
        if parameter.name == wanted.name:
            return parameter
    allowed = [parameter.name for parameter in tunable]
    raise ValueError(
        f"hyperparameter {wanted.name!r} cannot be tuned with the recipe {recipe.name}, allowed: {allowed}"
    )


def _render_range(parameter: Hyperparameter, wanted: HyperparameterRange) -> dict[str, Any]:
    if parameter.choices:
        values = list(wanted.values or parameter.choices)
        unknown = [value for value in values if value not in parameter.choices]
        if unknown:
            raise ValueError(f"range of {parameter.name!r} must be values of {list(parameter.choices)}, got {unknown}")
        return {"name": parameter.name, "values": values}
    low = wanted.minimum if wanted.minimum is not None else parameter.minimum
    high = wanted.maximum if wanted.maximum is not None else parameter.maximum
    if low is None or high is None or low > high:
        raise ValueError(f"range of {parameter.name!r} must have a minimum up to its maximum, got {low} to {high}")
    _check_within(f"range of {parameter.name!r}", low, parameter)
    _check_within(f"range of {parameter.name!r}", high, parameter)
    return {"name": parameter.name, "minValue": low, "maxValue": high}


def _job_count(parameter: str, value: int | None, maximum: int) -> str | None:
    if value is None:
        return None
    if not Token.is_unresolved(value) and not 1 <= value <= maximum:
        raise ValueError(f"{parameter} must be from 1 to {maximum}, got {value}")
    return text(value)


def _render_events(events: Sequence[EventWeight]) -> list[dict[str, Any]]:
    if not 1 <= len(events) <= limits.EVENTS:
        raise ValueError(f"events must have 1 to {limits.EVENTS} elements, got {len(events)}")
    rendered = []
    for event in events:
        if not Token.is_unresolved(event.weight) and event.weight not in limits.EVENT_WEIGHT:
            raise ValueError(f"weight of the event type {event.event_type!r} must be from 0 to 1, got {event.weight}")
        _check_event_type_length("event_type of events", event.event_type)
        parameters: dict[str, Any] = {"eventType": event.event_type, "weight": event.weight}
        if event.event_value_threshold is not None:
            parameters["eventValueThreshold"] = event.event_value_threshold
        rendered.append(parameters)
    return rendered
