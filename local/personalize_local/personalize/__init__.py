"""An emulator of Amazon Personalize that really trains."""

from .errors import ServiceError
from .faults import Fault, Faults
from .metrics import Metrics
from .objects import Authorize, ObjectStore, StoredObject
from .service import Personalize
from .settings import Settings
from .store import StoreError
from .uncertain import Uncertain

__all__ = [
    "Authorize",
    "Fault",
    "Faults",
    "Metrics",
    "ObjectStore",
    "Personalize",
    "ServiceError",
    "Settings",
    "StoreError",
    "StoredObject",
    "Uncertain",
]
