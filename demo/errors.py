"""How the demonstration fails."""


class DemoError(Exception):
    """The demonstration cannot go on; the message is one sentence that says why and what to do."""
