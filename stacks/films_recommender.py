"""Film recommendations: what is declared here is imported, trained and served by the workflow."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

import cdk_personalize as personalize


class FilmsRecommender(Stack):
    """Top picks for each viewer. With ``-c removal=destroy`` the data goes with the stack."""

    def __init__(self, scope: Construct, id: str, *, data_bucket: s3.IBucket) -> None:
        super().__init__(scope, id)
        destroy = self.node.try_get_context("removal") == "destroy"
        films = personalize.DatasetGroup(
            self,
            "Films",
            data_bucket=data_bucket,
            removal_policy=RemovalPolicy.DESTROY if destroy else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        interactions = films.add_interactions(
            schema=personalize.Schema.interactions(event_type=True, event_value=True),
            source=personalize.DataSource(data_bucket, "films/interactions/"),
        )
        items = films.add_items(
            schema=personalize.Schema.items(
                personalize.Field.string("TITLE"),
                personalize.Field.categorical("GENRES"),
                personalize.Field.int("YEAR", nullable=True),
            ),
            source=personalize.DataSource(data_bucket, "films/items/"),
        )
        users = films.add_users(
            schema=personalize.Schema.users(
                personalize.Field.int("AGE"),
                personalize.Field.categorical("GENDER"),
                personalize.Field.categorical("OCCUPATION"),
            ),
            source=personalize.DataSource(data_bucket, "films/users/"),
        )
        tracker = films.add_event_tracker()
        unseen = films.add_filter("Unseen", expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')

        top_picks = films.add_solution(
            "TopPicks",
            recipe=personalize.Recipe.USER_PERSONALIZATION_V2,
            event_type="watch",
            event_value_threshold=3.6,
        )
        live = top_picks.add_campaign("Live", min_provisioned_tps=1)
        workflow = personalize.Workflow(self, "Workflow", dataset_group=films)

        CfnOutput(self, "DatasetGroupArn", value=films.dataset_group_arn)
        CfnOutput(self, "SolutionArn", value=top_picks.solution_arn)
        CfnOutput(self, "CampaignArn", value=live.campaign_arn)
        CfnOutput(self, "TrackingId", value=tracker.tracking_id)
        CfnOutput(self, "UnseenFilterArn", value=unseen.filter_arn)
        CfnOutput(self, "WorkflowArn", value=workflow.state_machine_arn)
        for name, dataset in (("Interactions", interactions), ("Items", items), ("Users", users)):
            CfnOutput(self, f"{name}Source", value=dataset.source.location)
