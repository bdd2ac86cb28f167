"""The reference is complete and up to date: every public name, parameter and default is explained."""

from __future__ import annotations

import pytest

import cdk_personalize
from tools import reference

ENTRIES = {entry.path: entry for module in reference.modules() for entry in reference.entries(module)}
HEAD_OF_EXAMPLE = """\
# domain

<!-- Written by `python -m tools.reference` from the docstrings; change those, not this page. -->

The domains of Amazon Personalize. This module is pure: it knows nothing of the CDK.

## Domain
"""


def test_every_public_name_has_an_entry() -> None:
    assert set(cdk_personalize.__all__) <= set(ENTRIES)


@pytest.mark.parametrize("path", ENTRIES)
def test_everything_is_explained(path: str) -> None:
    entry = ENTRIES[path]
    assert entry.text, "the docstring is missing"
    explained = [*entry.parameters, *entry.attributes]
    assert [found.name for found in explained if not found.text] == [], "without :param or docstring"
    assert [found.name for found in entry.parameters if found.optional and not found.default] == [], "without Default:"
    assert entry.unknown == [], "explained, but there is no such parameter"


def test_an_entry_says_what_the_docstring_says() -> None:
    entry = ENTRIES["Filter"]
    filter_name = next(found for found in entry.parameters if found.name == "filter_name")
    assert filter_name == reference.Parameter(
        name="filter_name",
        annotation="str | None",
        text="What its name starts with; a hash of the expression follows.",
        default="the construct path",
        optional=True,
    )
    assert [error for error, _ in entry.raises] == ["ValueError"]
    assert "https://docs.aws.amazon.com/personalize/latest/dg/filter.html" in entry.text
    assert ENTRIES["Filter.from_filter_arn"].returned == "IFilter"


def test_a_page_is_markdown() -> None:
    page = reference.pages()["domain.md"]
    assert page.startswith(HEAD_OF_EXAMPLE)
    assert "| `ECOMMERCE` |  | Retail. |" in page
    assert "Filter.from_filter_arn(scope, id, filter_arn) -> IFilter" in reference.pages()["filter.md"]
    assert "``" not in page.replace("```", "")


def test_pages_are_up_to_date() -> None:
    """`python -m tools.reference` writes them."""
    written = {path.name: path.read_text(encoding="utf-8") for path in reference.FOLDER.glob("*.md")}
    assert written == reference.pages()
