"""What a runtime says when a case cannot go on; `status` is what the row will say."""

from kb.records.statuses import Status


class DeviceMissing(RuntimeError):
    """The framework sees no such device on this machine: nothing is broken, the case has no place here."""

    status = Status.UNSUPPORTED


class ExportInvalid(RuntimeError):
    """The export wrote a file, but its format's own checker refuses it."""

    status = Status.CHECK_FAILED
