"""What goes wrong in a fault run: everything follows from its seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import botocore.session

PHASES: Final = ("create", "data", "retrain", "change", "destroy")
#: those in which something is created, whatever changes
CREATING: Final = ("create", "data")

#: all that the service does, but not what asks for recommendations
CONTROL_PLANE: Final = tuple(botocore.session.get_session().get_service_model("personalize").operation_names)
#: what state machines call besides
OTHER_SERVICES: Final = ("cloudwatch:*", "dynamodb:*", "events:*", "sfn:*", "states:*")
REASON: Final = "seeded bad day {seed}"

#: by name, faults that pass; a run of the workflow survives them, or the next one mends what it left
TRANSIENT: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "throttling": tuple(
        {"operation": name, "code": "ThrottlingException", "rate": 0.2, "times": 2} for name in CONTROL_PLANE
    ),
    "server errors": tuple(
        {"operation": name, "code": "InternalServerError", "status": 500, "rate": 0.2, "times": 2}
        for name in CONTROL_PLANE
    ),
    "other services": tuple(
        {"operation": name, "code": code, "status": status, "rate": 0.5, "times": 2}
        for name in OTHER_SERVICES
        for code, status in (("ThrottlingException", 400), ("InternalServerError", 500))
    ),
    "limit exceeded": ({"operation": "Create*", "code": "LimitExceededException", "rate": 0.3, "times": 4},),
    "in use": (
        {"operation": "Create*", "code": "ResourceInUseException", "rate": 0.2, "times": 2},
        {"operation": "Update*", "code": "ResourceInUseException", "rate": 0.5, "times": 2},
        {"operation": "Delete*", "code": "ResourceInUseException", "rate": 0.5, "times": 4},
    ),
    "stale reads": ({"operation": "Create*", "stale_seconds": 0.2, "rate": 0.5},),
    "slow": ({"operation": "[!G]*", "delay_seconds": 0.05, "rate": 0.1},),
    "lost answers of functions": ({"operation": "function:*", "code": "Runtime.ExitError", "rate": 0.2, "times": 3},),
    "timeouts of functions": ({"operation": "function:*", "code": "Sandbox.Timedout", "rate": 0.2, "times": 2},),
    "events twice": ({"operation": "function:*", "code": "Duplicate", "rate": 0.5, "times": 8},),
    "the lock's table": ({"operation": "dynamodb:*", "code": "InternalServerError", "rate": 0.5, "times": 2},),
}

#: of these, what meets creations only
OF_CREATIONS: Final = ("limit exceeded", "stale reads")

#: by name, what somebody does at a bad moment
ACCIDENTS: Final = (
    "the same event twice",
    "a run is aborted",
    "a deployment in the middle of a run",
    "a rollback in the middle of creation",
)

#: the apps, see `fault_apps`; the shop twice as often as others
APPS: Final = ("shop", "jobs", "shop", "videos")

#: what ends CREATE FAILED or is denied in a run of the workflow, and the app that does it
OF_RUNS: Final[Mapping[str, str]] = {
    "CreateDatasetImportJob": "shop",
    "CreateSolution": "shop",
    "CreateSolutionVersion": "shop",
    "CreateCampaign": "shop",
    "CreateRecommender": "videos",
    "CreateBatchInferenceJob": "jobs",
    "CreateBatchSegmentJob": "jobs",
    "CreateDatasetExportJob": "jobs",
    "CreateDataDeletionJob": "jobs",
}
#: the same in a deployment
OF_DEPLOYMENTS: Final[Mapping[str, str]] = {
    "CreateDatasetGroup": "videos",
    "CreateSchema": "shop",
    "CreateDataset": "shop",
    "CreateEventTracker": "shop",
    "CreateFilter": "shop",
    "CreateMetricAttribution": "shop",
}

#: the service gives no reason for these: what is told instead
WITHOUT_REASON: Final[Mapping[str, str]] = {
    "CreateDataset": "could not be created: the service gives no reason for this type",
    "CreateEventTracker": "did not stabilize: CREATE FAILED",
}

#: what fails when it is called, as the call does hardly more than write it down
REFUSED_AT_ONCE: Final = ("CreateSchema", "CreateSolution", "CreateMetricAttribution")


@dataclass(frozen=True)
class Plan:
    """One fault run.

    :param seed: what everything else follows from.
    :param app: which app lives through it.
    :param kind: what goes wrong, for people.
    :param faults: faults of the local cloud.
    :param phase: when: one of `PHASES`, or all the time if None.
    :param accident: one of `ACCIDENTS`. Default: - none
    :param permanent: the operation that fails until somebody mends it. Default: - all passes
    :param reason: what must be told then: what the service says.
    :param scheduled: whether the second training is the workflow's, as time passes; otherwise it is done by hand.
    :param trains: whether what changes is such that something is trained; otherwise it is a throughput.
    :param retain: whether the data is kept when the stack is destroyed.
    :param moment: at what second of a run an accident happens.
    """

    seed: int
    app: str
    kind: str
    faults: tuple[Mapping[str, Any], ...]
    phase: str | None
    accident: str | None
    permanent: str | None
    reason: str
    trains: bool
    retain: bool
    moment: float
    scheduled: bool

    @property
    def fails_deployment(self) -> bool:
        """Whether the first deployment must fail."""
        return self.permanent in OF_DEPLOYMENTS

    @property
    def variants(self) -> frozenset[str]:
        """The variants of the app that are deployed."""
        changed = "training" if self.trains else "throughput"
        return frozenset({"first", changed} | ({"throughput"} if self.accident == ACCIDENTS[2] else set()))


def plan(seed: int) -> Plan:
    """What goes wrong in the run of a seed: every kind in turn, when and with what by chance."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    reason = REASON.format(seed=seed)
    kinds = [
        *TRANSIENT,
        *ACCIDENTS,
        *(f"{name} {how}" for name in (*OF_RUNS, *OF_DEPLOYMENTS) for how in ("fails", "is denied")),
    ]
    # two in three pass; the order is mixed so that a few seeds see a bit of everything
    transient = seed % 3 != 0
    names = kinds[: len(TRANSIENT) + len(ACCIDENTS)] if transient else kinds[len(TRANSIENT) + len(ACCIDENTS) :]
    number = seed - seed // 3 - 1 if transient else seed // 3
    kind = names[number % len(names)]
    # the numbers of apps and kinds have no divisor in common, so that all kinds come to all apps
    app = APPS[number % len(APPS)]
    faults: tuple[Mapping[str, Any], ...] = ()
    told = reason
    permanent = phase = accident = None
    if kind in TRANSIENT:
        faults = TRANSIENT[kind]
        phase = chance.choice((None, None, *(CREATING if kind in OF_CREATIONS else PHASES)))
    elif kind in ACCIDENTS:
        accident = kind
        faults = TRANSIENT[chance.choice(("throttling", "stale reads", "slow"))]
    else:
        permanent = kind.partition(" ")[0]
        app = {**OF_RUNS, **OF_DEPLOYMENTS}[permanent]
        refused = {"code": "InvalidInputException", "message": reason}
        effect = refused if permanent in REFUSED_AT_ONCE else {"failure_reason": reason}
        if kind.endswith("is denied"):
            effect = {"code": "AccessDeniedException", "message": reason}
        elif permanent in WITHOUT_REASON:
            told = WITHOUT_REASON[permanent]
        faults = ({"operation": permanent, "rate": 1.0, **effect},)
        phase = "create" if permanent in OF_DEPLOYMENTS else "data"
    return Plan(
        seed=seed,
        app=app,
        kind=kind,
        faults=faults,
        phase=phase,
        accident=accident,
        permanent=permanent,
        reason=told,
        trains=chance.random() < 0.5,
        retain=chance.random() < 0.25,
        moment=chance.random() * 0.6,
        scheduled=chance.random() < 0.5,
    )
