"""The grammar of filter expressions, and what to say where a text does not follow it.

Amazon Personalize publishes no grammar: this one is made from its guide's prose, and takes all of its examples. See
https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cache
from typing import Any, Final, NamedTuple

from lark import Lark, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.lexer import Token

# Upper and lower case are the same in keywords: AWS says otherwise, but its own samples mix them.
GRAMMAR: Final = r"""
    start: expression ("|" expression)*
    expression: ACTION TARGET WHERE any_of [IF all_of_user]

    any_of: all_of (OR all_of)*
    all_of: condition (AND condition)*
    all_of_user: user_condition (AND user_condition)*
    item_attributes: condition (AND condition)*

    condition: DATASET "." NAME _test
    user_condition: CURRENT_USER "." NAME _test

    _test: IN values | IN "(" PLACEHOLDER ")" | IN current_item
         | NOT IN values
         | COMPARISON operand | COMPARISON "(" operand ")" | COMPARISON current_item

    values: "(" (STRING | STAR) ("," (STRING | STAR))* ")"
    operand: NUMBER | STRING | PLACEHOLDER
    current_item: CURRENT_ITEM "." NAME

    ACTION.2: /(INCLUDE|EXCLUDE)\b/i
    TARGET.2: /(ItemID|UserID|ActionID)\b/i
    DATASET.2: /(Items|Interactions|Users|Actions|Action_Interactions)\b/i
    CURRENT_USER.2: /CurrentUser\b/i
    CURRENT_ITEM.2: /CurrentItem\b/i
    WHERE.2: /WHERE\b/i
    IF.2: /IF\b/i
    AND.2: /AND\b/i
    OR.2: /OR\b/i
    NOT.2: /NOT\b/i
    IN.2: /IN\b/i
    COMPARISON: /!=|<=|>=|=|<|>/
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    PLACEHOLDER: /\$[A-Za-z0-9_]+/
    STRING: /"[^"]*"/
    NUMBER: /-?[0-9]+(\.[0-9]+)?/
    STAR: "*"

    %ignore /\s+/
"""

_NAMES: Final = {
    "ACTION": "INCLUDE or EXCLUDE",
    "TARGET": "ItemID, UserID or ActionID",
    "DATASET": "a dataset (Items, Interactions, Users, Actions or Action_Interactions)",
    "CURRENT_USER": "CurrentUser",
    "CURRENT_ITEM": "CurrentItem",
    "COMPARISON": "=, !=, <, <=, > or >=",
    "NAME": "the name of a column",
    "PLACEHOLDER": "a placeholder such as $VALUE",
    "STRING": "a value in double quotes",
    "NUMBER": "a number",
    "STAR": "*",
    "LPAR": '"("',
    "RPAR": '")"',
    "COMMA": '","',
    "DOT": '"."',
    "VBAR": '"|"',
    "$END": "the end",
}


class _Hint(NamedTuple):
    """How to mend a mistake.

    :param before: a pattern that the text before the mistake ends with.
    :param at: a pattern that the text begins with where the mistake is.
    """

    before: str
    at: str
    text: str


_LIST_OF_NOT_IN: Final = r"\bNOT\s+IN\s*\([^()]*"
_LIST_OF_IN: Final = r"\bIN\s*\([^()]*"
_AFTER_TEST: Final = r"[\d\")]\s*"
_ANY_DATASET: Final = r"(Items|Interactions|Users|Actions|Action_Interactions|CurrentUser)\s*\."

_OPPOSITE: Final = "cannot follow NOT IN: use IN with the opposite of INCLUDE or EXCLUDE"
_ALONE: Final = "a placeholder stands alone: write IN ($VALUE), and give it several values in the request"

_HINTS: Final = (
    _Hint(r"", r"['\u2018\u2019\u201c\u201d`]", 'write values in straight double quotes: "value"'),
    _Hint(r"", r'"[^"]*\Z', "close the double quotes"),
    _Hint(_LIST_OF_NOT_IN, r"\$", f"a placeholder {_OPPOSITE}"),
    _Hint(r"\bNOT\s+IN\s*", r"\$", f"a placeholder {_OPPOSITE}"),
    _Hint(r"\bNOT\s+IN\s*", r"CurrentItem", f"CurrentItem {_OPPOSITE}"),
    _Hint(_LIST_OF_IN + r",\s*", r"\$", _ALONE),
    _Hint(_LIST_OF_IN, r",", _ALONE),
    _Hint(_LIST_OF_IN, r"\$", "the name of a placeholder has letters, digits and underscores"),
    _Hint(_LIST_OF_IN, r"[-\d]", "values of IN are in double quotes; numbers are compared with =, <, <=, > or >="),
    _Hint(_LIST_OF_IN, r"\w", "write values in double quotes"),
    _Hint(_LIST_OF_IN, r"\)", "write at least one value in the list"),
    _Hint(r"\bIN\s*", r'[$"*]', "write the values of IN in parentheses"),
    _Hint(r"=\s*", r"=", "write = once"),
    _Hint(r"<\s*", r">", "write != for unequal"),
    _Hint(r"[=<>]\s*\(?\s*", r"\w", "write strings in double quotes"),
    _Hint(r"\bIF\b.*", r"IF\b", "an expression has one IF, at its end: join its conditions with AND"),
    _Hint(r"\bIF\b.*", r"OR\b", "conditions of IF are joined with AND only"),
    _Hint(r"\bIF\s+(.*\bAND\s+)?", r"\w", "IF looks at nothing but the user: CurrentUser.<column>"),
    _Hint(r"\b(WHERE|AND|OR)\s*", r"CurrentUser\b", "conditions on the user go to the end, after IF"),
    _Hint(r"\b(WHERE|AND|OR|IF)\s*", r"\(", "conditions cannot be grouped: make several expressions, | between them"),
    _Hint(r"\b(WHERE|AND|OR)\s*", r"NOT\b", "NOT goes before IN only: Items.COLUMN NOT IN (...)"),
    _Hint(r"", r"LIKE\b|BETWEEN\b|IS\b|CONTAINS\b", "tests are IN, NOT IN and comparisons"),
    _Hint(r"", r"&&?", "write AND"),
    _Hint(r"\|\s*", r"\|", "write OR between conditions, one | between expressions"),
    _Hint(r"", r";", "leave it out"),
    _Hint(_AFTER_TEST, _ANY_DATASET, "join conditions with AND or OR"),
    _Hint(_AFTER_TEST, r"(INCLUDE|EXCLUDE)\b", "separate expressions with |"),
)


class FilterSyntaxError(ValueError):
    """The text does not follow the grammar.

    :ivar offset: where, counted from 0.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


