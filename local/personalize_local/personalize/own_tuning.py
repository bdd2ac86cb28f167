"""The tuning that the recipes of version 2 do by themselves, where training is automatic.

Their hyperparameters cannot be tuned by anybody else. See
https://docs.aws.amazon.com/personalize/latest/dg/customizing-solution-config-hpo.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .recommenders import Search
from .serving import TrainedVersion
from .state import Record
from .uncertain import OWN_TUNING_SECONDS, TRAINING_JOBS

TUNES_ITSELF: Final = frozenset({"aws-user-personalization-v2", "aws-personalized-ranking-v2"})

OWN_SEARCH: Final = Search(TRAINING_JOBS, {"hidden_dimension": (32, 256), "bptt": (2, 100)}, defaults_first=True)
"""What is searched: what the recipe does not let anybody set."""

TUNED_AT: Final = "tunedAt"
"""The attribute of a version that tells when its training tuned by itself, in AWS time."""

FOUND_BEFORE: Final = "foundBefore"
"""The attribute of a version with what earlier tuning has found."""


def own_tuning(
    recipe: str, earlier: Sequence[Record], trained: Mapping[str, TrainedVersion], now: float, *, automatic: bool
) -> dict[str, Any]:
    """Tell whether a new version is to be tuned, or what it takes over from tuning before.

    :param earlier: the other versions of the solution, oldest first.
    :param trained: what is trained, by ARN.
    :param now: AWS time in seconds.
    :param automatic: whether it is trained automatically; all others are not tuned.
    :return: attributes of the new version.
    """
    if recipe not in TUNES_ITSELF:
        return {}
    tuned = [version for version in earlier if TUNED_AT in version.attributes and version.arn in trained]
    # another time scale since then has another time, which must not keep it from tuning for ages
    fresh = tuned and 0 <= now - tuned[-1].attributes[TUNED_AT] < OWN_TUNING_SECONDS
    if automatic and not fresh:
        return {TUNED_AT: now}
    return {FOUND_BEFORE: dict(trained[tuned[-1].arn].tuned)} if tuned else {}
