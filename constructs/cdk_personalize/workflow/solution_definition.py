"""The state machine that makes one solution true: create or update it, train it, measure it, judge it, serve its
campaigns.

One execution a solution, started by the workflow's: a training of days then has a history of its own.
Its input is one entry of ``solutions`` in the plan (``personalize_lambda.planner.solutions``).
"""

from __future__ import annotations

from typing import Any

from ..metrics import MODEL_NAMESPACE, SOLUTION_DIMENSION, VERSION_DIMENSION
from .deadlines import Deadlines
from .states import (
    ALREADY_EXISTS,
    FIRST_PAGE,
    IN_USE,
    INVALID_INPUT,
    LIMIT_EXCEEDED,
    NEXT_PAGE,
    NOT_FOUND,
    RETRY_METRICS,
    RETRY_READ,
    UNSTATED,
    Poll,
    State,
    States,
    assign,
    catch,
    choice,
    either,
    error_reason,
    expression,
    finish,
    has_more,
    one_line,
    page_of,
    retry_until,
    retry_write,
    sdk_task,
    state_machine,
)
from .transitions import RUN_OF_CHILD, tell

#: Tag of a solution version that is not served, or served whatever it is like (``personalize_lambda.planner.world``)
VERDICT_TAG = "cdk-personalize:verdict"
REFUSED = "refused"
#: JSONata expression: what of the metrics falls short of the thresholds
REFUSALS = one_line("""[$plan.gate.thresholds.(
  $new := $lookup($metrics, metric);
  $old := $lookup($servingMetrics, metric);
  $least := $max([minimum, ($exists($old) ? $old : 0) * (1 - maxDrop)]);
  $exists($new) and $new >= $least ? [] : {
    'metric': metric, 'new': $exists($new) ? $new : null, 'old': $exists($old) ? $old : null, 'least': $least
  }
)]""")
# Tag values take few signs; no more than 256 of them
_VERDICT = one_line(f"""$substring('{REFUSED}: ' & $join($refused.thresholds.(
  metric & ' is ' & (new = null ? 'missing' : $string(new)) & ' and has to be at least ' & $string(least)
), ' - '), 0, 256)""")
#: JSONata expression: each metric twice, of the solution and of the version
DATA = one_line(f"""[$keys($metrics).(
  $name := $;
  $value := $lookup($metrics, $name);
  $solution := {{'Name': '{SOLUTION_DIMENSION}', 'Value': $plan.name}};
  $id := {{'Name': '{VERSION_DIMENSION}', 'Value': $split($version, '/')[-1]}};
  [
    {{'MetricName': $name, 'Value': $value, 'Dimensions': [$solution]}},
    {{'MetricName': $name, 'Value': $value, 'Dimensions': [$solution, $id]}}
  ]
)]""")

# A training that was begun all the same is listed only after a while
_SETTLING_SECONDS = 30
_ATTEMPTS = 5


