"""What each part of the workflow may do, as data: actions and the kind of resource they are allowed on.

The kinds are resolved to ARNs by :class:`.resources.Resources`. Follows
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html
"""

from __future__ import annotations

#: Actions that the service authorises on no resource but ``*``
LISTING = ("personalize:ListCampaigns", "personalize:ListSolutionVersions", "personalize:ListSolutions")

Permissions = dict[str, tuple[str, ...]]

RUN: Permissions = {
    "any solution": ("personalize:DescribeSolutionVersion",),
    "owned solutions": ("personalize:DeleteSolution",),
    "owned trainings": ("personalize:StopSolutionVersionCreation",),
    "owned campaigns": ("personalize:DeleteCampaign",),
    "owned recommenders": ("personalize:DeleteRecommender",),
    "recommender listing": ("personalize:ListRecommenders",),
    "recommender state machine": ("states:StartExecution",),
    "recommender executions": ("states:DescribeExecution", "states:StopExecution"),
    "*": ("personalize:ListCampaigns", "personalize:ListSolutions"),
    "lock table": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    "plan function": ("lambda:InvokeFunction",),
    "run executions": ("states:DescribeExecution",),
    "solution state machine": ("states:StartExecution",),
    "solution executions": ("states:DescribeExecution", "states:StopExecution"),
    "import state machine": ("states:StartExecution",),
    "import executions": ("states:DescribeExecution", "states:StopExecution"),
    "job state machine": ("states:StartExecution",),
    "job executions": ("states:DescribeExecution", "states:StopExecution"),
    "event bus": ("events:PutEvents",),
    # how Step Functions follows a child execution
    "child execution rule": ("events:DescribeRule", "events:PutRule", "events:PutTargets"),
}

IMPORT: Permissions = {
    "datasets": ("personalize:CreateDatasetImportJob",),
    "import jobs": (
        "personalize:CreateDatasetImportJob",
        "personalize:DescribeDatasetImportJob",
        "personalize:TagResource",
    ),
    "import role": ("iam:PassRole",),
    "check function": ("lambda:InvokeFunction",),
    "event bus": ("events:PutEvents",),
}

SOLUTION: Permissions = {
    "dataset group": ("personalize:CreateSolution",),
    "declared solutions": (
        "personalize:CreateCampaign",
        "personalize:CreateSolution",
        "personalize:CreateSolutionVersion",
        "personalize:TagResource",
        "personalize:UpdateSolution",
    ),
    "declared campaigns": ("personalize:CreateCampaign", "personalize:TagResource", "personalize:UpdateCampaign"),
    "any solution": (
        "personalize:DescribeSolution",
        "personalize:DescribeSolutionVersion",
        "personalize:GetSolutionMetrics",
    ),
    "any campaign": ("personalize:DescribeCampaign",),
    "*": ("personalize:ListSolutionVersions",),
    "model metrics": ("cloudwatch:PutMetricData",),
    "event bus": ("events:PutEvents",),
}

RECOMMENDER: Permissions = {
    "dataset group": ("personalize:CreateRecommender",),
    "declared recommenders": (
        "personalize:CreateRecommender",
        "personalize:StartRecommender",
        "personalize:StopRecommender",
        "personalize:TagResource",
        "personalize:UpdateRecommender",
    ),
    "any recommender": ("personalize:DescribeRecommender",),
    "event bus": ("events:PutEvents",),
}

JOB: Permissions = {
    "batched solutions": ("personalize:CreateBatchInferenceJob", "personalize:CreateBatchSegmentJob"),
    "batch inference jobs": (
        "personalize:CreateBatchInferenceJob",
        "personalize:DescribeBatchInferenceJob",
        "personalize:TagResource",
    ),
    "batch segment jobs": (
        "personalize:CreateBatchSegmentJob",
        "personalize:DescribeBatchSegmentJob",
        "personalize:TagResource",
    ),
    "exported datasets": ("personalize:CreateDatasetExportJob",),
    "dataset export jobs": (
        "personalize:CreateDatasetExportJob",
        "personalize:DescribeDatasetExportJob",
        "personalize:TagResource",
    ),
    "dataset group with deletions": ("personalize:CreateDataDeletionJob",),
    "data deletion jobs": (
        "personalize:CreateDataDeletionJob",
        "personalize:DescribeDataDeletionJob",
        "personalize:TagResource",
    ),
    "job roles": ("iam:PassRole",),
    "event bus": ("events:PutEvents",),
}

