"""Writes docs/reference/, a page per public module, from the docstrings: `python -m tools.reference`.

What is public says ``_EXPORTS`` of cdk_personalize, so a new module has a page as soon as it is listed there.
"""

import ast
import enum
import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from textwrap import dedent
from typing import Any, NamedTuple, cast

import cdk_personalize
from tools.synthesized import ROOT

FOLDER = ROOT / "docs" / "reference"
LONGEST_LINE = 100

_FIELD = re.compile(r"^:(?:param (?P<parameter>\w+)|raises (?P<error>\w+)): *", re.MULTILINE)
_DEFAULT = re.compile(r"\s*(?:\bDefault: (?:- )?|``None``: )")
_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_EXAMPLE = re.compile(r"::\n\n((?: {4}.*\n|\n)+)")
_SAME_EVERYWHERE = ("scope", "id")

_MARK = "<!-- Written by `python -m tools.reference` from the docstrings; change those, not this page. -->"
_INDEX = f"""# Reference

{_MARK}

What `import cdk_personalize` gives, a page per module. The parameters `scope` and `id` of a construct or an importer
are those of every construct of the CDK, and are not explained again.

| Page | Names |
|---|---|
"""


class Parameter(NamedTuple):
    """A parameter, or an attribute, of what a page describes."""

    name: str
    annotation: str
    text: str
    default: str | None = None
    """What the docstring says of its default; a value other than ``None`` speaks for itself."""
    optional: bool = False


class Entry(NamedTuple):
    """A class, method or function of a page."""

    path: str
    """Such as ``Filter.from_filter_arn``."""
    text: str
    parameters: list[Parameter]
    attributes: list[Parameter]
    raises: list[tuple[str, str]]
    returned: str
    unknown: list[str]
    """What the docstring explains and there is not."""


def modules() -> dict[str, list[str]]:
    """The public names by module, as the package exports them."""
    return {module: sorted(names) for module, names in sorted(cdk_personalize._EXPORTS.items())}


def entries(module: str) -> Iterator[Entry]:
    """What the page of a module describes, in its order."""
    for name in modules()[module]:
        value = getattr(cdk_personalize, name)
        if not inspect.isclass(value):
            yield _entry(name, value, value.__doc__)
            continue
        yield _class(name, value)
        for member, raw in vars(value).items():
            function = getattr(raw, "__func__", raw)
            if not member.startswith("_") and inspect.isfunction(function):
                yield _entry(f"{name}.{member}", function, function.__doc__)


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    rows = (f"| [{m}]({m}.md) | {', '.join(f'`{name}`' for name in names)} |\n" for m, names in modules().items())
    return {"README.md": _INDEX + "".join(rows), **{f"{m}.md": "\n".join(_page(m)) + "\n" for m in modules()}}


def examples(text: str) -> list[str]:
    """The examples in a docstring: the blocks after ``::``, except those for a shell."""
    found = (dedent(block) for block in _EXAMPLE.findall(f"{text}\n"))
    return [example for example in found if not example.startswith("aws ")]


def write() -> None:
    """Write all pages, and remove those of modules that are gone."""
    FOLDER.mkdir(exist_ok=True)
    texts = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _class(name: str, value: type) -> Entry:
    own = vars(value)
    constructor = own.get("__new__" if issubclass(value, tuple) else "__init__")
    if issubclass(value, enum.Enum) or getattr(value, "_is_protocol", False):
        constructor = None
    document = inspect.cleandoc(value.__doc__ or "")
    if constructor and "__dataclass_fields__" not in own and not issubclass(value, tuple):
        _, _, further = inspect.cleandoc(constructor.__doc__ or "").partition(
            "\n\n"
        )  # the first line says "Create ..."
        document = f"{document}\n\n{further}"
    entry = _entry(name, constructor, document)
    fields = {parameter.name for parameter in entry.parameters}
    constants = [found for found in _assigned(value) if found.name not in fields]
    return entry._replace(attributes=[*constants, *_properties(value)], returned="")


def _properties(value: type) -> Iterator[Parameter]:
    for name, raw in vars(value).items():
        if isinstance(raw, property) and not name.startswith("_"):
            yield Parameter(name, _annotation(raw.fget.__annotations__["return"]), inspect.getdoc(raw) or "")


def _assigned(value: type) -> Iterator[Parameter]:
    """Constants, and members of an enumeration, with the docstrings below them."""
    body = cast(ast.ClassDef, ast.parse(dedent(inspect.getsource(value))).body[0]).body
    for statement, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
            annotation = ast.unparse(statement.annotation) if isinstance(statement, ast.AnnAssign) else ""
            if not ast.unparse(target).startswith("_"):
                text = (
                    after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
                )
                yield Parameter(ast.unparse(target), _annotation(annotation), inspect.cleandoc(str(text)))


