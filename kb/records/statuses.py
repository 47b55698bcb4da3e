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

#: What each one means, for the pages and for results/README.md.
MEANINGS: dict[Status, str] = {
    Status.OK: "It ran, and its output agrees with the reference.",
    Status.UNSUPPORTED: "It was never going to work here: no such framework or device, or another model or precision.",
    Status.EXPORT_FAILED: "The model could not be exported or compiled ahead of time.",
    Status.CHECK_FAILED: "The export is not valid, not of the opset asked for, or has no reference to be judged by.",
    Status.LOAD_FAILED: "The model could not be built, loaded or compiled.",
    Status.RUN_FAILED: "A call raised an error.",
    Status.WRONG_OUTPUT: "The output is further from the reference than the tolerance; no speed is published.",
    Status.NOT_FINITE: "The output holds NaN or infinity where the reference does not.",
    Status.SHAPE_FAILED: "It works at the shape it was exported with and fails at another.",
    Status.ACCURACY_FAILED: "The bound of the accuracy lost on labelled data is over the gate.",
    Status.TIMEOUT: "It was stopped at the limit on wall-clock time.",
    Status.OUT_OF_MEMORY: "It was stopped, or gave up, for lack of memory.",
    Status.CRASHED: "The process died of a signal, or ended without an answer.",
    Status.ENVIRONMENT_FAILED: "The packages it needs could not be installed or imported.",
    Status.NOT_RUN: "It was planned and not tried; the reason says why.",
}
