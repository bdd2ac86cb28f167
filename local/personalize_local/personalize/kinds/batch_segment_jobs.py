"""Batch segment jobs: the users with the most affinity to items or to their attributes.

See https://docs.aws.amazon.com/personalize/latest/dg/getting-user-segments.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cdk_personalize.filter_expression import FilterExpression, FilterExpressionError
from cdk_personalize.recipe import RecipeType

from ..batch import Batch, Line, check_paths, request_of, run_batch, text_member
from ..crud import Behaviour
from ..engine import Attributes, Context, Parameters
from ..errors import JobError, invalid_input
from ..filters import Catalogue, CompiledFilter, FilterValueError, Request
from ..lifecycle import Work
from ..recommendations import DEFAULT_RESULTS
from ..recommenders.data import Table
from ..recommenders.user_segments import SegmentModel
from ..state import Record, Scope
from ..uncertain import BATCH_USERS
from .datasets import dataset_of, entities_of
from .filters import View, check_filter
from .recipes import find_recipe

BY_ATTRIBUTE = "aws-item-attribute-affinity"
_LIMITS = {"aws-item-affinity": "item_affinity_queries", BY_ATTRIBUTE: "item_attribute_affinity_queries"}


def check(context: Context, parameters: Parameters) -> Attributes:
    """Check that recipe and filter go together."""
    check_paths(parameters)
    version = context.scope.get("SolutionVersion", parameters["solutionVersionArn"])
    group = version.attributes["datasetGroupArn"]
    recipe = find_recipe(version.attributes["recipeArn"])
    if recipe.recipe_type is not RecipeType.USER_SEGMENTATION:
        raise invalid_input(f"Batch segment jobs cannot use solution versions of the recipe {recipe.name}.")
    count, most = parameters.get("numResults", DEFAULT_RESULTS), context.engine.quotas["users_per_segment"]
    if not 0 <= count <= most:
        raise invalid_input(f"numResults must be from 0 to {most}, got {count}.")
    if "filterArn" in parameters:
        check_filter(context, group, parameters["filterArn"], recipe)
    recipe_arn = version.attributes["recipeArn"]
    return {**parameters, "numResults": count, "datasetGroupArn": group, "recipeArn": recipe_arn}


def work(context: Context, record: Record) -> Work:
    """Find a segment for each line."""
    engine, attributes = context.engine, record.attributes
    recipe = find_recipe(attributes["recipeArn"])
    model = context.scope.versions[attributes["solutionVersionArn"]].model

    def run() -> None:
        if not isinstance(model, SegmentModel):
            raise JobError(f"The model of {attributes['solutionVersionArn']} is no model of user segments.")
        segments: SegmentModel = model
        with engine.state.lock:
            view = View.of(context, attributes["datasetGroupArn"], recipe, {})
            items = _Items.of(context.scope, attributes["datasetGroupArn"])

        def answer(line: Line) -> Mapping[str, Any]:
            if recipe.name == BY_ATTRIBUTE:
                item_ids = items.with_attributes(text_member(line, "itemAttributes"))
            else:
                item_ids = [text_member(line, "itemId")]
            with engine.state.lock:
                allowed = view.chosen(request_of(line, (), attributes))
            found = segments.users(item_ids, allowed=allowed, count=attributes["numResults"])
            return {BATCH_USERS: [user.item_id for user in found]}

        batch = Batch.of(attributes, engine.quotas[_LIMITS[recipe.name]], answer)
        run_batch(context, batch, engine.log.getChild("batch"))

    return run


class _Items:
    """The Items dataset, to find items by their attributes in."""

    def __init__(self, table: Table, schema: Mapping[str, Any] | None) -> None:
        self._catalogue = Catalogue(table)
        self._schemas = {} if schema is None else {"ITEMS": schema}

    @classmethod
    def of(cls, scope: Scope, group: str) -> _Items:
        dataset, found = dataset_of(scope, group, "ITEMS"), entities_of(scope, group, "ITEMS")
        if dataset is None or found is None:
            return cls(Table(np.empty(0, dtype=object)), None)
        schema = scope.get("Schema", dataset.attributes["schemaArn"]).attributes["schema"]
        return cls(found[0].table(found[1]), json.loads(schema))

    def with_attributes(self, text: str) -> list[str]:
        """Find the items that have all attributes.

        :raises ServiceError: if the text is wrong, or there is no such item.
        """
        try:
            expression = FilterExpression.of_item_attributes(text)
            expression.check_schemas(self._schemas)
            mask = CompiledFilter(expression).mask(self._catalogue, Request())
        except (FilterExpressionError, FilterValueError) as error:
            raise invalid_input(f"itemAttributes: {error}") from error
        if not mask.any():
            raise invalid_input(f"No item has the attributes {text}.")
        found: list[str] = self._catalogue.ids[mask].tolist()
        return found


BEHAVIOUR = Behaviour(prepare=check, work=work)
