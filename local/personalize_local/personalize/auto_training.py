"""Automatic training: a new version of a solution every few days, and of a recommender every week.

See https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .crud import Behaviour, create
from .engine import Context
from .errors import ServiceError
from .kinds.datasets import dataset_of
from .lifecycle import CREATE
from .resources import KINDS
from .state import Progress, Record
from .uncertain import AUTOMATIC_TRAINING_DAYS, FIRST_AUTOMATIC_TRAINING_SECONDS

SCHEDULE = re.compile(r"rate\((\d+) days?\)")
DAY = 86_400.0
_RETRAINING_SECONDS = 2400.0

#: the attribute of a solution or recommender that tells its present clock from those that were replaced
_CLOCK = "trainingClock"
#: the attribute that tells when the clock strikes next, in AWS time
_DUE = "trainingDue"
#: the attribute of a recommender that tells whether it is being trained anew
_UNDER_WAY = "retrainingUnderWay"
#: the attribute of a version that tells what was in the datasets when its training began
TRAINED_ON = "trainedOn"


_INTERACTIONS = ("INTERACTIONS",)
#: what must have changed for another training; changes of other datasets alone do not lead to one
_LEARNED_FROM = {
    "aws-next-best-action": ("INTERACTIONS", "ACTION_INTERACTIONS"),
    "aws-semantic-similarity": ("ITEMS",),
}


def start(context: Context, solution: Record, behaviour: Behaviour, *, resumed: bool = False) -> None:
    """Train within an hour from now, and then as often as the solution says. The lock must be held.

    Started anew, it forgets the time that it has waited. For solutions with ``performAutoTraining`` false it does
    nothing, and costs nothing.

    :param behaviour: how solution versions behave.
    :param resumed: whether it goes on after a restart; what was due meanwhile is trained now. Default: - it starts anew
    """
    solution.attributes[_CLOCK] = solution.attributes.get(_CLOCK, 0) + 1
    if solution.attributes.get("performAutoTraining"):
        _repeat(
            context,
            solution,
            lambda: _train_if_new(context, solution, behaviour),
            FIRST_AUTOMATIC_TRAINING_SECONDS,
            lambda: _days(solution) * DAY,
            resumed=resumed,
        )


def start_for_recommender(
    context: Context, recommender: Record, behaviour: Behaviour, *, resumed: bool = False
) -> None:
    """Train every week from now on, while it is ACTIVE. The lock must be held.

    :param behaviour: how recommenders behave: ``work`` trains, ``activated`` puts what was trained in place.
    :param resumed: whether it goes on after a restart, with the training that was under way. Default: - it starts anew
    """
    recommender.attributes[_CLOCK] = recommender.attributes.get(_CLOCK, 0) + 1

    def retrain() -> None:
        now = context.engine.lifecycle.today
        recommender.attributes[_UNDER_WAY] = True
        context.engine.lifecycle.run(
            Progress("", now, now), CREATE, _RETRAINING_SECONDS, work=behaviour.work(context, recommender), done=done
        )

    def done(result: object) -> None:
        recommender.attributes[_UNDER_WAY] = False
        behaviour.activated(context, recommender, result)

    week = AUTOMATIC_TRAINING_DAYS * DAY
    _repeat(context, recommender, retrain, week, lambda: week, resumed=resumed)
    if resumed and recommender.attributes.get(_UNDER_WAY):
        retrain()


def contents(context: Context, record: Record) -> dict[str, int]:
    """Tell what there is that makes training worth it: rows, and imports that have come in. The lock must be held.

    :param record: a solution or a version.
    """
    found = {}
    group, recipe = record.attributes["datasetGroupArn"], record.attributes.get("recipeArn", "").rpartition("/")[2]
    for dataset_type in _LEARNED_FROM.get(recipe, _INTERACTIONS):
        dataset = dataset_of(context.scope, group, dataset_type)
        rows = context.scope.datasets.get(dataset.arn) if dataset else None
        jobs = context.scope.children("DatasetImportJob", "datasetArn", dataset.arn) if dataset else []
        found[dataset_type] = len(rows) if rows is not None else 0
        found[f"{dataset_type} imports"] = sum(job.active for job in jobs)
    return found


def _repeat(
    context: Context,
    record: Record,
    action: Callable[[], None],
    first: float,
    period: Callable[[], float],
    *,
    resumed: bool,
) -> None:
    clock = record.attributes[_CLOCK]

    def tick() -> None:
        exists = context.scope.find(record.kind.name, record.arn) is record
        if not exists or record.attributes[_CLOCK] != clock:
            return
        if record.active:
            action()
        wait(period())

    def wait(seconds: float) -> None:
        record.attributes[_DUE] = context.engine.lifecycle.now + seconds
        context.engine.lifecycle.later(seconds, tick)

    if resumed and _DUE in record.attributes:
        # another time scale must not make it wait for ages
        first = min(max(record.attributes[_DUE] - context.engine.lifecycle.now, 0.0), max(first, period()))
    wait(first)


def _train_if_new(context: Context, solution: Record, behaviour: Behaviour) -> None:
    scope = context.scope
    versions = scope.children("SolutionVersion", "solutionArn", solution.arn)
    present = contents(context, solution)
    if not any(present.values()) or any(version.progress.busy for version in versions):
        return
    trained = [version for version in versions if version.active]
    if trained and trained[-1].attributes.get(TRAINED_ON) == present:
        return
    parameters = {
        "solutionArn": solution.arn,
        "trainingMode": context.engine.settings.uncertain.automatic_training_mode,
        "trainingType": "AUTOMATIC",
    }
    automatic = Context(context.engine, scope, "CreateSolutionVersion")
    try:
        create(automatic, parameters, KINDS["SolutionVersion"], behaviour)
    except ServiceError as error:
        context.engine.log.warning("no automatic training of %s this time: %s", solution.arn, error)


def _days(solution: Record) -> int:
    configuration = solution.attributes.get("solutionConfig", {}).get("autoTrainingConfig", {})
    match = SCHEDULE.fullmatch(configuration.get("schedulingExpression", ""))
    return int(match[1]) if match else AUTOMATIC_TRAINING_DAYS
