"""The workflow: runs that make slow things true."""

from .deadlines import Deadlines
from .workflow import Workflow

__all__ = ["Deadlines", "Workflow"]
