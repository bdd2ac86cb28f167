"""The reference app: recommendations for a film service, in two stacks."""

import aws_cdk as cdk

from stacks.films_data import FilmsData
from stacks.films_recommender import FilmsRecommender

app = cdk.App()
data = FilmsData(app, "FilmsData")
FilmsRecommender(app, "FilmsRecommender", data_bucket=data.bucket)
app.synth()
