"""What goes wrong with a conversion before there is an export to judge; `status` is what the row will say."""

from kb.records.statuses import Status


class NothingWritten(RuntimeError):
    """The converter ended without an error and without a file."""

    status = Status.EXPORT_FAILED


class NotInstalled(RuntimeError):
    """What every conversion needs is missing or cannot be imported."""


class ConversionError(ValueError):
    """What the user handed over cannot be checked. One line: what, where, and what to do."""
