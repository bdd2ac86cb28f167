"""What a run has to do: the difference between the desired state and what exists. No AWS calls, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

ACTIVE = "ACTIVE"
FAILED = "CREATE FAILED"
STOPPED = "CREATE STOPPED"
INACTIVE = "INACTIVE"
_VERSION_SETTLED = {ACTIVE, FAILED, STOPPED}
_JOB_SETTLED = {ACTIVE, FAILED}
_JOB_NAME_LENGTH = 63
UPDATABLE = ("performAutoTraining", "performIncrementalUpdate")
UPDATABLE_CONFIG = ("autoTrainingConfig",)
"""What of a solution is changed in place; everything else makes another solution."""
_LATEST = "$LATEST"


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """A dataset import job as it is."""

    arn: str
    name: str
    status: str
    created: float


@dataclass(frozen=True, kw_only=True)
class DatasetState:
    """A dataset as it is: the files that its source holds, and the imports made since it was created."""

    files: Sequence[tuple[str, str, int]]  # key, ETag, bytes
    imports: Sequence[ImportJob]


@dataclass(frozen=True, kw_only=True)
class SolutionVersion:
    """A solution version as it is."""

    arn: str
    status: str
    created: float


@dataclass(frozen=True, kw_only=True)
class SolutionState:
    """A solution as it is; ``configuration`` is what of it can be changed in place, as UpdateSolution names it."""

    arn: str
    name: str
    status: str
    owned: bool
    versions: Sequence[SolutionVersion]
    configuration: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CampaignState:
    """A campaign as it is; ``update_status`` is that of its latest update, which has a status of its own."""

    arn: str
    name: str
    status: str
    update_status: str | None
    owned: bool
    solution_version_arn: str
    configuration: JsonObject


@dataclass(frozen=True, kw_only=True)
class RecommenderState:
    """A recommender as it is; ``update_status`` is that of its latest update, which has a status of its own."""

    arn: str
    name: str
    status: str
    update_status: str | None
    owned: bool
    configuration: JsonObject


@dataclass(frozen=True, kw_only=True)
class World:
    """All that exists of one dataset group, by ARN."""

    datasets: Mapping[str, DatasetState] = field(default_factory=dict)
    solutions: Mapping[str, SolutionState] = field(default_factory=dict)
    campaigns: Mapping[str, CampaignState] = field(default_factory=dict)
    recommenders: Mapping[str, RecommenderState] = field(default_factory=dict)


def solution_of(solution_version_arn: str) -> str:
    """The ARN of the solution that a solution version belongs to."""
    return solution_version_arn.rsplit("/", 1)[0]


def fingerprint(files: Iterable[tuple[str, str, int]]) -> str:
    """Twelve digits that stand for the content of a source, as far as its ETags do."""
    listing = "\n".join(f"{key}\t{etag}\t{size}" for key, etag, size in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def plan_imports(document: Mapping[str, Any], world: World, execution: str) -> JsonObject:
    """The imports to run: one for every dataset whose source holds other files than were imported last.

    Job names are single use, so each carries the fingerprint of the files and a mark of the run.
    """
    imports: list[JsonObject] = []
    waiting: list[str] = []
    for dataset in document["datasets"]:
        state = world.datasets[dataset["datasetArn"]]
        newest_first = sorted(state.imports, key=lambda job: job.created, reverse=True)
        running = next((job for job in newest_first if job.status not in _JOB_SETTLED), None)
        imported = next((job for job in newest_first if job.status == ACTIVE), None)
        if not state.files:
            if imported is None:
                waiting.append(f"{dataset['name']}: no CSV file in {_location(dataset)} yet")
            continue
        digest = fingerprint(state.files)
        if running is not None and _fingerprint_of(running) == digest:
            imports.append({"name": dataset["name"], "running": running.arn, "create": None, "createArn": None})
        elif running is not None or imported is None or _fingerprint_of(imported) != digest:
            create = {
                "jobName": _job_name(dataset["jobPrefix"], digest, execution),
                "datasetArn": dataset["datasetArn"],
                "dataSource": {"dataLocation": _location(dataset)},
                "roleArn": dataset["roleArn"],
                "importMode": "FULL",
                "tags": dataset["tags"],
            }
            imports.append(
                {
                    "name": dataset["name"],
                    "running": running.arn if running else None,
                    "create": create,
                    "createArn": _job_arn(create),
                }
            )
    return {"imports": imports, "waitingFor": waiting}


def plan_solutions(document: Mapping[str, Any], world: World, failed_imports: Sequence[str]) -> JsonObject:
    """The trainings to stop, and the solutions to create, update, train or serve.

    A solution is trained when it has no version that serves or is on its way, once every declared dataset holds data
    and no import of this run has failed: a model is never made from half of the data.
    """
    empty = _empty_datasets(document, world)
    may_train = not empty and not failed_imports
    solutions: list[JsonObject] = []
    waiting: list[str] = []
    for solution in document["solutions"]:
        state = world.solutions.get(solution["solutionArn"])
        _refuse_foreign("solution", solution["name"], state)
        newest_first = sorted(state.versions, key=lambda v: v.created, reverse=True) if state else []
        training = next((v for v in newest_first if v.status not in _VERSION_SETTLED), None)
        serving = training or next((v for v in newest_first if v.status == ACTIVE), None)
        is_waiting = serving is None and not may_train
        if is_waiting and empty:
            waiting.append(f"{solution['name']}: data for {', '.join(empty)}")
        step = {
            "name": solution["name"],
            "solutionArn": solution["solutionArn"],
            "create": None if state or is_waiting else _create_solution(document, solution),
            "update": _update_solution(solution, state) if state else None,
            "train": None if serving or is_waiting else _train(solution),
            "solutionVersionArn": serving.arn if serving else None,
            "campaigns": [
                action
                for campaign in ([] if is_waiting else solution["campaigns"])
                if (action := _campaign_action(solution, campaign, world, serving.arn if serving else None))
            ],
        }
        if training or any(step[part] for part in ("create", "update", "train", "campaigns")):
            solutions.append(step)
    declared = {solution["solutionArn"] for solution in document["solutions"]}
    return {
        # first, so that what is wanted no more is not trained, and billed, beside what is
        "trainings": [
            {"name": solution.name, "solutionVersionArn": version.arn}
            for solution in world.solutions.values()
            if solution.owned and solution.arn not in declared
            for version in solution.versions
            if version.status not in _VERSION_SETTLED
        ],
        "solutions": solutions,
        "waitingFor": waiting,
    }


def plan_recommenders(document: Mapping[str, Any], world: World, failed_imports: Sequence[str]) -> JsonObject:
    """The recommenders to create, update, start or stop; one that is declared as stopped is not created.

    Creating one trains it, so that it waits for data like a solution does.
    """
    empty = _empty_datasets(document, world)
    recommenders: list[JsonObject] = []
    waiting: list[str] = []
    for recommender in document.get("recommenders", ()):
        state = world.recommenders.get(recommender["recommenderArn"])
        _refuse_foreign("recommender", recommender["name"], state)
        if state is None and recommender["running"] and (empty or failed_imports):
            waiting += [f"{recommender['name']}: data for {', '.join(empty)}"] if empty else []
            continue
        action = _recommender_action(document, recommender, state)
        if action:
            step = {"name": recommender["name"], "recommenderArn": recommender["recommenderArn"]}
            recommenders.append({**step, **action})
    return {"recommenders": recommenders, "waitingFor": waiting}


def plan_prune(document: Mapping[str, Any], world: World) -> JsonObject:
    """What carries our owner tag and is declared no more, in the order in which the service lets it go.

    A solution that still serves a campaign that stays is left for a later run. So is all that serves, for as long as
    something that is declared does not serve yet: it may be what takes the place.
    """
    waits_for = _not_serving(document, world)
    declared = {solution["solutionArn"] for solution in document["solutions"]}
    declared_campaigns = {c["campaignArn"] for solution in document["solutions"] for c in solution["campaigns"]}
    declared_recommenders = {recommender["recommenderArn"] for recommender in document.get("recommenders", ())}
    former_campaigns = [c for c in world.campaigns.values() if c.owned and c.arn not in declared_campaigns]
    pruned_campaigns = [c for c in former_campaigns if not waits_for or c.status == FAILED]
    former_recommenders = [r for r in world.recommenders.values() if r.owned and r.arn not in declared_recommenders]
    gone = {campaign.arn for campaign in pruned_campaigns}
    serving = {solution_of(c.solution_version_arn) for c in world.campaigns.values() if c.arn not in gone}
    pruned = [
        solution
        for solution in world.solutions.values()
        # one that could not be created keeps its name from the next try
        if solution.owned and (solution.arn not in declared or solution.status == FAILED)
        if solution.arn not in serving
    ]
    return {
        "campaigns": [
            {"name": c.name, "campaignArn": c.arn, "solutionArn": solution_of(c.solution_version_arn)}
            for c in pruned_campaigns
        ],
        "prunedRecommenders": [
            {"name": r.name, "recommenderArn": r.arn, "datasetGroupArn": document["datasetGroupArn"]}
            for r in world.recommenders.values()
            if r.owned and (r.status == FAILED or (r in former_recommenders and not waits_for))
        ],
        "prunedSolutions": [
            {"name": s.name, "solutionArn": s.arn, "datasetGroupArn": document["datasetGroupArn"]} for s in pruned
        ],
        "waitingFor": [
            f"{name}, declared no more: {', '.join(waits_for)} to serve"
            for name, status in [
                *((campaign.name, campaign.status) for campaign in former_campaigns),
                *((recommender.name, recommender.status) for recommender in former_recommenders),
            ]
            if waits_for and status != FAILED
        ],
    }


def _not_serving(document: Mapping[str, Any], world: World) -> list[str]:
    """The declared campaigns and running recommenders that do not serve yet."""
    declared = [
        *((c["name"], world.campaigns.get(c["campaignArn"])) for s in document["solutions"] for c in s["campaigns"]),
        *(
            (r["name"], world.recommenders.get(r["recommenderArn"]))
            for r in document.get("recommenders", ())
            if r["running"]
        ),
    ]
    return [name for name, state in declared if state is None or state.status != ACTIVE]


def _location(dataset: Mapping[str, Any]) -> str:
    return f"s3://{dataset['bucket']}/{dataset['prefix']}"


def _job_name(prefix: str, digest: str, execution: str) -> str:
    run = hashlib.sha256(execution.encode()).hexdigest()[:8]
    tail = f"-{digest}-{run}"
    return f"{prefix[: _JOB_NAME_LENGTH - len(tail)]}{tail}"


def _job_arn(create: Mapping[str, Any]) -> str:
    """The ARN that the service gives to an import job."""
    return f"{create['datasetArn'].partition(':dataset/')[0]}:dataset-import-job/{create['jobName']}"


def _fingerprint_of(job: ImportJob) -> str:
    parts = job.name.rsplit("-", 2)
    return parts[1] if len(parts) == 3 else ""


def _create_solution(document: Mapping[str, Any], solution: Mapping[str, Any]) -> JsonObject:
    return {
        "name": solution["name"],
        "datasetGroupArn": document["datasetGroupArn"],
        **solution["configuration"],
        "tags": solution["tags"],
    }


def _update_solution(solution: Mapping[str, Any], state: SolutionState) -> JsonObject | None:
    """What UpdateSolution is called with; None where the solution is as declared."""
    declared = solution["configuration"]
    config = {name: value for name, value in declared.get("solutionConfig", {}).items() if name in UPDATABLE_CONFIG}
    wanted = {name: value for name, value in declared.items() if name in UPDATABLE}
    wanted |= {"solutionUpdateConfig": config} if config else {}
    # one that could not be created is pruned and made anew
    if state.status == FAILED or _holds(state.configuration, wanted):
        return None
    return {"solutionArn": solution["solutionArn"], **wanted}


def _train(solution: Mapping[str, Any]) -> JsonObject:
    return {"solutionArn": solution["solutionArn"], "trainingMode": "FULL", "tags": solution["tags"]}


def _campaign_action(
    solution: Mapping[str, Any], campaign: Mapping[str, Any], world: World, serve: str | None
) -> JsonObject | None:
    """Create, update or just wait for a campaign; None where it is as declared. ``serve`` is None for a version yet
    to be trained. A campaign that follows the latest version is told so, and is then left to the service."""
    state = world.campaigns.get(campaign["campaignArn"])
    _refuse_foreign("campaign", campaign["name"], state)
    action = {"name": campaign["name"], "campaignArn": campaign["campaignArn"]}
    wanted = campaign["configuration"]
    follows = wanted.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    # other campaigns are given the version by the state machine, which knows it even if it is yet to be trained
    version = {"solutionVersionArn": f"{solution['solutionArn']}/{_LATEST}"} if follows else {}
    if state is None:
        arguments = {"name": campaign["name"], **wanted, **version, "tags": campaign["tags"]}
        return {**action, "action": "create", "arguments": arguments}
    same = _holds(state.configuration, wanted)
    failed = FAILED in (state.status, state.update_status)
    served = state.solution_version_arn
    stale = solution_of(served) != solution["solutionArn"] if follows else served != serve
    if not same or failed or stale:
        arguments = {"campaignArn": campaign["campaignArn"], **wanted, **version}
        return {**action, "action": "update", "arguments": arguments}
    busy = state.status != ACTIVE or state.update_status not in (None, ACTIVE)
    return {**action, "action": "wait", "arguments": {}} if busy else None


def _recommender_action(
    document: Mapping[str, Any], recommender: Mapping[str, Any], state: RecommenderState | None
) -> JsonObject | None:
    if state is None:
        arguments = {
            "name": recommender["name"],
            "datasetGroupArn": document["datasetGroupArn"],
            "recipeArn": recommender["recipeArn"],
            "recommenderConfig": recommender["configuration"],
            "tags": recommender["tags"],
        }
        return {"action": "create", "arguments": arguments} if recommender["running"] else None
    this = {"recommenderArn": state.arn}
    if state.status not in (ACTIVE, INACTIVE) or state.update_status not in (None, ACTIVE, FAILED):
        return {"action": "wait", "arguments": {}}
    if recommender["running"] and state.status == INACTIVE:
        return {"action": "start", "arguments": this}
    if not recommender["running"]:
        return {"action": "stop", "arguments": this} if state.status == ACTIVE else None
    wanted = recommender["configuration"]
    if state.update_status == FAILED or not _holds(state.configuration, wanted):
        return {"action": "update", "arguments": {**this, "recommenderConfig": wanted}}
    return None


def _empty_datasets(document: Mapping[str, Any], world: World) -> list[str]:
    """The declared datasets that hold no data yet."""
    return [
        dataset["name"]
        for dataset in document["datasets"]
        if not any(job.status == ACTIVE for job in world.datasets[dataset["datasetArn"]].imports)
    ]


def _holds(actual: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; the service adds its defaults to what was asked for."""
    if isinstance(wanted, Mapping):
        present = {} if actual is None else actual  # the service may leave out what is not set
        return isinstance(present, Mapping) and all(_holds(present.get(key), value) for key, value in wanted.items())
    if actual is None:
        return wanted is False
    return bool(actual == wanted) or _number(actual) == _number(wanted) is not None


def _number(value: Any) -> float | None:
    """The number that a string stands for: the service may write ``30`` as ``30.0``."""
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _refuse_foreign(kind: str, name: str, state: SolutionState | CampaignState | RecommenderState | None) -> None:
    if state is not None and not state.owned:
        raise ValueError(
            f"a {kind} named {name} exists already and does not carry this workflow's owner tag, so it is left alone; "
            f"delete it, or give the {kind} another name"
        )
