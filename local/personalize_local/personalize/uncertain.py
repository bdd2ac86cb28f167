"""Every choice where the documentation does not say what the service does, in one place.

A choice that was made by inference, or between sources that disagree, is named here and nowhere else. Each has the
value that is taken until somebody sees the real service answer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Uncertain:
    """Undocumented behaviour.

    :param update_campaign_across_solutions: whether UpdateCampaign takes the version of another solution.
    :param second_event_tracker_error: the error when a dataset group has an event tracker already: the API's model
        allows LimitExceededException and ResourceAlreadyExistsException.
    :param filters_block_dataset_group: whether DeleteDatasetGroup refuses while the group has filters. AWS's own
        clean-up scripts remove filters first.
    :param create_on_busy_parent: the error when the parent is not ACTIVE yet.
    :param extra_csv_columns_allowed: whether a CSV file may have columns that the schema lacks.
    :param latest_without_version: the error when a campaign asks for ``$LATEST`` and there is no ACTIVE version.
    :param import_needs_role: whether an import job without roleArn is refused; the API's model makes it optional.
    :param event_needs_known_columns: whether PutEvents refuses properties that the Interactions schema lacks.
    :param autotrain_by_callers: whether CreateSolutionVersion takes the trainingMode AUTOTRAIN.
    :param inactive_campaign_error: the error when a campaign that is asked for recommendations is not ACTIVE.
    :param inactive_filter_error: the error when the filter of a request is not ACTIVE.
    :param cloudformation_solution_trains: whether ``AWS::Personalize::Solution``, which has no property for it, leaves
        automatic training on, as the API does by default.
    :param cloudformation_tags_schemas: whether ``AWS::Personalize::Schema`` tags what it makes: it has the property and
        the permission, but the API does not list schemas among what can be tagged.
    """

    update_campaign_across_solutions: bool = True
    second_event_tracker_error: str = "LimitExceededException"
    filters_block_dataset_group: bool = True
    create_on_busy_parent: str = "ResourceInUseException"
    extra_csv_columns_allowed: bool = True
    latest_without_version: str = "ResourceNotFoundException"
    import_needs_role: bool = True
    event_needs_known_columns: bool = False
    autotrain_by_callers: bool = False
    inactive_campaign_error: str = "ResourceNotFoundException"
    inactive_filter_error: str = "InvalidInputException"
    cloudformation_solution_trains: bool = True
    cloudformation_tags_schemas: bool = False


# Not documented anywhere, and of no use as a switch:

#: what ``Ref`` gives for CloudFormation's types: their reference says the name for the four old ones, while their
#: schemas' primary identifier is the ARN
CLOUDFORMATION_REF = "ARN"

#: text for rows that do not fit the schema (wrong type, empty id, wrong number of values)
ROWS_DO_NOT_CONFORM = (
    "Failed to create a data import job for {dataset_type} dataset. Input csv has rows that do not conform to the "
    "dataset schema. Please ensure all required data fields are present and that they are of the type specified in "
    "the schema."
)

#: text for an Interactions import with too few records; the quota is documented, its text is not
TOO_FEW_RECORDS = (
    "Failed to create a data import job for {dataset_type} dataset. The number of records is {records}, "
    "the minimum is {minimum}."
)

#: text for a custom solution with too few interactions; the documented text is that of recommenders
TOO_FEW_INTERACTIONS = "Create failed. Dataset has fewer than {minimum} interactions{filtered}."

#: billed hours of training per hour of wall clock; one printed example: 20 minutes gave 1.073 hours
TRAINING_HOURS_PER_HOUR = 3.2
