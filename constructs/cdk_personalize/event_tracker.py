"""Event trackers: where live events go."""

from __future__ import annotations

from typing import Protocol

from aws_cdk import IResource, Resource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_personalize as personalize
from constructs import Construct

from cdk_personalize import _grants
from cdk_personalize._imported import Imported
from cdk_personalize._names import check_name, physical_name
from cdk_personalize._tags import OWNER_TAG, OWNER_TAG_PRIORITY
from cdk_personalize.dataset_group import DatasetGroup, IDatasetGroup
from cdk_personalize.metrics import PUT_EVENTS, RequestMetrics


class IEventTracker(IResource, Protocol):
    """An event tracker, whether made here or elsewhere."""

    @property
    def event_tracker_arn(self) -> str:
        """ARN of the event tracker."""
        ...

    @property
    def tracking_id(self) -> str:
        """What a client sends events with."""
        ...

    @property
    def grants(self) -> EventTrackerGrants:
        """What can be allowed on the event tracker."""
        ...

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the events that it gets."""
        ...


class EventTrackerGrants:
    """Permissions to send events."""

    def put_events(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to send events.

        The service authorises this action on no resource but ``*``: whoever is allowed can send events to every event
        tracker of the account whose tracking id is known.

        :param grantee: Who is allowed.
        """
        return _grants.grant(grantee, _grants.PUT_EVENTS, "*")


class _ImportedEventTracker(Imported):
    KIND = "event-tracker"

    def __init__(self, scope: Construct, id: str, *, arn: str, tracking_id: str) -> None:
        super().__init__(scope, id, arn=arn)
        self._tracking_id = tracking_id

    @property
    def event_tracker_arn(self) -> str:
        return self._arn

    @property
    def tracking_id(self) -> str:
        return self._tracking_id

    @property
    def grants(self) -> EventTrackerGrants:
        return EventTrackerGrants()

    @property
    def metrics(self) -> RequestMetrics:
        return _metrics(self._arn)


class EventTracker(Resource):
    """The event tracker of a dataset group; there is at most one.

    See https://docs.aws.amazon.com/personalize/latest/dg/recording-item-interaction-events.html
    """

    def __init__(
        self, scope: Construct, id: str, *, dataset_group: IDatasetGroup, event_tracker_name: str | None = None
    ) -> None:
        """Create the event tracker.

        :param scope: Parent.
        :param id: Construct id.
        :param dataset_group: The dataset group whose interactions receive the events.
        :param event_tracker_name: Its name. Default: - a name derived from the construct path
        :raises ValueError: When the dataset group has one, or the name is not valid.
        """
        check_name("event_tracker_name", event_tracker_name)
        if isinstance(dataset_group, DatasetGroup) and dataset_group.event_tracker is not None:
            raise ValueError(
                f"dataset group {dataset_group.node.path!r} has an event tracker already "
                f"({dataset_group.event_tracker.node.path!r}); the service allows one"
            )
        super().__init__(scope, id)
        self._name = event_tracker_name or physical_name(self)
        self._resource = personalize.CfnEventTracker(
            self,
            "Resource",
            name=self._name,
            dataset_group_arn=dataset_group.dataset_group_arn,
        )
        if isinstance(dataset_group, DatasetGroup):
            self._resource.cdk_tag_manager.set_tag(OWNER_TAG, dataset_group.owner, OWNER_TAG_PRIORITY)
            self._resource.node.add_dependency(dataset_group.datasets_ready)
            dataset_group._attach_event_tracker(self)

    @staticmethod
    def from_event_tracker_attributes(
        scope: Construct, id: str, *, event_tracker_arn: str, tracking_id: str
    ) -> IEventTracker:
        """Import an event tracker that is managed elsewhere.

        :param scope: Parent.
        :param id: Construct id.
        :param event_tracker_arn: Its ARN, which says in which account and Region it is.
        :param tracking_id: What a client sends events with; it does not follow from the ARN.
        :raises ValueError: When it cannot be the ARN of one.
        """
        return _ImportedEventTracker(scope, id, arn=event_tracker_arn, tracking_id=tracking_id)

    @property
    def event_tracker_arn(self) -> str:
        """ARN of the event tracker."""
        return self._resource.attr_event_tracker_arn

    @property
    def event_tracker_name(self) -> str:
        """Name of the event tracker."""
        return self._name

    @property
    def tracking_id(self) -> str:
        """What a client sends events with."""
        return self._resource.attr_tracking_id

    @property
    def grants(self) -> EventTrackerGrants:
        """What can be allowed on the event tracker."""
        return EventTrackerGrants()

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of the events that it gets."""
        return _metrics(self.event_tracker_arn)


def _metrics(event_tracker_arn: str) -> RequestMetrics:
    return RequestMetrics(PUT_EVENTS, {"EventTrackerArn": event_tracker_arn})