EXPRESSION: Final = "start"
ITEM_ATTRIBUTES: Final = "item_attributes"


def parse(text: str, rule: str = EXPRESSION) -> Tree[Token]:
    """Parse a filter expression.

    :param rule: what the text is. Default: - a whole filter expression.
    :raises FilterSyntaxError: where the text first departs from the grammar.
    """
    # What the parser would accept is known only to its interactive form, which has no types.
    progress: Any = _parser().parse_interactive(text, start=rule)
    try:
        progress.exhaust_lexer()
        tree: Tree[Token] = progress.feed_eof()
    except (UnexpectedToken, UnexpectedCharacters) as error:
        offset, found = _found(error, text)
        raise FilterSyntaxError(_describe(text, offset, found, progress.accepts()), offset) from None
    return tree


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", start=[EXPRESSION, ITEM_ATTRIBUTES])


def _found(error: UnexpectedToken | UnexpectedCharacters, text: str) -> tuple[int, str]:
    """Tell where the mistake is, and what is there."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(text.rstrip()), "the end"
    offset = error.pos_in_stream or 0
    return offset, repr(str(error.token)) if isinstance(error, UnexpectedToken) else repr(text[offset])


def _describe(text: str, offset: int, found: str, accepted: Set[str]) -> str:
    allowed = [name for terminal, name in _ORDERED_NAMES if terminal in accepted]
    *others, last = allowed
    message = f"found {found}, expected {', '.join(others) + ' or ' + last if others else last}"
    hint = _hint(text[:offset], text[offset:])
    return f"{message}: {hint}" if hint else message


def _hint(before: str, at: str) -> str | None:
    matching = (
        hint.text
        for hint in _HINTS
        if re.match(hint.at, at, re.IGNORECASE)
        and re.search(rf"(?:{hint.before})\Z", before, re.IGNORECASE | re.DOTALL)
    )
    return next(matching, None)


_KEYWORDS: Final = ("WHERE", "IN", "NOT", "AND", "OR", "IF")
_ORDERED_NAMES: Final = (*((word, word if word != "NOT" else "NOT IN") for word in _KEYWORDS), *_NAMES.items())
