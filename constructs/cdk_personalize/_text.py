"""Values as the service takes them in maps of strings."""

from __future__ import annotations

from aws_cdk import Token

Value = str | int | float | bool


def text(value: Value) -> str:
    """Write a value; ``False`` and 0 are values, and tokens stay tokens."""
    if Token.is_unresolved(value):
        return Token.as_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
