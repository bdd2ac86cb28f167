"""What Amazon Personalize allows: every limit, range and reserved name that a declaration is checked against.

This is the one place for such facts; each says where and when it was read. The package is pure: it knows nothing of
the CDK, so that anything that works with the service can use it.
"""
