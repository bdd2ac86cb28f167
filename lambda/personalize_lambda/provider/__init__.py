"""Custom resources: what CloudFormation cannot do itself with Amazon Personalize."""
