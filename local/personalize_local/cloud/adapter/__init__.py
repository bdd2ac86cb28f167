"""The only code that touches ministack's private parts.

Each module patches one part of it. The version is required exactly, and every patch first checks that what it replaces
has the parameters that it expects (see `expected`). So an upgrade fails at start with the name of what changed, not in
a user's deployment.
"""