def _entry(path: str, function: Any, document: str | None) -> Entry:
    text, said, raises = _parse(inspect.cleandoc(document or ""))
    signature = inspect.signature(function) if function else inspect.Signature()
    parameters = []
    for name, parameter in signature.parameters.items():
        if name not in ("self", "cls", "_cls"):
            optional = parameter.default is not parameter.empty
            explained, default = said.pop(name, ""), None
            if optional:
                explained, *defaults = _DEFAULT.split(explained, maxsplit=1)
                value = None if parameter.default is None else f"`{_value(parameter.default)}`"
                default = defaults[0] if defaults else value
            annotation = "" if parameter.annotation is parameter.empty else _annotation(parameter.annotation)
            parameters.append(Parameter(name, annotation, explained, default, optional))
    returned = signature.return_annotation
    known = "" if returned in (signature.empty, None, "None") else _annotation(returned)
    return Entry(path, text, parameters, [], raises, known, sorted(said))


def _parse(document: str) -> tuple[str, dict[str, str], list[tuple[str, str]]]:
    """The text of a docstring, what it says of parameters and of errors."""
    paragraphs: list[str] = []
    said: dict[str, str] = {}
    raises: list[tuple[str, str]] = []
    found = list(_FIELD.finditer(document))
    ends = [*(match.start() for match in found[1:]), len(document)]
    paragraphs.append(document[: found[0].start()] if found else document)
    for match, end in zip(found, ends, strict=False):
        explained, _, rest = document[match.end() : end].partition("\n\n")
        paragraphs.append(rest)
        name = match["parameter"]
        if name:
            said[name] = re.sub(r"\s+", " ", explained).strip()
        else:
            raises.append((match["error"], explained))
    return "\n\n".join(paragraph.strip() for paragraph in paragraphs if paragraph.strip()), said, raises


def _page(module: str) -> Iterator[str]:
    document = inspect.getdoc(importlib.import_module(f"cdk_personalize.{module}")) or ""
    yield from (f"# {module}", "", _MARK, "", _markdown(document))
    for entry in entries(module):
        shown = [found for found in entry.parameters if found.name not in _SAME_EVERYWHERE or found.optional]
        yield from ("", f"{'###' if '.' in entry.path else '##'} {entry.path}", "")
        if entry.parameters or "." in entry.path:
            yield from ("```text", _call(entry), "```", "")
        yield _markdown(entry.text)
        yield from _table(("Parameter", "Type", "", "Default"), shown)
        yield from _table(("Attribute", "Type", ""), entry.attributes)
        for error, text in entry.raises:
            yield from ("", f"Raises `{error}`: {_inline(text)}")


def _call(entry: Entry) -> str:
    names = [f"{found.name}=..." if found.optional else found.name for found in entry.parameters]
    returned = f" -> {entry.returned}" if entry.returned else ""
    call = f"{entry.path}({', '.join(names)}){returned}"
    return (
        call
        if len(call) <= LONGEST_LINE
        else "".join((f"{entry.path}(\n    ", ",\n    ".join(names), f",\n){returned}"))
    )


def _table(head: Sequence[str], rows: Sequence[Parameter]) -> Iterator[str]:
    if rows:
        yield from ("", f"| {' | '.join(head)} |", "|---" * len(head) + "|")
    for row in rows:
        default = (row.default or "") if row.optional else "required"
        annotation = f"`{row.annotation}`" if row.annotation else ""
        cells = (f"`{row.name}`", annotation, _inline(row.text), _inline(default))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells[: len(head)]) + " |"


def _value(value: Any) -> str:
    if isinstance(value, frozenset):  # has no order of its own
        return f"{{{', '.join(sorted(map(repr, value)))}}}" if value else "set()"
    return str(value) if isinstance(value, enum.Enum) else repr(value)


def _annotation(annotation: Any) -> str:
    annotation = getattr(annotation, "__forward_arg__", annotation)
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:cdk_personalize|aws_cdk|collections|typing)(?:\.[a-z_]+)*\.", "", text)


def _markdown(text: str) -> str:
    return _ROLE.sub(r"`\1`", text).replace("``", "`").replace("::\n", ":\n")


def _inline(text: str) -> str:
    return re.sub(r"\s+", " ", _markdown(text)).strip()


if __name__ == "__main__":
    write()