def solution_definition(*, partition: str, deadlines: Deadlines) -> dict[str, Any]:
    """The definition of the solution state machine.

    :param partition: The AWS partition, for the ARNs of the integrations.
    :param deadlines: How long each wait may take at most.
    """
    solution = Poll(
        subject="Solution",
        variable="solution",
        read="describeSolution",
        arguments={"SolutionArn": expression("$plan.solutionArn")},
        status="$states.result.Solution.Status",
        deadline_seconds=deadlines.creation.to_seconds(),
        settled=[
            ("$solutionStatus = 'ACTIVE'", "Solution created"),
            ("$solutionStatus = 'CREATE FAILED'", "Solution failed"),
        ],
        late="Solution late",
        failed="Solution failed",
    )
    update = Poll(
        subject="Update",
        variable="update",
        read="describeSolution",
        arguments={"SolutionArn": expression("$plan.solutionArn")},
        # an update has a status of its own beside the solution's, which stays ACTIVE
        status=either("$states.result.Solution.LatestSolutionUpdate.Status", "$states.result.Solution.Status"),
        reason=either("$states.result.Solution.LatestSolutionUpdate.FailureReason", UNSTATED),
        deadline_seconds=deadlines.creation.to_seconds(),
        settled=[
            ("$updateStatus = 'ACTIVE'", "Solution updated"),
            ("$updateStatus = 'CREATE FAILED'", "Update failed"),
        ],
        late="Update late",
        failed="Update failed",
    )
    version = Poll(
        subject="Training",
        variable="version",
        read="describeSolutionVersion",
        arguments={"SolutionVersionArn": expression("$version")},
        status="$states.result.SolutionVersion.Status",
        reason=either("$states.result.SolutionVersion.FailureReason", UNSTATED),
        deadline_seconds=deadlines.training.to_seconds(),
        settled=[
            ("$versionStatus = 'ACTIVE'", "Get metrics"),
            ("$versionStatus = 'CREATE FAILED'", "Training failed"),
            ("$versionStatus = 'CREATE STOPPED'", "Training stopped"),
        ],
        late="Training late",
        failed="Training failed",
    )

    def told(change: str, next_state: str, **members: str) -> State:
        of = {"name": "$plan.name", "arn": "$plan.solutionArn"}
        return tell("solution", change, partition=partition, next_state=next_state, **of, **members)

    states: States = {
        "Begin": assign(
            "Mark versions",
            run=RUN_OF_CHILD,
            plan="$states.input",
            version="$states.input.solutionVersionArn",
            actions="$states.input.campaigns",
            metrics="{}",
            servingMetrics="{}",
            gateReason="''",
            refused="null",
            campaigns="[]",
            marks="[]",
            attempts="0",
            page=FIRST_PAGE,
            begun="[]",
            problems="[]",
            warnings="[]",
        ),
        # a version that is not to be served any more must not be served again by the next run
        "Mark versions": {
            "Type": "Map",
            "Items": expression("$plan.verdicts"),
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Begin mark",
                "States": _mark_states(partition=partition, deadlines=deadlines),
            },
            "Assign": {"marks": expression("$states.result")},
            "Next": "Marked?",
        },
        "Marked?": choice(("$count($marks.failures) > 0", "Not marked"), default="Create?"),
        "Not marked": assign("Done", version="null", problems="[$marks.failures]"),
        "Create?": choice(
            ("$plan.create != null", "Create solution"),
            ("$plan.update != null", "Update solution"),
            default="Train?",
        ),
        "Create solution": sdk_task(
            "personalize:createSolution",
            partition=partition,
            arguments=expression("$plan.create"),
            next_state=solution.start,
            retry=retry_write(deadlines.creation.to_seconds()),
            catchers=[
                # its name carries a hash of its configuration, so what is there is what was asked for
                catch(solution.start, ALREADY_EXISTS),
                catch("Solution failed", solutionReason=error_reason()),
            ],
        ),
        **solution.states(partition),
        "Solution created": told("CREATED", "Train?"),
        "Update solution": sdk_task(
            "personalize:updateSolution",
            partition=partition,
            arguments=expression("$plan.update"),
            next_state=update.start,
            retry=retry_write(deadlines.creation.to_seconds()),
            catchers=[catch("Update failed", updateReason=error_reason())],
        ),
        **update.states(partition),
        "Solution updated": told("UPDATED", "Train?"),
        "Update late": assign("Update failed", updateReason=update.waited),
        "Update failed": told("UPDATE_FAILED", "Failed update noted", reason="$updateReason"),
        # what is trained and served does not depend on the update, which the next run tries again
        "Failed update noted": assign(
            "Train?", problems="[{'name': 'update of solution ' & $plan.name, 'reason': $updateReason}]"
        ),
        "Train?": choice(
            # the child of a run that was stopped may have begun one since
            ("$plan.train != null", "List solution versions"),
            ("$version != null", version.start),
            default="Campaigns",
        ),
        "Create solution version": sdk_task(
            "personalize:createSolutionVersion",
            partition=partition,
            arguments=expression("$plan.train"),
            next_state="Training has begun",
            # training is billed: only an answer that says that nothing was begun leads to a second call at once
            retry=[retry_until(deadlines.training.to_seconds(), LIMIT_EXCEEDED, IN_USE)],
            catchers=[
                catch("Training failed", INVALID_INPUT, NOT_FOUND, versionReason=error_reason()),
                catch("Wait for solution versions", versionReason=error_reason(), attempts="$attempts + 1"),
            ],
            assign={"version": "$states.result.SolutionVersionArn"},
        ),
        # The failed call may have begun a training all the same
        "Wait for solution versions": {
            "Type": "Wait",
            "Seconds": _SETTLING_SECONDS,
            "Assign": {"page": expression(FIRST_PAGE), "begun": []},
            "Next": "List solution versions",
        },
        "List solution versions": sdk_task(
            "personalize:listSolutionVersions",
            partition=partition,
            arguments=page_of("page", {"SolutionArn": expression("$plan.solutionArn")}),
            next_state="Training begun?",
            retry=RETRY_READ,
            catchers=[catch("Training failed", versionReason=error_reason())],
            assign={
                "begun": "[$append($begun, $states.result.SolutionVersions"
                "[$toMillis(CreationDateTime) > $plan.trainedUntil].SolutionVersionArn)]",
                "page": NEXT_PAGE,
            },
        ),
        "Training begun?": choice(
            ("$count($begun) > 0", "Follow training"),
            (has_more("page"), "List solution versions"),
            (f"$attempts < {_ATTEMPTS}", "Create solution version"),
            default="Training failed",
        ),
        "Follow training": assign("Training has begun", version="$begun[0]"),
        "Training has begun": told(
            "TRAINING_BEGUN",
            version.start,
            solutionVersionArn="$version",
            trainingMode="$plan.train.TrainingMode",
        ),
        **version.states(partition),
        "Get metrics": sdk_task(
            "personalize:getSolutionMetrics",
            partition=partition,
            arguments={"SolutionVersionArn": expression("$version")},
            next_state="New version?",
            retry=RETRY_READ,
            catchers=[catch("New version?", gateReason=error_reason())],
            assign={"metrics": "$states.result.Metrics"},
        ),
        "New version?": choice(("$plan.isNew", "Version active"), default="Measured?"),
        "Version active": told("VERSION_ACTIVE", "Measured?", solutionVersionArn="$version", metrics="$metrics"),
        "Measured?": choice(
            ("$gateReason != '' and $plan.gate != null", "Gate failed"),
            # without a gate metrics are for the report; a model without them serves all the same
            ("$gateReason != ''", "Campaigns"),
            ("$plan.isNew and $count($keys($metrics)) > 0", "Publish metrics"),
            default="Gate?",
        ),
        "Publish metrics": sdk_task(
            "cloudwatch:putMetricData",
            partition=partition,
            arguments={"Namespace": MODEL_NAMESPACE, "MetricData": expression(DATA)},
            next_state="Gate?",
            retry=RETRY_METRICS,
            catchers=[catch("Metrics not published", publishReason=error_reason())],
        ),
        "Metrics not published": assign(
            "Gate?", warnings="['metrics of ' & $plan.name & ' are not in CloudWatch: ' & $publishReason]"
        ),
        "Gate?": choice(
            ("$plan.gate = null", "Campaigns"),
            ("$plan.gate.solutionVersionArn = null", "Judge version"),
            default="Get serving metrics",
        ),
        "Get serving metrics": sdk_task(
            "personalize:getSolutionMetrics",
            partition=partition,
            arguments={"SolutionVersionArn": expression("$plan.gate.solutionVersionArn")},
            next_state="Judge version",
            retry=RETRY_READ,
            catchers=[catch("Gate failed", gateReason=error_reason())],
            assign={"servingMetrics": "$states.result.Metrics"},
        ),
        "Judge version": assign(
            "Refused?",
            refused=f"{{'solutionVersionArn': $version, 'thresholds': {REFUSALS}}}",
        ),
        "Refused?": choice(("$count($refused.thresholds) > 0", "Refuse version"), default="Accept version"),
        "Accept version": assign("Campaigns", refused="null"),
        "Refuse version": sdk_task(
            "personalize:tagResource",
            partition=partition,
            arguments={
                "ResourceArn": expression("$version"),
                "Tags": [{"TagKey": VERDICT_TAG, "TagValue": expression(_VERDICT)}],
            },
            next_state="Version refused",
            retry=retry_write(deadlines.creation.to_seconds()),
            # the next run then judges it again
            catchers=[catch("Gate failed", gateReason=error_reason())],
            # those of what is served
            assign={"metrics": "$servingMetrics"},
        ),
        "Version refused": told(
            "VERSION_REFUSED",
            "Keep serving",
            solutionVersionArn="$refused.solutionVersionArn",
            thresholds="$refused.thresholds",
        ),
        "Gate failed": told("GATE_FAILED", "Failed gate noted", solutionVersionArn="$version", reason="$gateReason"),
        "Failed gate noted": assign("Keep serving", problems=_with_problem("quality gate of", "$gateReason")),
        "Training late": assign("Training failed", versionReason=version.waited),
        "Training failed": told(
            "TRAINING_FAILED", "Failed training noted", solutionVersionArn="$version", reason="$versionReason"
        ),
        "Failed training noted": assign("Keep serving", problems=_with_problem("training", "$versionReason")),
        "Training stopped": told("TRAINING_STOPPED", "Stopped training noted", solutionVersionArn="$version"),
        "Stopped training noted": assign("Keep serving", problems=_with_problem("training", "'it was stopped'")),
        # campaigns serve what they did before, and are otherwise made as they are declared
        "Keep serving": assign(
            "Campaigns", version="$plan.otherwise.solutionVersionArn", actions="$plan.otherwise.campaigns"
        ),
        "Campaigns": {
            "Type": "Map",
            "Items": expression("$actions"),
            "ItemSelector": {
                "campaign": expression("$states.context.Map.Item.Value"),
                "solutionVersionArn": expression("$version"),
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Begin campaign",
                "States": _campaign_states(partition=partition, deadlines=deadlines),
            },
            "Assign": {"campaigns": expression("$states.result")},
            "Next": "Done",
        },
        "Done": finish(
            name="$plan.name",
            solutionVersionArn="$version",
            metrics="$metrics",
            refused="$refused",
            warnings="[$warnings]",
            campaigns="[$campaigns.name]",
            failures="$append($problems, [$campaigns.failures])",
        ),
        "Solution late": assign("Solution failed", solutionReason=solution.waited),
        "Solution failed": told("CREATE_FAILED", "Failed solution noted", reason="$solutionReason"),
        "Failed solution noted": assign("Done", version="null", problems=_with_problem("solution", "$solutionReason")),
    }
    return state_machine("Creates, trains and serves one solution of Amazon Personalize", states)


