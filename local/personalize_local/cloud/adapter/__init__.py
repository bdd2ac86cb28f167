"""The only code that touches ministack's private parts.

Each module patches one part of it. The version is required exactly, and every patch first checks that what it replaces
has the parameters that it expects (see `expected`). So an upgrade fails at start with the name of what changed, not in
a user's deployment.
"""

from personalize_local.cloud.adapter.install import install
from personalize_local.cloud.adapter.objects import EmulatorObjectStore
from personalize_local.cloud.adapter.permissions import PermissionCheck

__all__ = ["EmulatorObjectStore", "PermissionCheck", "install"]
