"""The closed set of statuses: a failure is a row like any other, with its reason."""

from enum import StrEnum


class Status(StrEnum):
    """What became of one case or one conversion. Nothing else may stand in a status column."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    EXPORT_FAILED = "export_failed"
    CHECK_FAILED = "check_failed"
    LOAD_FAILED = "load_failed"
    RUN_FAILED = "run_failed"
    WRONG_OUTPUT = "wrong_output"
    NOT_FINITE = "not_finite"
    SHAPE_FAILED = "shape_failed"
    ACCURACY_FAILED = "accuracy_failed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    ENVIRONMENT_FAILED = "environment_failed"
    NOT_RUN = "not_run"


#: Statuses that say "this was never going to work here", not "this broke".
EXPECTED = frozenset({Status.OK, Status.UNSUPPORTED})
