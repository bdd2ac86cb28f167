"""An emulator of Amazon Personalize that really trains."""

from .errors import ServiceError
from .faults import Fault
from .objects import Authorize, ObjectStore, StoredObject
from .service import Personalize
from .settings import Settings
from .uncertain import Uncertain

__all__ = [
    "Authorize",
    "Fault",
    "ObjectStore",
    "Personalize",
    "ServiceError",
    "Settings",
    "StoredObject",
    "Uncertain",
]
