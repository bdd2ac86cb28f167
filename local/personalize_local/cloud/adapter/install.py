"""Puts all patches in place."""

from personalize_local.cloud.adapter import (
    buckets,
    cloudformation,
    custom_resources,
    keeping,
    lambdas,
    queues,
    routing,
    schedule_permissions,
    schedules,
    sdk_integrations,
    state_errors,
    state_events,
    state_flow,
    state_limits,
    state_permissions,
    used_permissions,
    workers,
)
from personalize_local.cloud.adapter.expected import require_version
from personalize_local.cloud.service import PersonalizeService


def install(service: PersonalizeService) -> None:
    """Register Personalize in the AWS emulator of this process and correct the emulator's leniencies.

    :param service: the Personalize emulator.
    :raises IncompatibleEmulatorError: when the emulator is not what the patches were written for.
    """
    require_version()
    routing.register(service)
    used_permissions.register()
    schedule_permissions.register()
    sdk_integrations.register(service)
    state_flow.start_at_once()
    state_errors.register()
    state_events.register(service)
    state_limits.register()
    state_permissions.register(service)
    state_flow.register(service)
    lambdas.register(service)
    workers.register()
    queues.register()
    cloudformation.register(service)
    custom_resources.register()
    buckets.register()
    schedules.register()
    keeping.register()
