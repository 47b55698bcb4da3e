"""What can be wrong with the question: one error for all of its parts, so that the command line knows it as one."""


class UpgradeError(ValueError):
    """The question cannot be answered as it was asked. One line: what, where, and what to do."""