PLAN: Permissions = {
    "document": ("s3:GetObject",),
    "source buckets": ("s3:ListBucket",),
    "dataset group": ("personalize:DescribeDatasetGroup",),
    "datasets": ("personalize:DescribeDataset",),
    "any campaign": ("personalize:DescribeCampaign", "personalize:ListTagsForResource"),
    "any solution": ("personalize:DescribeSolution", "personalize:ListTagsForResource"),
    "any recommender": ("personalize:DescribeRecommender", "personalize:ListTagsForResource"),
    "lock table": ("dynamodb:GetItem", "dynamodb:PutItem"),
    "*": (
        *LISTING,
        "personalize:ListBatchInferenceJobs",
        "personalize:ListBatchSegmentJobs",
        "personalize:ListDataDeletionJobs",
        "personalize:ListDatasetExportJobs",
        "personalize:ListDatasetImportJobs",
    ),
    "recommender listing": ("personalize:ListRecommenders",),
    "key": ("kms:Decrypt",),
}

CHECK_IMPORT: Permissions = {
    "document": ("s3:GetObject",),
    "source buckets": ("s3:ListBucket",),
    "source files": ("s3:GetObject",),
    "source keys": ("kms:Decrypt",),
    "import reports": ("s3:PutObject",),
    "key": ("kms:Decrypt", "kms:GenerateDataKey"),
}

FINISH: Permissions = {
    "lock table": ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
    "run executions": ("states:DescribeExecution",),
    "run state machine": ("states:StartExecution",),
    "topic": ("sns:Publish",),
    "topic key": ("kms:Decrypt", "kms:GenerateDataKey"),
    "event bus": ("events:PutEvents",),
}

#: Why a kind of resource is a wildcard
WILDCARDS = {
    "*": "the service authorises its list operations on no resource but *",
    "any campaign": "reads campaigns that were declared before and are no longer, whose names are not known any more",
    "any recommender": "reads recommenders that were declared before and are no longer, whose names are not known now",
    "any solution": "reads solutions that were declared before and are no longer, whose names are not known any more",
    "batch inference jobs": "names of jobs are used once; those of this stack start with the names that are declared",
    "batch segment jobs": "names of jobs are used once; those of this stack start with the names that are declared",
    "batched solutions": "solution versions have ids that the service makes, below the solution that is named",
    "data deletion jobs": "names of jobs are used once; those of this stack start with the names that are declared",
    "dataset export jobs": "names of jobs are used once; those of this stack start with the names that are declared",
    "declared solutions": "solution versions have ids that the service makes, below the solution that is named",
    "import executions": "executions have names of their own, below the state machine that is named",
    "import reports": "every import job has a report of its own, named like the job",
    "source files": "checks every file of the folders that datasets are imported from",
    "import jobs": "names of import jobs are used once, so every import has another",
    "job executions": "executions have names of their own, below the state machine that is named",
    "model metrics": "CloudWatch authorises publishing on no resource but *; the namespace must be the library's",
    "owned campaigns": "removes campaigns that are no longer declared; the owner tag must be this workflow's",
    "owned recommenders": "removes recommenders that are no longer declared; the owner tag must be this workflow's",
    "owned trainings": "stops trainings of solutions that are no longer declared; an owner tag must be this workflow's",
    "owned solutions": "removes solutions that are no longer declared; the owner tag must be this workflow's",
    "recommender executions": "executions have names of their own, below the state machine that is named",
    "recommender listing": "the service authorises its list operations on no resource but *",
    "run executions": "executions have names of their own, below the state machine that is named",
    "solution executions": "executions have names of their own, below the state machine that is named",
}

START: Permissions = {"run state machine": ("states:StartExecution",)}

DEPLOY: Permissions = {
    "document": ("s3:PutObject",),
    "key": ("kms:Decrypt", "kms:GenerateDataKey"),
    "lock table": ("dynamodb:GetItem", "dynamodb:PutItem"),
    "run state machine": ("states:StartExecution",),
    "run executions": ("states:StopExecution",),
}

TEARDOWN: Permissions = {
    "document": ("s3:DeleteObjectVersion",),
    "data bucket": ("s3:ListBucketVersions",),
    "lock table": ("dynamodb:GetItem",),
    "run state machine": ("states:StartExecution",),
    "run executions": ("states:DescribeExecution",),
    "any campaign": ("personalize:DescribeCampaign", "personalize:ListTagsForResource"),
    "any recommender": ("personalize:DescribeRecommender", "personalize:ListTagsForResource"),
    "any solution": ("personalize:DescribeSolution", "personalize:ListTagsForResource"),
    "*": LISTING,
    "recommender listing": ("personalize:ListRecommenders",),
}
