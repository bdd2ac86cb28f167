"""The columns of a dataset, as its Avro schema declares them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

NUMBERS = frozenset({"int", "long", "float", "double"})
ID_COLUMNS = {
    "INTERACTIONS": ("USER_ID", "ITEM_ID"),
    "ITEMS": ("ITEM_ID",),
    "USERS": ("USER_ID",),
    "ACTIONS": ("ACTION_ID",),
    "ACTION_INTERACTIONS": ("USER_ID", "ACTION_ID"),
}


@dataclass(frozen=True)
class Column:
    """One column.

    :param type: the Avro type that is not null.
    """

    name: str
    type: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False
    item_name: bool = False

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.type in NUMBERS

    @property
    def property_name(self) -> str:
        """How events and PutItems name it: in camel case."""
        head, *rest = self.name.lower().split("_")
        return head + "".join(word.capitalize() for word in rest)


@lru_cache(maxsize=1000)
def columns_of(schema: str) -> tuple[Column, ...]:
    """Read the columns of a schema that was checked before.

    :param schema: Avro, as JSON.
    """
    return tuple(_column(field) for field in json.loads(schema)["fields"])


def by_property(columns: Iterable[Column]) -> Mapping[str, Column]:
    """Find columns by the name of a property, however it is written."""
    return {folded(column.name): column for column in columns}


def folded(name: str) -> str:
    """What is left of a name when case, underscores and the like do not count."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _column(field: Mapping[str, object]) -> Column:
    declared = field["type"]
    types = [str(option) for option in declared] if isinstance(declared, list) else [str(declared)]
    return Column(
        name=str(field["name"]),
        type=next((option for option in types if option != "null"), "null"),
        nullable="null" in types,
        categorical=field.get("categorical") is True,
        textual=field.get("textual") is True,
        item_name=field.get("itemName") is True,
    )
