"""Where things are: the service uses what is in its own Region, and is not in every Region."""

from __future__ import annotations

from aws_cdk import Annotations, IResource, Stack, Token
from constructs import Construct

from cdk_personalize.facts.names import REGIONS


def check_region(parameter: str, resource: IResource, stack: Stack) -> None:
    """Check that the service can use a resource.

    :param parameter: Name of the parameter.
    :param resource: Its value; a Region that is not known yet passes.
    :param stack: The stack of what uses it.
    :raises ValueError: When it is in another Region.
    """
    region = resource.env.region
    if Token.is_unresolved(region) or Token.is_unresolved(stack.region) or region == stack.region:
        return
    raise ValueError(f"{parameter} must be in the Region of its dataset group, {stack.region}, got one in {region}")


def warn_of_region(construct: Construct) -> None:
    """Warn where the service may not be available.

    :param construct: What is made there.
    """
    region = Stack.of(construct).region
    if Token.is_unresolved(region) or region in REGIONS.names:
        return
    Annotations.of(construct).add_warning_v2(
        "cdk-personalize:region",
        f"Amazon Personalize was not available in {region} on {REGIONS.source.date}, but in "
        f"{', '.join(REGIONS.names)}; see {REGIONS.source.url}",
    )
