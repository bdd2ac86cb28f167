"""Filters: which items a request for recommendations may return."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from aws_cdk import IResource, Resource, Token
from aws_cdk import aws_personalize as personalize
from constructs import Construct

from cdk_personalize._imported import Imported
from cdk_personalize._names import check_name, physical_name
from cdk_personalize._tags import OWNER_TAG, OWNER_TAG_PRIORITY
from cdk_personalize.dataset import Dataset
from cdk_personalize.dataset_group import DatasetGroup, IDatasetGroup
from cdk_personalize.filter_expression import FilterExpression, FilterExpressionError


class IFilter(IResource, Protocol):
    """A filter, whether made here or elsewhere."""

    @property
    def filter_arn(self) -> str:
        """ARN of the filter."""
        ...

    @property
    def filter_name(self) -> str:
        """Name of the filter."""
        ...


class _ImportedFilter(Imported):
    KIND = "filter"

    @property
    def filter_arn(self) -> str:
        return self._arn

    @property
    def filter_name(self) -> str:
        return self._name


class Filter(Resource):
    """A filter, checked against the columns of the dataset group.

    A filter cannot be changed. Its name carries a hash of the expression, so a changed expression makes a new filter
    with another ARN, and the former one is deleted when nothing in the stack refers to it any more.

    See https://docs.aws.amazon.com/personalize/latest/dg/filter.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset_group: IDatasetGroup,
        expression: str,
        filter_name: str | None = None,
    ) -> None:
        """Create the filter.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group whose solutions use it.
        :param expression: The filter expression, of 1 to 2500 characters.
        :param filter_name: What its name starts with; a hash of the expression follows. Default: - the construct path
        :raises ValueError: When the name or the expression is not valid. An unknown column
            is an error of the synthesis, since datasets may be declared later.
        """
        check_name("filter_name", filter_name)
        super().__init__(scope, id)
        self._dataset_group = dataset_group
        self._expression = expression
        self._parsed = self._parse()
        owner = dataset_group.owner if isinstance(dataset_group, DatasetGroup) else dataset_group.node.path
        self._name = physical_name(
            self, content=f"{json.dumps(self.stack.resolve(expression))}\n{owner}", prefix=filter_name
        )
        self._resource = personalize.CfnFilter(
            self,
            "Resource",
            name=self._name,
            dataset_group_arn=dataset_group.dataset_group_arn,
            filter_expression=expression,
        )
        if isinstance(dataset_group, DatasetGroup):
            self._attach(dataset_group)

    @staticmethod
    def from_filter_arn(scope: Construct, id: str, filter_arn: str) -> IFilter:
        """Import a filter that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param filter_arn: Its ARN, which says in which account and Region it is.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedFilter(scope, id, arn=filter_arn)

    @staticmethod
    def from_filter_name(scope: Construct, id: str, filter_name: str) -> IFilter:
        """Import a filter of this account and Region that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param filter_name: Its name.
        :raises ValueError: When it cannot be the name of one.
        """
        return _ImportedFilter(scope, id, name=filter_name)

    @property
    def filter_arn(self) -> str:
        """ARN of the filter."""
        return self._resource.attr_filter_arn

    @property
    def filter_name(self) -> str:
        """Name of the filter; it carries a hash of the expression."""
        return self._name

    @property
    def expression(self) -> str:
        """The filter expression."""
        return self._expression

    @property
    def dataset_group(self) -> IDatasetGroup:
        """The dataset group whose solutions use it."""
        return self._dataset_group

    def _attach(self, dataset_group: DatasetGroup) -> None:
        self._resource.cdk_tag_manager.set_tag(OWNER_TAG, dataset_group.owner, OWNER_TAG_PRIORITY)
        self._resource.node.add_dependency(dataset_group.datasets_ready)
        previous = dataset_group._attach_filter(self)
        if previous is not None:
            # Several at once exceed the rate at which the service takes them.
            self._resource.node.add_dependency(previous)

    def _parse(self) -> FilterExpression | None:
        if Token.is_unresolved(self._expression):
            return None
        return FilterExpression.parse(self._expression)

    def _fields(self) -> frozenset[tuple[str, str]]:
        """Return the fields that it looks at; those of a token are unknown."""
        return self._parsed.fields if self._parsed is not None else frozenset()

    def _problems(self, datasets: Sequence[Dataset]) -> list[str]:
        """Return what does not fit the datasets of the group, once all of them are declared."""
        if self._parsed is None:
            return []
        schemas = {dataset.dataset_type.value: json.loads(dataset.schema.document) for dataset in datasets}
        try:
            self._parsed.check_schemas(schemas)
        except FilterExpressionError as error:
            return [f"filter {self.node.path!r}: {error}"]
        return []
