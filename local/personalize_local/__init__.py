"""A local cloud for Amazon Personalize."""
