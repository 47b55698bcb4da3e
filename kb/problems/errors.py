"""What is wrong with a command about notes, rather than with a note."""


class ProblemError(ValueError):
    """The command cannot do what was asked. One line: what, where, what to do. Nothing was written."""


class MissingPart(RuntimeError):
    """Something that the command needs is not installed. One line: what, and how to get it."""
