"""Every operation that is emulated, by service and name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import events, recommendations, tags
from .crud import Behaviour, create, delete, describe, list_all, move
from .engine import Context, Parameters
from .kinds import (
    batch_inference_jobs,
    batch_segment_jobs,
    campaigns,
    data_deletion_jobs,
    dataset_export_jobs,
    dataset_groups,
    dataset_import_jobs,
    datasets,
    event_trackers,
    filters,
    metric_attributions,
    recipes,
    recommenders,
    schemas,
    solution_versions,
    solutions,
)
from .resources import KINDS

Run = Callable[[Context, Parameters], Mapping[str, Any]]


@dataclass(frozen=True)
class Operation:
    """One operation.

    :param locked: whether it runs with the lock held. Default: - it does; the others take it for as long as needed.
    """

    run: Run
    locked: bool = True


BEHAVIOURS: Mapping[str, Behaviour] = {
    "Schema": schemas.BEHAVIOUR,
    "DatasetGroup": dataset_groups.BEHAVIOUR,
    "Dataset": datasets.BEHAVIOUR,
    "DatasetImportJob": dataset_import_jobs.BEHAVIOUR,
    "DatasetExportJob": dataset_export_jobs.BEHAVIOUR,
    "DataDeletionJob": data_deletion_jobs.BEHAVIOUR,
    "MetricAttribution": metric_attributions.BEHAVIOUR,
    "Solution": solutions.BEHAVIOUR,
    "SolutionVersion": solution_versions.BEHAVIOUR,
    "Campaign": campaigns.BEHAVIOUR,
    "EventTracker": event_trackers.BEHAVIOUR,
    "Filter": filters.BEHAVIOUR,
    "Recommender": recommenders.BEHAVIOUR,
    "BatchInferenceJob": batch_inference_jobs.BEHAVIOUR,
    "BatchSegmentJob": batch_segment_jobs.BEHAVIOUR,
}
_VERBS: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "Create": create,
    "Describe": describe,
    "List": list_all,
    "Delete": delete,
}

_GENERAL: dict[tuple[str, str], Operation] = {
    ("personalize", f"{verb}{kind.plural if verb == 'List' else kind.name}"): Operation(
        partial(_VERBS[verb], kind=kind, behaviour=BEHAVIOURS[kind.name])
    )
    for kind in KINDS.values()
    for verb in kind.verbs
}
_MOVES: dict[tuple[str, str], Operation] = {
    ("personalize", name): Operation(partial(move, kind=kind)) for kind in KINDS.values() for name in kind.moves
}
_SPECIAL: dict[tuple[str, str], Operation] = {
    ("personalize", "UpdateDataset"): Operation(datasets.update),
    ("personalize", "UpdateMetricAttribution"): Operation(metric_attributions.update),
    ("personalize", "ListMetricAttributionMetrics"): Operation(metric_attributions.list_metrics),
    ("personalize", "UpdateSolution"): Operation(solutions.update),
    ("personalize", "UpdateCampaign"): Operation(campaigns.update),
    ("personalize", "UpdateRecommender"): Operation(recommenders.update),
    ("personalize", "GetSolutionMetrics"): Operation(solution_versions.metrics),
    ("personalize", "ListRecipes"): Operation(recipes.list_recipes),
    ("personalize", "DescribeRecipe"): Operation(recipes.describe_recipe),
    ("personalize", "DescribeAlgorithm"): Operation(recipes.describe_algorithm),
    ("personalize", "DescribeFeatureTransformation"): Operation(recipes.describe_feature_transformation),
    ("personalize", "TagResource"): Operation(tags.tag_resource),
    ("personalize", "UntagResource"): Operation(tags.untag_resource),
    ("personalize", "ListTagsForResource"): Operation(tags.list_tags_for_resource),
    ("personalize-events", "PutEvents"): Operation(events.put_events),
    ("personalize-events", "PutItems"): Operation(events.put_items),
    ("personalize-events", "PutUsers"): Operation(events.put_users),
    ("personalize-events", "PutActions"): Operation(events.put_actions),
    ("personalize-events", "PutActionInteractions"): Operation(events.put_action_interactions),
    ("personalize-runtime", "GetRecommendations"): Operation(recommendations.get_recommendations, locked=False),
    ("personalize-runtime", "GetPersonalizedRanking"): Operation(
        recommendations.get_personalized_ranking, locked=False
    ),
    ("personalize-runtime", "GetActionRecommendations"): Operation(
        recommendations.get_action_recommendations, locked=False
    ),
}

OPERATIONS: Mapping[tuple[str, str], Operation] = {**_GENERAL, **_MOVES, **_SPECIAL}
