"""Errors of the Amazon States Language that the emulator lets pass.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import json
from collections.abc import Callable
from typing import Any, Final

from ministack.services import stepfunctions

from personalize_local.cloud.adapter.expected import wrap

NOT_CAUGHT_BY_ALL: Final = frozenset({"States.Runtime", "States.DataLimitExceeded"})
_Function = Callable[..., Any]


def register() -> None:
    """Make the errors occur, and be caught, as on AWS."""
    wrap(stepfunctions, "_error_matches", "error_equals error", _terminal_errors)
    wrap(stepfunctions, "_resolve_params_obj", "template data ctx", _missing_paths)
    wrap(stepfunctions, "_evaluate_jsonata_choice_rule", "rule raw_input ctx", _boolean_conditions)


def _terminal_errors(original: _Function) -> _Function:
    def matches(error_equals: list[str], error: str) -> bool:
        if error in NOT_CAUGHT_BY_ALL:
            return error in error_equals
        return bool(original(error_equals, error))

    return matches


def _missing_paths(original: _Function) -> _Function:
    def resolve(template: Any, data: Any, ctx: Any = None) -> Any:
        if isinstance(template, dict):
            for field, path in template.items():
                if field.endswith(".$") and isinstance(path, str) and path.startswith("$"):
                    _require(field, path, data, ctx)
        return original(template, data, ctx)

    return resolve


def _require(field: str, path: str, data: Any, ctx: Any) -> None:
    """Fail when a JSONPath of fields and indexes finds nothing; wildcards find at least an empty list."""
    in_context = path.startswith("$$")
    if in_context and ctx is None:
        return
    found = ctx if in_context else data
    for kind, key in stepfunctions._parse_jsonpath_tokens(path[1:] if in_context else path) or []:
        if kind not in ("field", "index"):
            return
        if (kind == "field" and isinstance(found, dict) and key in found) or (
            kind == "index" and isinstance(found, list) and key < len(found)
        ):
            found = found[key]
            continue
        raise stepfunctions._ExecutionError(
            "States.Runtime",
            f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input "
            f"'{json.dumps(data)}'",
        )


def _boolean_conditions(original: _Function) -> _Function:
    def evaluate(rule: dict[str, Any], raw_input: Any, ctx: Any) -> bool:
        value = stepfunctions._apply_jsonata_template(rule.get("Condition"), raw_input, ctx)
        if not isinstance(value, bool):
            raise stepfunctions._ExecutionError(
                "States.QueryEvaluationError",
                f"The JSONata expression '{rule.get('Condition')}' specified for the field 'Condition' returned an "
                f"unexpected result type. Expected 'boolean', but was '{stepfunctions._json_type(value)}'",
            )
        return value

    return evaluate
