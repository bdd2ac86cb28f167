"""Every choice where the documentation does not say what the service does, in one place.

A choice that was made by inference, or between sources that disagree, is named here and nowhere else. Each has the
value that is taken until somebody sees the real service answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdk_personalize import filter_expression


@dataclass(frozen=True)
class Uncertain:
    """Undocumented behaviour.

    :param update_campaign_across_solutions: whether UpdateCampaign takes the version of another solution.
    :param second_event_tracker_error: the error when a dataset group has an event tracker already: the API's model
        allows LimitExceededException and ResourceAlreadyExistsException.
    :param tracker_needs_interactions: whether CreateEventTracker refuses a dataset group without an Interactions
        dataset, which PutEvents needs.
    :param second_dataset_error: the error when a dataset group has a dataset of the type already: the API's model
        allows LimitExceededException and ResourceAlreadyExistsException.
    :param dataset_names_unique: whether no two datasets may have the same name; it is not part of their ARNs.
    :param version_name_in_arn: whether the ARN of a solution version ends in its name, where it was given one; two of
        one name are then refused.
    :param delete_while_deleting: whether Delete takes what is being deleted already. The API's model calls most of
        those operations idempotent, while the guide says that only what is ACTIVE or CREATE FAILED can be deleted.
    :param filters_block_dataset_group: whether DeleteDatasetGroup refuses while the group has filters or a metric
        attribution. AWS's own clean-up scripts remove them first.
    :param second_metric_attribution_error: the error when a dataset group has a metric attribution already: the API's
        model allows LimitExceededException and ResourceAlreadyExistsException.
    :param create_on_busy_parent: the error when the parent is not ACTIVE yet.
    :param extra_csv_columns_allowed: whether a CSV file may have columns that the schema lacks.
    :param csv_columns_in_order: whether the columns of a CSV file must have the order of the schema's fields, as the
        guide says; in practice the names seem to count.
    :param latest_without_version: the error when a campaign asks for ``$LATEST`` and there is no ACTIVE version.
    :param incremental_counts_new_only: whether an INCREMENTAL import of interactions counts only records that are not
        there yet towards the minimum; the guide says "new", and not what that means.
    :param full_action_interactions_minimum: whether a FULL import of action interactions has to have as many records as
        an INCREMENTAL one, for which the guide says so.
    :param import_needs_role: whether an import job without roleArn is refused; the API's model makes it optional.
    :param event_needs_known_columns: whether PutEvents refuses properties that the Interactions schema lacks.
    :param autotrain_by_callers: whether CreateSolutionVersion takes the trainingMode AUTOTRAIN.
    :param inactive_campaign_error: the error when a campaign that is asked for recommendations is not ACTIVE.
    :param automatic_training_mode: the trainingMode that versions made by automatic training report.
    :param inactive_filter_error: the error when the filter of a request is not ACTIVE.
    :param context_must_fit: whether a context is refused that has a name which the Interactions schema lacks, or that
        goes to a recipe without contexts. Otherwise it is passed over.
    :param extra_filter_values_refused: whether filterValues are refused that no placeholder of the filter asks for.
    :param filter_needs_user: whether a request without userId is refused when its filter looks at the user.
        Otherwise the filter takes the user for one without events and attributes.
    :param filters_drop_promoted: whether what a use case leaves out by itself is not promoted either.
    :param promoted_share_rounds_up: whether a share of promoted items that is not whole is rounded up.
    :param unknown_related_item: the error when recommendations are asked for an item that the model does not know;
        None for no error: what is popular is recommended.
    :param hyperparameter_values_checked: whether CreateSolution refuses hyperparameters that are out of range, or that
        only hyperparameter optimization may set; documented is what is allowed, and not when it is checked.
    :param unknown_auto_ml_metric_refused: whether an autoMLConfig is refused whose metricName is none of the metrics of
        recipes for items. Otherwise it is passed over.
    :param campaign_reports_resolved_version: whether DescribeCampaign names the version that ``$LATEST`` stands for.
    :param move_from_wrong_status: the error when StartRecommender, StopRecommender or StopSolutionVersionCreation
        does not go with the present status.
    :param update_inactive_recommender: whether UpdateRecommender takes a recommender that is stopped.
    :param recipes_token_on_first_page: whether the first page of ListRecipes has a nextToken even when there is
        nothing more; the service was seen to do so.
    :param cloudformation_solution_trains: whether ``AWS::Personalize::Solution``, which has no property for it, leaves
        automatic training on, as the API does by default.
    :param cloudformation_tags_schemas: whether ``AWS::Personalize::Schema`` tags what it makes: it has the property and
        the permission, but the API does not list schemas among what can be tagged.
    """

    update_campaign_across_solutions: bool = True
    second_event_tracker_error: str = "LimitExceededException"
    tracker_needs_interactions: bool = False
    second_dataset_error: str = "ResourceAlreadyExistsException"
    dataset_names_unique: bool = False
    version_name_in_arn: bool = False
    delete_while_deleting: bool = True
    filters_block_dataset_group: bool = True
    second_metric_attribution_error: str = "LimitExceededException"
    create_on_busy_parent: str = "ResourceInUseException"
    extra_csv_columns_allowed: bool = True
    csv_columns_in_order: bool = False
    latest_without_version: str = "ResourceNotFoundException"
    incremental_counts_new_only: bool = True
    full_action_interactions_minimum: bool = True
    import_needs_role: bool = True
    event_needs_known_columns: bool = False
    autotrain_by_callers: bool = False
    inactive_campaign_error: str = "ResourceNotFoundException"
    automatic_training_mode: str = "AUTOTRAIN"
    inactive_filter_error: str = "InvalidInputException"
    context_must_fit: bool = True
    extra_filter_values_refused: bool = True
    filter_needs_user: bool = True
    filters_drop_promoted: bool = True
    promoted_share_rounds_up: bool = True
    unknown_related_item: str | None = None
    hyperparameter_values_checked: bool = True
    unknown_auto_ml_metric_refused: bool = True
    campaign_reports_resolved_version: bool = True
    move_from_wrong_status: str = "ResourceInUseException"
    update_inactive_recommender: bool = True
    recipes_token_on_first_page: bool = True
    cloudformation_solution_trains: bool = True
    cloudformation_tags_schemas: bool = False


# Not documented anywhere, and of no use as a switch. So are the texts of refused requests (``validation.py``), which
# follow those of other services of AWS, the check of every pattern as if it were anchored at both ends, and that
# members of a wrong type are an InvalidInputException as well.

#: the error of a request too many, of the operations whose model has no LimitExceededException; it is one of the errors
#: that all services of AWS have in common
RATE_ERROR = "ThrottlingException"

#: text of that error, which comes with a request too many
RATE_TEXT = "Rate exceeded"

#: the largest body; the largest request that the API's model allows has less
MAX_BODY_BYTES = 8 * 1024 * 1024

#: what ``Ref`` gives for CloudFormation's types: their reference says the name for the four old ones, while their
#: schemas' primary identifier is the ARN
CLOUDFORMATION_REF = "ARN"

#: texts for imports that the guide prints with dots for some of the words
IMPORT_NO_PRIVILEGES = (
    "Failed to create a data import job for {dataset_type} dataset. "
    "Insufficient privileges for accessing data in Amazon S3."
)
IMPORT_MISSING_COLUMNS = (
    "Failed to create a data import job for {dataset_type} dataset. "
    "Input CSV is missing the following columns:[{names}]."
)

#: text for rows that do not fit the schema (wrong type, empty id, wrong number of values, a record on several lines)
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

#: texts for export and data deletion jobs that fail; those of import jobs are documented
EXPORT_INVALID_LOCATION = "Invalid S3 output path"
EXPORT_NO_PRIVILEGES = "Insufficient privileges for accessing data in Amazon S3."
DELETION_INVALID_LOCATION = "Invalid Data location."
DELETION_NO_PRIVILEGES = "Insufficient privileges for accessing data in Amazon S3."
DELETION_TOO_LARGE = "The files have {size} bytes, at most {maximum} are allowed."
DELETION_ENCRYPTED = "{key} is encrypted with a key of AWS KMS; data deletion jobs cannot read it."
DELETION_NOT_CONFORMING = "The file must be a CSV file with the single column USER_ID."

#: text for a metric attribution that cannot write its reports
ATTRIBUTION_FAILED = "Failed to create the metric attribution. {problem}."

#: what a new metric attribution writes to see whether it can
ATTRIBUTION_TRIAL_FILE = "AggregatedAttributionMetrics - Validation.csv"

#: the ImportMethod in the name of reports about events; for imports it is their importMode
ATTRIBUTION_REPORT_OF_EVENTS = "PutEvents"

#: the CloudWatch namespace of customers' own metrics
ATTRIBUTION_NAMESPACE = "AWS/Personalize"

#: text for files that are larger than the quota
IMPORT_TOO_LARGE = "The files have {size} bytes, at most {maximum} are allowed."

#: text for a custom solution with too few interactions; the documented text is that of recommenders
TOO_FEW_INTERACTIONS = "Create failed. Dataset has fewer than {minimum} interactions{filtered}."

#: billed hours of training per hour of wall clock; one printed example: 20 minutes gave 1.073 hours. Every training
#: of hyperparameter optimization takes as many.
TRAINING_HOURS_PER_HOUR = 3.2

#: use cases whose answers have no scores, as those of the recipes of the same kind have none
USE_CASES_WITHOUT_SCORES = (
    "aws-ecomm-popular-items-by-views",
    "aws-ecomm-popular-items-by-purchases",
    "aws-ecomm-frequently-bought-together",
    "aws-ecomm-customers-who-viewed-x-also-viewed",
    "aws-vod-because-you-watched-x",
    "aws-vod-more-like-x",
    "aws-vod-most-popular",
)

#: weight of an event type in eventsConfig that has none
DEFAULT_EVENT_WEIGHT = 1.0

#: objectiveSensitivity of an optimizationObjective that has none
DEFAULT_SENSITIVITY = "MEDIUM"

#: how much of the places of a list explorationWeight gives to items that are explored
EXPLORED_PLACES = 1.0

#: the lowest explorationItemAgeCutOff in days: one page says at least 1, another says positive
LEAST_AGE_CUT_OFF = 1.0

#: explorationWeight of user-personalization-v2, which nobody can set; documented is the default of its predecessor
AUTOMATIC_EXPLORATION_WEIGHT = 0.3

#: the part of a list of next best actions that goes to actions without a score
EXPLORED_ACTIONS = 0.2

#: with at most so many events an item is still explored; so many make an item known to the cold-start recipe
EXPLORED_UP_TO_EVENTS = 15

#: the largest numResults of batch inference jobs, and the longest itemList of a line; documented for requests only
MOST_BATCH_RESULTS = 500

#: what a backslash stands before in filterValues, to be taken as it is; "escaped double quotes" is all that is said
ESCAPED_IN_FILTER_VALUES = '"\\'

#: whether what has no value (null, or no row) meets NOT IN
MISSING_MEETS_NOT_IN = True

#: whether what has no value meets !=
MISSING_MEETS_UNEQUAL = False

#: whether AND binds closer than OR in filter expressions; decided in the construct package, which validates them too
AND_BINDS_CLOSER = filter_expression.AND_BINDS_CLOSER

#: how often the recipes of version 2 tune by themselves where training is automatic, from the first such training on:
#: documented are the 90 days, and not when they begin
OWN_TUNING_SECONDS = 90 * 86_400.0

#: how many trainings hyperparameter optimization makes when hpoResourceConfig does not say
TRAINING_JOBS = 5

#: when the first automatic training begins after a solution is ACTIVE or its schedule has changed; documented is
#: "within an hour"
FIRST_AUTOMATIC_TRAINING_SECONDS = 1800.0

#: days between automatic trainings when autoTrainingConfig does not say: documented
AUTOMATIC_TRAINING_DAYS = 7

#: how often new items are taken up without training; documented as every two hours
AUTO_UPDATE_SECONDS = 7200.0

#: how soon changed items are similar to others with performIncrementalUpdate; documented as about 30 minutes
INCREMENTAL_UPDATE_SECONDS = 1800.0

#: key of the metric of trends; the documentation calls it "trend prediction accuracy" and shows no key
TREND_PREDICTION_ACCURACY = "trend_prediction_accuracy"

#: key of the metric of actions; the documentation calls it "area under the curve (AUC)" and shows no key
AREA_UNDER_CURVE = "area_under_the_curve"

#: end of the names of the files that batch jobs write, after the name of the file that was read
BATCH_OUTPUT_SUFFIX = ".out"

#: whether a solution of Semantic-Similarity that does not say has performIncrementalUpdate; the API reference gives
#: true as the default, the recipe's page says that it must be set to true
INCREMENTAL_UPDATE_BY_DEFAULT = False

#: member of the output of User-Personalization-v2 that has each item's reasons; documented to be there, without a name
BATCH_REASONS = "reasons"

#: member of the output of batch segment jobs; the guide has recommendedUsers, the service was seen to write usersList
BATCH_USERS = "usersList"

#: texts for batch input that exceeds a quota; the quotas are documented
TOO_MANY_BATCH_FILES = "The input has {files} files, at most {most} are allowed."
TOO_MUCH_BATCH_INPUT = "The input has {size} bytes, at most {most} are allowed."
TOO_MANY_BATCH_RECORDS = "An input file has {records} records, at most {most} are allowed."
