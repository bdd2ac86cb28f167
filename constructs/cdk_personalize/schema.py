"""Avro schemas of datasets. This module is pure: it knows nothing of the CDK."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_personalize import avro
from cdk_personalize.dataset_type import DatasetType
from cdk_personalize.domain import Domain
from cdk_personalize.facts.fields import DATASET_RULES
from cdk_personalize.facts.limits import SCHEMA_LENGTH


@dataclass(frozen=True)
class Field:
    """A column of a dataset. Take one of the factories.

    See https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html

    :param name: Column name, as in the header of the CSV files.
    :param type: Avro type of the values.
    :param nullable: Whether values may be missing.
    :param marks: Attributes of the Avro field that are set, such as ``"categorical"``.
    """

    name: str
    type: str
    nullable: bool = False
    marks: tuple[str, ...] = ()

    @staticmethod
    def categorical(name: str, *, nullable: bool = False) -> Field:
        """Categories, used in training and filters. Several in one value are separated by ``|``.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "string", nullable, ("categorical",))

    @staticmethod
    def textual(name: str, *, nullable: bool = False) -> Field:
        """Free text in one language that training analyses; at most one, and only in items.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "string", nullable, ("textual",))

    @staticmethod
    def item_name(name: str, *, nullable: bool = False) -> Field:
        """The names of items, which the recipe Semantic-Similarity needs.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "string", nullable, ("itemName",))

    @staticmethod
    def string(name: str, *, nullable: bool = False) -> Field:
        """Strings that filters and responses can use and that training ignores.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "string", nullable)

    @staticmethod
    def boolean(name: str, *, nullable: bool = False) -> Field:
        """Truth values, ignored by training and by filters.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "boolean", nullable)

    @staticmethod
    def int(name: str, *, nullable: bool = False) -> Field:
        """Integers of 32 bits.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "int", nullable)

    @staticmethod
    def long(name: str, *, nullable: bool = False) -> Field:
        """Integers of 64 bits, such as Unix times in seconds.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "long", nullable)

    @staticmethod
    def float(name: str, *, nullable: bool = False) -> Field:
        """Numbers of single precision.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "float", nullable)

    @staticmethod
    def double(name: str, *, nullable: bool = False) -> Field:
        """Numbers of double precision.

        :param name: Column name.
        :param nullable: Whether values may be missing. Default: - every row has a value
        """
        return Field(name, "double", nullable)

    def to_avro(self) -> dict[str, Any]:
        """Return the field as an element of an Avro record."""
        declared = ["null", self.type] if self.nullable else self.type
        return {"name": self.name, "type": declared} | dict.fromkeys(self.marks, True)


class Schema:
    """The columns of a dataset, checked when it is made.

    Take one of the factories :meth:`interactions`, :meth:`items`, :meth:`users` and :meth:`from_avro`.
    A schema is a value: the same one can be given to several datasets.

    See https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
    """

    def __init__(self, definition: Mapping[str, Any], dataset_type: DatasetType) -> None:
        """Check and take a parsed Avro schema.

        :param definition: The parsed Avro schema.
        :param dataset_type: What the dataset holds.
        :raises ValueError: When the service would not take it.
        """
        try:
            document = json.dumps(definition, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"definition must hold what JSON can say: {error}") from error
        problems = [*avro.check_schema(definition, dataset_type.value, None), *_length_problems(document)]
        if problems:
            raise ValueError(f"schema of {dataset_type.value} is not valid: {'; '.join(problems)}")
        self._document = document
        self._dataset_type = dataset_type

    @staticmethod
    def interactions(
        *fields: Field,
        event_type: bool = False,
        event_value: bool = False,
        impression: bool = False,
        recommendation_id: bool = False,
        event_attribution_source: bool = False,
        domain: Domain | None = None,
    ) -> Schema:
        """Columns of interactions: ``USER_ID``, ``ITEM_ID``, ``TIMESTAMP`` (Unix seconds) and what is asked for.

        :param fields: Further columns, at most 5.
        :param event_type: Whether there is a column ``EVENT_TYPE``. Default: - there is none
        :param event_value: Whether there is a nullable column ``EVENT_VALUE``. Default: - there is none
        :param impression: Whether there is a nullable column ``IMPRESSION``. Default: - there is none
        :param recommendation_id: Whether there is a nullable column ``RECOMMENDATION_ID``. Default: - there is none
        :param event_attribution_source: Whether there is a nullable column ``EVENT_ATTRIBUTION_SOURCE``.
            Default: - there is none
        :param domain: Domain of the dataset group, whose required columns are added. Default: - none
        :raises ValueError: When the service would not take the schema.
        """
        options = {
            Field.string("EVENT_TYPE"): event_type,
            Field.float("EVENT_VALUE", nullable=True): event_value,
            Field.string("IMPRESSION", nullable=True): impression,
            Field.string("RECOMMENDATION_ID", nullable=True): recommendation_id,
            Field.string("EVENT_ATTRIBUTION_SOURCE", nullable=True): event_attribution_source,
        }
        chosen = [field for field, is_wanted in options.items() if is_wanted]
        return _build(DatasetType.INTERACTIONS, domain, *chosen, *fields)

    @staticmethod
    def items(*fields: Field, creation_timestamp: bool = False, domain: Domain | None = None) -> Schema:
        """Columns of items: ``ITEM_ID`` and at least one more.

        :param fields: Further columns, at most 100.
        :param creation_timestamp: Whether there is a column ``CREATION_TIMESTAMP`` (Unix seconds), from which the
            service knows what is new. Default: - there is one where the domain requires it
        :param domain: Domain of the dataset group, whose required columns are added: ``PRICE`` and ``CATEGORY_L1``,
            or ``CREATION_TIMESTAMP`` and ``GENRES``. Default: - none
        :raises ValueError: When the service would not take the schema.
        """
        chosen = [Field.long("CREATION_TIMESTAMP")] if creation_timestamp else []
        return _build(DatasetType.ITEMS, domain, *fields, *chosen)

    @staticmethod
    def users(*fields: Field) -> Schema:
        """Columns of users: ``USER_ID`` and at least one more.

        :param fields: Further columns, at most 25.
        :raises ValueError: When the service would not take the schema.
        """
        return _build(DatasetType.USERS, None, *fields)

    @staticmethod
    def actions(
        *fields: Field,
        value: bool = False,
        creation_timestamp: bool = False,
        expiration_timestamp: bool = False,
        repeat_frequency: bool = False,
    ) -> Schema:
        """Columns of actions: ``ACTION_ID`` and at least one more.

        :param fields: Further columns, at most 10.
        :param value: Whether there is a nullable column ``VALUE``, from 1 to 10. Default: - there is none
        :param creation_timestamp: Whether there is a column ``CREATION_TIMESTAMP`` (Unix seconds).
            Default: - there is none
        :param expiration_timestamp: Whether there is a nullable column ``EXPIRATION_TIMESTAMP`` (Unix seconds).
            Default: - there is none
        :param repeat_frequency: Whether there is a nullable column ``REPEAT_FREQUENCY``, in days up to 30.
            Default: - there is none
        :raises ValueError: When the service would not take the schema.
        """
        options = {
            Field.long("VALUE", nullable=True): value,
            Field.long("CREATION_TIMESTAMP"): creation_timestamp,
            Field.long("EXPIRATION_TIMESTAMP", nullable=True): expiration_timestamp,
            Field.long("REPEAT_FREQUENCY", nullable=True): repeat_frequency,
        }
        chosen = [field for field, is_wanted in options.items() if is_wanted]
        return _build(DatasetType.ACTIONS, None, *fields, *chosen)

    @staticmethod
    def action_interactions(*fields: Field, recommendation_id: bool = False) -> Schema:
        """Columns of action interactions: ``USER_ID``, ``ACTION_ID``, ``EVENT_TYPE`` and ``TIMESTAMP``.

        :param fields: Further columns, at most 5.
        :param recommendation_id: Whether there is a nullable column ``RECOMMENDATION_ID``. Default: - there is none
        :raises ValueError: When the service would not take the schema.
        """
        chosen = [Field.string("RECOMMENDATION_ID", nullable=True)] if recommendation_id else []
        return _build(DatasetType.ACTION_INTERACTIONS, None, *chosen, *fields)

    @staticmethod
    def from_avro(definition: str | Mapping[str, Any]) -> Schema:
        """Take an existing Avro schema; its ``name`` says what the dataset holds.

        :param definition: The schema, as JSON text or parsed.
        :raises ValueError: When it is not JSON or the service would not take it.
        """
        if isinstance(definition, str):
            try:
                definition = json.loads(definition)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"definition must be an Avro schema in JSON: {error}") from error
        if not isinstance(definition, Mapping):
            raise ValueError(f"definition must be a JSON object, got {definition!r}")
        name = definition.get("name")
        for dataset_type in DatasetType:
            if isinstance(name, str) and name.replace("_", "").casefold() == dataset_type.record_name.casefold():
                return Schema(definition, dataset_type)
        allowed = [dataset_type.record_name for dataset_type in DatasetType]
        raise ValueError(f'"name" of an Avro schema must be one of {allowed}, got {name!r}')

    @property
    def dataset_type(self) -> DatasetType:
        """What the dataset holds."""
        return self._dataset_type

    def problems_in(self, domain: Domain | None) -> list[str]:
        """Return why a dataset group of a domain would not take the schema; empty when it would.

        :param domain: The domain. ``None``: a custom dataset group.
        """
        return avro.check_schema(json.loads(self._document), self._dataset_type.value, domain and domain.value)

    @property
    def document(self) -> str:
        """The Avro schema as JSON text."""
        return self._document

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(field["name"] for field in self.fields)

    @property
    def fields(self) -> tuple[Mapping[str, Any], ...]:
        """The columns as Avro fields, in order."""
        return tuple(json.loads(self._document)["fields"])

    @property
    def content_hash(self) -> str:
        """Sixteen hexadecimal digits that are equal for equal schemas, however they are written."""
        canonical = json.dumps(json.loads(self._document), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        """Return whether both describe the same columns."""
        return isinstance(other, Schema) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        """Return a hash that fits equality."""
        return hash(self.content_hash)

    def __repr__(self) -> str:
        """Return the factory-like form."""
        return f"Schema({self._dataset_type.value}: {', '.join(self.columns)})"


def _length_problems(document: str) -> Iterator[str]:
    if len(document) > SCHEMA_LENGTH:
        yield f"a schema has at most {SCHEMA_LENGTH} characters, got {len(document)}"


def _build(dataset_type: DatasetType, domain: Domain | None, *fields: Field) -> Schema:
    """Build a schema of the required columns, and then those given, each once."""
    rules = DATASET_RULES[domain and domain.value][dataset_type.value].fields
    required = [
        Field(name, rule.type, marks=("categorical",) if rule.categorical else ())
        for name, rule in rules.items()
        if rule.required
    ]
    chosen = [*required, *(field for field in fields if field not in required)]
    return Schema(
        {
            "type": "record",
            "name": dataset_type.record_name,
            "namespace": avro.NAMESPACE,
            "fields": [field.to_avro() for field in chosen],
            "version": avro.VERSION,
        },
        dataset_type,
    )
