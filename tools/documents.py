"""The code in the documentation, for tests that run it."""

import re
from pathlib import Path

from tools.synthesized import ROOT

DOCS = ROOT / "docs"


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of one language in a Markdown file."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[list[str]]:
    """The commands of a block for a shell, in words and without comments."""
    lines = (line.partition(" #")[0].strip() for line in block.splitlines())
    return [line.split() for line in lines if line]
