"""A service as plain values: carries out the plans of runs, as the state machines do, and keeps to the service's rules.

What the planner must never do is an error here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from personalize_lambda.planner.imports import plan_imports
from personalize_lambda.planner.jobs import plan_deletions, plan_jobs
from personalize_lambda.planner.prune import plan_prune
from personalize_lambda.planner.recommenders import plan_recommenders
from personalize_lambda.planner.solutions import plan_solutions
from personalize_lambda.planner.world import (
    ACTIVE,
    COMPLETED,
    FAILED,
    INACTIVE,
    REFUSED,
    STOPPED,
    CampaignState,
    ImportJob,
    Job,
    JobState,
    JsonObject,
    RecommenderState,
    SolutionState,
    SolutionVersion,
    World,
    solution_of,
)

#: What may go wrong in a run
FAULTS = ("import", "deletion", "solution", "training", "gate", "campaign", "recommender", "job")
_MINUTE = 60.0
#: What becomes of what is under way; what is being deleted is gone
_ENDS = {
    "CREATE PENDING": ACTIVE,
    "CREATE IN_PROGRESS": ACTIVE,
    "CREATE STOPPING": STOPPED,
    "PENDING": COMPLETED,
    "IN_PROGRESS": COMPLETED,
    "STOP PENDING": INACTIVE,
    "STOP IN_PROGRESS": INACTIVE,
    "START PENDING": ACTIVE,
    "START IN_PROGRESS": ACTIVE,
}
_AFTER = {"create": ACTIVE, "update": ACTIVE, "start": ACTIVE, "stop": INACTIVE}


@dataclass
class Service:
    """What exists for a declared state, and what runs did to it."""

    document: JsonObject
    world: World
    trained: list[str] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    runs: int = 0
    plan: JsonObject = field(default_factory=dict)
    when_planned: World = field(default_factory=World)
    """The parts of the plans of the last run, and what existed when its solutions were planned."""

    def run(self, faults: Collection[str] = ()) -> list[JsonObject]:
        """Carry out a run; all steps of its plans, none where there was nothing to do.

        :param faults: What goes wrong, of :data:`FAULTS`.
        """
        self.runs += 1
        mark = f"run-{self.runs}"
        imports: list[JsonObject] = []
        failed: list[str] = []
        left = True
        while left:
            steps = plan_imports(self.document, self.world, mark, failed)["imports"]
            deletions = plan_deletions(self.document, self.world, mark)
            self._import(steps, failing="import" in faults)
            failed += [step["name"] for step in steps] if "import" in faults else []
            imports += steps
            left = any(step["left"] for step in steps)
        self._do_jobs(deletions, failing="deletion" in faults)

        plan = plan_solutions(self.document, self.world, failed)
        recommenders = plan_recommenders(self.document, self.world, failed)["recommenders"]
        self.when_planned = self.world
        for step in plan["solutions"]:
            state = self.world.solutions.get(step["solutionArn"])
            if step["train"] and state and not all(version.is_settled for version in state.versions):
                raise AssertionError(f"{step['name']} is trained while a training is under way")
        self._stop(plan["trainings"])
        for step in plan["solutions"]:
            self._work_on(step, faults)
        for step in recommenders:
            self._recommend(step, failing="recommender" in faults)
        self._pass_time()

        prune = plan_prune(self.document, self.world)
        pruned = [*prune["campaigns"], *prune["prunedRecommenders"], *prune["prunedSolutions"]]
        jobs = plan_jobs(self.document, self.world, mark)["jobs"]
        self.plan = {
            "imports": imports,
            "deletions": deletions,
            **plan,
            "recommenders": recommenders,
            **prune,
            "jobs": jobs,
        }
        self._prune(prune)
        self._do_jobs(jobs, failing="job" in faults)
        self._pass_time()
        return [*imports, *deletions, *plan["trainings"], *plan["solutions"], *recommenders, *pruned, *jobs]

    def _pass_time(self) -> None:
        """All that is under way comes to its end, and campaigns that follow the latest version are given it."""
        world = self.world

        def ended(status: str) -> str:
            return _ENDS.get(status, status)

        def settled(state: Any) -> Any:
            update = state.update_status and ended(state.update_status)
            return replace(state, status=ended(state.status), update_status=update)

        self.world = replace(
            world,
            now=world.now + _MINUTE,
            datasets={
                arn: replace(state, imports=[replace(job, status=ended(job.status)) for job in state.imports])
                for arn, state in world.datasets.items()
            },
            solutions={
                arn: replace(
                    state,
                    status=ended(state.status),
                    versions=[replace(version, status=ended(version.status)) for version in state.versions],
                )
                for arn, state in world.solutions.items()
                if not state.status.startswith("DELETE")
            },
            campaigns={
                arn: settled(state) for arn, state in world.campaigns.items() if not state.status.startswith("DELETE")
            },
            recommenders={
                arn: settled(state)
                for arn, state in world.recommenders.items()
                if not state.status.startswith("DELETE")
            },
            jobs={
                prefix: replace(state, jobs=[replace(job, status=ended(job.status)) for job in state.jobs])
                for prefix, state in world.jobs.items()
            },
        )
        campaigns = {}
        for arn, campaign in self.world.campaigns.items():
            if campaign.configuration.get("campaignConfig", {}).get("syncWithLatestSolutionVersion"):
                latest = self._latest(solution_of(campaign.solution_version_arn))
                campaign = replace(campaign, solution_version_arn=latest or campaign.solution_version_arn)
            campaigns[arn] = campaign
        self.world = replace(self.world, campaigns=campaigns)

    def _latest(self, solution: str) -> str | None:
        state = self.world.solutions.get(solution)
        trained = [version for version in state.versions if version.status == ACTIVE] if state else []
        return max(trained, key=lambda version: version.created).arn if trained else None

    # --- Imports and jobs ---

    def _import(self, steps: list[JsonObject], *, failing: bool) -> None:
        datasets = {
            arn: replace(
                state, imports=[replace(job, status=_ENDS.get(job.status, job.status)) for job in state.imports]
            )
            for arn, state in self.world.datasets.items()
        }
        for step in steps:
            for job in step["jobs"]:
                create, now = job["create"], self.world.now
                state = datasets[create["datasetArn"]]
                if any(each.name == create["jobName"] for each in state.imports):
                    raise AssertionError(f"the name {create['jobName']} is used twice")
                made = ImportJob(
                    arn=job["arn"],
                    name=create["jobName"],
                    status=FAILED if failing else ACTIVE,
                    created=now,
                    mode=create["importMode"],
                )
                datasets[create["datasetArn"]] = replace(state, imports=[*state.imports, made])
                self.imported.append(create["dataSource"]["dataLocation"])
        self.world = replace(self.world, datasets=datasets, now=self.world.now + _MINUTE)

    def _do_jobs(self, steps: list[JsonObject], *, failing: bool) -> None:
        prefixes = {job["name"]: job["jobPrefix"] for job in self.document["jobs"]}
        for step in steps:
            if not step["create"]:
                continue
            of_deletion = step["kind"] == "DataDeletionJob"
            version = step["create"].get("solutionVersionArn")
            if version and version != self._version(version).arn:
                raise AssertionError(f"{step['name']} uses {version}, which is not trained")
            good, bad = (COMPLETED, "FAILED") if of_deletion else (ACTIVE, FAILED)
            outcome = bad if failing else good
            made = Job(
                arn=step["createArn"],
                name=step["create"]["jobName"],
                status=outcome,
                created=self.world.now,
                solution_version_arn=version,
            )
            prefix = prefixes[step["name"]]
            state = self.world.jobs.get(prefix, JobState())
            jobs = {**self.world.jobs, prefix: replace(state, jobs=[*state.jobs, made])}
            last = self.world.now if of_deletion and not failing else self.world.last_deletion
            self.world = replace(self.world, jobs=jobs, last_deletion=last, now=self.world.now + _MINUTE)

    # --- Solutions ---

    def _version(self, arn: str) -> SolutionVersion:
        state = self.world.solutions.get(solution_of(arn))
        for version in state.versions if state else ():
            if version.arn == arn and version.status == ACTIVE:
                return version
        raise AssertionError(f"{arn} is used and is no trained version")

    def _put(self, solution: SolutionState) -> None:
        self.world = replace(self.world, solutions={**self.world.solutions, solution.arn: solution})

    def _say(self, arn: str, **changes: Any) -> None:
        state = self.world.solutions[solution_of(arn)]
        versions = [replace(each, **changes) if each.arn == arn else each for each in state.versions]
        self._put(replace(state, versions=versions))

    def _stop(self, trainings: list[JsonObject]) -> None:
        for training in trainings:
            arn = training["solutionVersionArn"]
            if not self.world.solutions[solution_of(arn)].owned:
                raise AssertionError(f"{arn} is not ours and was stopped")
            self._say(arn, status=STOPPED)

    def _work_on(self, step: JsonObject, faults: Collection[str]) -> None:
        """The solution state machine."""
        arn = step["solutionArn"]
        if step["create"]:
            if arn in self.world.solutions:
                raise AssertionError(f"{arn} is made and exists")
            status = FAILED if "solution" in faults else ACTIVE
            self._put(SolutionState(arn=arn, name=step["name"], status=status, owned=True, versions=[]))
        if arn not in self.world.solutions:
            return  # gone in the meantime: the run says so
        if step["create"] or step["update"]:
            wanted = {name: value for name, value in (step["create"] or step["update"]).items() if "Auto" in name}
            self._put(replace(self.world.solutions[arn], configuration=wanted))
        state = self.world.solutions[arn]
        serve = step["solutionVersionArn"]
        if step["train"]:
            if state.status == FAILED or state.status.startswith("DELETE"):
                return  # the service refuses to train it
            newest = max((v for v in state.versions if v.is_trained), key=lambda v: v.created, default=None)
            if step["train"]["trainingMode"] == "UPDATE" and (newest is None or newest.is_refused):
                raise AssertionError(f"an update of {arn} builds on {newest}")
            self.trained.append(arn)
            serve = f"{arn}/{len(self.trained)}"
            status = FAILED if "training" in faults else ACTIVE
            made = SolutionVersion(arn=serve, status=status, created=self.world.now, mode=step["train"]["trainingMode"])
            self._put(replace(state, versions=[*state.versions, made]))
        self._pass_time()
        if arn not in self.world.solutions:
            return
        now = {version.arn: version for version in self.world.solutions[arn].versions}
        actions = step["campaigns"]
        if serve is not None and now[serve].status != ACTIVE:
            serve, actions = step["otherwise"]["solutionVersionArn"], step["otherwise"]["campaigns"]
        elif serve is not None and step["gate"] and "gate" in faults:
            self._say(serve, verdict=f"{REFUSED}: by the gate")
            serve, actions = step["otherwise"]["solutionVersionArn"], step["otherwise"]["campaigns"]
        for action in actions:
            self._serve(action, serve, failing="campaign" in faults)

    def _serve(self, action: JsonObject, serve: str | None, *, failing: bool) -> None:
        arguments = action["arguments"]
        version = arguments.get("solutionVersionArn", serve)
        state = self.world.campaigns.get(action["campaignArn"])
        if action["action"] == "wait":
            return
        if state is None and action["action"] == "update":
            return  # gone in the meantime: the run says so
        if version.endswith("/$LATEST"):
            version = self._latest(solution_of(version))
        version = self._version(version).arn
        configuration = {name: arguments[name] for name in ("minProvisionedTPS", "campaignConfig") if name in arguments}
        if state is None:
            state = CampaignState(
                arn=action["campaignArn"],
                name=action["name"],
                status=FAILED if failing else ACTIVE,
                update_status=None,
                owned=True,
                solution_version_arn=version,
                configuration=configuration,
            )
        elif failing:
            state = replace(state, update_status=FAILED)
        else:
            configuration = {**state.configuration, **configuration}
            state = replace(
                state, status=ACTIVE, update_status=ACTIVE, solution_version_arn=version, configuration=configuration
            )
        self.world = replace(self.world, campaigns={**self.world.campaigns, state.arn: state})

    def _recommend(self, step: JsonObject, *, failing: bool) -> None:
        """The recommender state machine."""
        arn = step["recommenderArn"]
        if step["isBusy"]:
            self._pass_time()
            found = self.world.recommenders.get(arn)
            if found is None or found.status == FAILED:
                return  # gone, or not made: the run says so
        for action in step["actions"]:
            name, arguments = action["action"], action["arguments"]
            state = self.world.recommenders.get(arn)
            if state is not None and state.is_busy:
                raise AssertionError(f"{arn} is to {name} while it is {state.status}, its update {state.update_status}")
            if state is None:
                state = RecommenderState(
                    arn=arn,
                    name=step["name"],
                    status=FAILED if failing else ACTIVE,
                    update_status=None,
                    owned=True,
                    configuration=arguments["recommenderConfig"],
                )
            elif name == "update":
                if state.status != ACTIVE:
                    raise AssertionError(f"{arn} is updated while it is {state.status}")
                configuration = state.configuration if failing else arguments["recommenderConfig"]
                update = FAILED if failing else ACTIVE
                state = replace(state, update_status=update, configuration=configuration)
            elif not failing:
                allowed = {"start": INACTIVE, "stop": ACTIVE}[name]
                if state.status != allowed:
                    raise AssertionError(f"{arn} cannot {name} while it is {state.status}")
                state = replace(state, status=_AFTER[name])
            self.world = replace(self.world, recommenders={**self.world.recommenders, arn: state})
            if failing and name != "update":
                return

    # --- Prune ---

    def _prune(self, plan: Mapping[str, list[JsonObject]]) -> None:
        campaigns, recommenders = dict(self.world.campaigns), dict(self.world.recommenders)
        solutions = dict(self.world.solutions)
        gone: list[CampaignState | RecommenderState | SolutionState] = [
            *(campaigns.pop(step["campaignArn"]) for step in plan["campaigns"]),
            *(recommenders.pop(step["recommenderArn"]) for step in plan["prunedRecommenders"]),
            *(solutions.pop(step["solutionArn"]) for step in plan["prunedSolutions"]),
        ]
        for state in gone:
            if not state.owned:
                raise AssertionError(f"{state.arn} is not ours and was deleted")
            if isinstance(state, SolutionState):
                if any(solution_of(each.solution_version_arn) == state.arn for each in campaigns.values()):
                    raise AssertionError(f"{state.arn} is deleted while a campaign serves it")
            elif state.status == ACTIVE and (missing := self.not_serving()):
                raise AssertionError(f"{state.arn} is deleted while {', '.join(missing)} do not serve")
        self.world = replace(self.world, campaigns=campaigns, recommenders=recommenders, solutions=solutions)

    def not_serving(self) -> list[str]:
        """What is declared to serve and does not."""
        declared: dict[str, CampaignState | RecommenderState | None] = {
            **{
                campaign["campaignArn"]: self.world.campaigns.get(campaign["campaignArn"])
                for solution in self.document["solutions"]
                for campaign in solution["campaigns"]
            },
            **{
                each["recommenderArn"]: self.world.recommenders.get(each["recommenderArn"])
                for each in self.document["recommenders"]
                if each["running"]
            },
        }
        return [arn for arn, state in declared.items() if state is None or state.status != ACTIVE]
