"""Where the library refuses something: its ``raise`` statements, and the problems that generators yield."""

from __future__ import annotations

import ast
import gc
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

import cdk_personalize

ROOT = Path(cdk_personalize.__file__).parent


class Site(NamedTuple):
    """A statement that refuses something."""

    path: str
    line: int
    end: int

    def __str__(self) -> str:
        """Return where it is, and what it is."""
        lines = (ROOT / self.path).read_text().splitlines()[self.line - 1 : self.end]
        return f"{self.path}:{self.line}: {' '.join(line.strip() for line in lines)}"

    @property
    def text(self) -> str:
        """The statement on one line."""
        return str(self).split(": ", 1)[1]


def sites() -> list[Site]:
    """Return all of them."""
    return [
        Site(path.relative_to(ROOT).as_posix(), node.lineno, node.end_lineno or node.lineno)
        for path in sorted(ROOT.rglob("*.py"))
        if "_lambda" not in path.parts
        for node in ast.walk(_tree(path))
        if _refuses(node)
    ]


def _refuses(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


Lines = Set[tuple[str, int, CodeType]]


def lines_run(run: Callable[[], object]) -> tuple[object, Lines]:
    """Run something; return its result and the lines of the library that ran."""
    seen: set[tuple[str, int, CodeType]] = set()
    root = str(ROOT)

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno, frame.f_code))
        return on_line

    def on_call(frame: FrameType, _event: str, _: Any) -> Any:
        return on_line if frame.f_code.co_filename.startswith(root) else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        return run(), seen
    finally:
        sys.settrace(before)


def code_at(site: Site, lines: Lines) -> CodeType | None:
    """Return the code that ran at a site; ``None`` when it did not run."""
    path = str(ROOT / site.path)
    return next(
        (
            code
            for name, line, code in lines
            if name == path and site.line <= line <= site.end and not code.co_name.startswith("<")
        ),
        None,
    )


@contextmanager
def disabled(site: Site, code: CodeType) -> Iterator[None]:
    """Take a statement out of the functions that run it, for a while.

    :param code: The code of the functions.
    """
    without = _code_without(site, code)
    functions = _functions()[code]
    for function in functions:
        function.__code__ = without
    try:
        yield
    finally:
        for function in functions:
            function.__code__ = code


@cache
def _functions() -> dict[CodeType, list[FunctionType]]:
    found: dict[CodeType, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(ROOT)):
            found[one.__code__].append(one)
    return found


class _Without(ast.NodeTransformer):
    def __init__(self, site: Site) -> None:
        self._site = site

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if _refuses(node) and getattr(node, "lineno", 0) == self._site.line:
            # what yields stays a generator
            text = "pass" if isinstance(node, ast.Raise) else "yield from ()"
            return ast.copy_location(ast.parse(text).body[0], node)
        return super().generic_visit(node)


def _code_without(site: Site, code: CodeType) -> CodeType:
    path = ROOT / site.path
    tree = _Without(site).visit(deepcopy(_tree(path)))
    compiled = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    return next(
        one
        for one in _all_code(compiled)
        if (one.co_qualname, one.co_firstlineno) == (code.co_qualname, code.co_firstlineno)
    )


def _all_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_code(constant)
