"""What is told of a run when it has ended: as data, and as a message that a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Where the console of each partition is
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
#: The lists of a report
_LISTS = (
    "failures",
    "waitingFor",
    "drift",
    "imported",
    "solutions",
    "warnings",
    "recommenders",
    "jobs",
    "stopped",
    "pruned",
)
#: The lists of names, and what a person reads
_NAMES = (
    ("imported", "Imported"),
    ("recommenders", "Recommenders"),
    ("stopped", "Trainings stopped, being declared no more"),
    ("pruned", "Removed, being declared no more"),
)


def summarize(execution: Mapping[str, Any], kept: Mapping[str, Any], workflow: str) -> dict[str, Any]:
    """What a run did, as data.

    :param execution: The answer of DescribeExecution.
    :param kept: The report that a failed run has kept; empty for none.
    :param workflow: Name of the workflow.
    """
    failed = execution["status"] != "SUCCEEDED"
    told = kept if failed else json.loads(execution.get("output") or "{}")
    return {
        "workflow": workflow,
        "execution": execution["executionArn"],
        "console": console_url(execution["executionArn"]),
        "trigger": input_of(execution).get("trigger", "by hand"),
        "rollback": input_of(execution).get("rollback"),
        "reason": (execution.get("cause") or execution.get("error") or execution["status"]) if failed else None,
        **dict.fromkeys(_LISTS, ()),
        **told,
        "status": execution["status"] if failed else told["status"],
    }


def input_of(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a run; empty where it is not an object.

    :param execution: The answer of DescribeExecution.
    """
    given = json.loads(execution.get("input") or "{}")
    return given if isinstance(given, dict) else {}


def console_url(execution_arn: str) -> str:
    """Where an execution is shown in the console.

    :param execution_arn: Its ARN.
    """
    _, partition, _, region, *_ = execution_arn.split(":")
    console = _CONSOLES.get(partition, _CONSOLES["aws"])
    return f"https://{region}.{console}/states/home?region={region}#/v2/executions/details/{execution_arn}"


def message(report: Mapping[str, Any]) -> str:
    """A report as a person reads it."""
    lines = [f"Workflow {report['workflow']}: {report['status']} (started by: {report['trigger']})"]
    if report["rollback"]:
        lines += _section("Asked for", [f"rollback to {report['rollback']}"])
    if report["reason"]:
        lines += _section("What failed", str(report["reason"]).splitlines())
    lines += _section("Not done yet, waiting for", report["waitingFor"])
    lines += _section("Changed by hand since the last run", report["drift"])
    lines += _section("Solutions", [_solution(solution) for solution in report["solutions"]])
    lines += _section("Refused by the quality gate, so campaigns serve what they did", _refused(report["solutions"]))
    lines += _section("Jobs", [_job(job) for job in report["jobs"]])
    for member, title in _NAMES:
        lines += _section(title, report[member])
    lines += _section("Warnings", report["warnings"])
    return "\n".join(
        [
            *lines,
            "",
            f"Execution: {report['execution']}",
            f"In the console: {report['console']}",
            "What a run does: docs/workflow.md of cdk-personalize",
        ]
    )


def changes(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What only the end of a run can tell; all else is told by the state machines when it happens."""
    for sentence in report["drift"]:
        yield {"resource": "drift", "name": sentence, "arn": None, "change": "FOUND"}


def _section(title: str, rows: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"- {row}" for row in rows)] if rows else []


def _solution(solution: Mapping[str, Any]) -> str:
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(solution.get("metrics", {}).items()))
    served = ", ".join(solution.get("campaigns", ())) or "no change of a campaign"
    return f"{solution['name']} ({solution['solutionVersionArn']}), {served}. {metrics}"


def _job(job: Mapping[str, Any]) -> str:
    return f"{job['name']}: {job['output']}" if job.get("output") else str(job["name"])


def _refused(solutions: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{solution['name']} ({refused['solutionVersionArn']}): "
        f"{'; '.join(_threshold(threshold) for threshold in refused['thresholds'])}"
        for solution in solutions
        if (refused := solution.get("refused"))
    ]


def _threshold(threshold: Mapping[str, Any]) -> str:
    new, old = threshold["new"], threshold["old"]
    has = "missing" if new is None else f"{new:.4g}"
    served = "" if old is None else f"; what is served has {old:.4g}"
    return f"{threshold['metric']} is {has} and has to be at least {threshold['least']:.4g}{served}"
