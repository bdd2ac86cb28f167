"""Which calls of AWS the functions of the Lambda code make, and those that they call: read from the code."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import botocore.session
from botocore import xform_name

PACKAGE: Final = "personalize_lambda"
LAMBDA: Final = Path(__file__).parents[3] / "lambda" / PACKAGE
#: Services that are called, and the prefixes of their actions
SERVICES: Final = {
    "cloudformation": "cloudformation",
    "dynamodb": "dynamodb",
    "events": "events",
    "personalize": "personalize",
    "s3": "s3",
    "sns": "sns",
    "stepfunctions": "states",
}
#: Actions that have another name than the operation
ACTIONS: Final = {
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
}


class Calls:
    """The functions and classes of the code, and the constants, by ``module.name``.

    A call is an attribute named like the method of a client, or a string that is its name, as for paginators.

    :param composed: Actions that a function calls by a name that is put together.
    """

    def __init__(self, composed: Mapping[str, tuple[str, ...]]) -> None:
        self._composed = composed
        self._nodes: dict[str, ast.AST] = {}
        self._names: dict[str, dict[str, str]] = {}
        for path in sorted(LAMBDA.rglob("*.py")):
            module = ".".join(path.relative_to(LAMBDA).with_suffix("").parts).removesuffix(".__init__")
            self._read(module, ast.parse(path.read_text()))

    def reached_from(self, roots: Collection[str], *, without: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Every function that is reached, with every action that it calls.

        :param roots: Functions to begin with; each has to be there.
        :param without: Functions that are not called from there.
        """
        seen, left = {*without}, list(roots)
        if unknown := {*roots, *without, *self._composed} - self._nodes.keys():
            raise AssertionError(f"there is no {', '.join(sorted(unknown))} in the code any more")
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            yield from ((name, action) for action in self._composed.get(name, ()))
            module = name.rpartition(".")[0]
            for node in ast.walk(self._nodes[name]):
                yield from ((name, action) for action in self._actions(node))
                left += self._references(module, node)

    def _read(self, module: str, tree: ast.Module) -> None:
        names = self._names.setdefault(module, {})
        for node in tree.body:
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    defined = [name]
                case ast.Assign(targets=targets):
                    defined = [target.id for target in targets if isinstance(target, ast.Name)]
                case ast.AnnAssign(target=ast.Name(id=name)):
                    defined = [name]
                case ast.ImportFrom():
                    names |= _imported(module, node)
                    defined = []
                case _:
                    defined = []
            for name in defined:
                self._nodes[f"{module}.{name}"] = node
                names[name] = f"{module}.{name}"

    def _references(self, module: str, node: ast.AST) -> Iterator[str]:
        names = self._names[module]
        match node:
            case ast.Name(id=name) if name in names:
                found = names[name]
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in names:
                found = f"{names[name]}.{attribute}"
            case _:
                return
        if found in self._nodes:
            yield found

    def _actions(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Attribute(attr=name, value=value):
                client = ast.unparse(value)
            case ast.Constant(value=str(name)):
                client = ""
            case _:
                return
        found = self._operations.get(name, {})
        if len(found) > 1:  # methods that several clients have: the client is called like its service
            found = {service: action for service, action in found.items() if service in client}
            if len(found) != 1:
                raise AssertionError(f"which client {ast.unparse(node)} is called on cannot be read from the code")
        yield from found.values()

    @cached_property
    def _operations(self) -> dict[str, dict[str, str]]:
        """By the name of a method: the actions that it may stand for, by service."""
        session, found = botocore.session.get_session(), dict[str, dict[str, str]]()
        for service, prefix in SERVICES.items():
            for operation in session.get_service_model(service).operation_names:
                action = f"{prefix}:{operation}"
                found.setdefault(xform_name(operation), {})[service] = ACTIONS.get(action, action)
        return found


def _imported(module: str, node: ast.ImportFrom) -> dict[str, str]:
    """What a statement imports from the code, by the names that it gets."""
    base = node.module or ""
    if node.level:
        package = module.split(".")[: -node.level]
        base = ".".join([*package, *([base] if base else [])])
    elif base.partition(".")[0] != PACKAGE:
        return {}
    base = base.removeprefix(PACKAGE).lstrip(".")
    return {alias.asname or alias.name: f"{base}.{alias.name}".lstrip(".") for alias in node.names}