def _with_problem(what: str, reason: str) -> str:
    """JSONata expression: what went wrong so far, and ``what``."""
    return f"$append($problems, [{{'name': '{what} ' & $plan.name, 'reason': {reason}}}])"


def _mark_states(*, partition: str, deadlines: Deadlines) -> States:
    """Say of one version whether it is to be served."""
    return {
        "Begin mark": assign("Mark version", mark="$states.input"),
        "Mark version": sdk_task(
            "personalize:tagResource",
            partition=partition,
            arguments=expression("$mark"),
            next_state="Version marked",
            retry=retry_write(deadlines.creation.to_seconds()),
            catchers=[catch("Version not marked", markReason=error_reason())],
        ),
        "Version marked": finish(failures="[]"),
        "Version not marked": tell(
            "solution",
            "VERDICT_FAILED",
            partition=partition,
            next_state="Missing mark noted",
            name="$plan.name",
            arn="$plan.solutionArn",
            solutionVersionArn="$mark.ResourceArn",
            reason="$markReason",
        ),
        "Missing mark noted": finish(
            failures="[{'name': 'rollback: tag of ' & $mark.ResourceArn, 'reason': $markReason}]"
        ),
    }


def _campaign_states(*, partition: str, deadlines: Deadlines) -> States:
    campaign = Poll(
        subject="Campaign",
        variable="campaign",
        read="describeCampaign",
        arguments={"CampaignArn": expression("$campaign.campaignArn")},
        # an update has a status of its own beside the campaign's, which stays ACTIVE
        status=either("$states.result.Campaign.LatestCampaignUpdate.Status", "$states.result.Campaign.Status"),
        reason=either(
            "$states.result.Campaign.LatestCampaignUpdate.FailureReason",
            either("$states.result.Campaign.FailureReason", UNSTATED),
        ),
        deadline_seconds=deadlines.serving.to_seconds(),
        settled=[
            ("$campaignStatus = 'ACTIVE'", "Campaign serves"),
            ("$campaignStatus = 'CREATE FAILED'", "Campaign failed"),
        ],
        late="Campaign late",
        failed="Campaign failed",
        keep={"campaignServes": "$states.result.Campaign.SolutionVersionArn"},
    )

    def told(change: str, next_state: str, **members: str) -> State:
        of = {"name": "$campaign.name", "arn": "$campaign.campaignArn"}
        return tell("campaign", change, partition=partition, next_state=next_state, **of, **members)

    given = either("$campaign.arguments.SolutionVersionArn", "$serve")
    # the plan names a version only where it is another one than that of this execution: the latest, whichever it is
    arguments = expression("$merge([{'SolutionVersionArn': $serve}, $campaign.arguments])")
    failed = catch("Campaign failed", campaignReason=error_reason())
    return {
        "Begin campaign": assign(
            "Campaign action?", campaign="$states.input.campaign", serve="$states.input.solutionVersionArn"
        ),
        "Campaign action?": choice(
            ("$campaign.action = 'create'", "Create campaign"),
            ("$campaign.action = 'update'", "Update campaign"),
            default=campaign.start,
        ),
        "Create campaign": sdk_task(
            "personalize:createCampaign",
            partition=partition,
            arguments=arguments,
            next_state="Campaign being created",
            retry=retry_write(deadlines.serving.to_seconds()),
            catchers=[catch("Campaign being created", ALREADY_EXISTS), failed],
        ),
        "Update campaign": sdk_task(
            "personalize:updateCampaign",
            partition=partition,
            arguments=arguments,
            next_state="Campaign being updated",
            retry=retry_write(deadlines.serving.to_seconds()),
            catchers=[failed],
        ),
        "Campaign being created": told("CREATING", campaign.start, solutionVersionArn=given),
        "Campaign being updated": told("UPDATING", campaign.start, solutionVersionArn=given),
        **campaign.states(partition),
        "Campaign serves": told("SERVING", "Campaign done", solutionVersionArn="$campaignServes"),
        "Campaign done": finish(name="$campaign.name", failures="[]"),
        "Campaign late": assign("Campaign failed", campaignReason=campaign.waited),
        "Campaign failed": told("FAILED", "Failed campaign noted", reason="$campaignReason"),
        "Failed campaign noted": finish(
            name="$campaign.name",
            failures="[{'name': 'campaign ' & $campaign.name, 'reason': $campaignReason}]",
        ),
    }
