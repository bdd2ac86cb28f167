"""The workflow of a dataset group: runs that make slow things true."""
