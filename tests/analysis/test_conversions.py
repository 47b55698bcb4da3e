"""Which row speaks for a conversion, and what is told together."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from kb.analysis.conversions import (
    Converted,
    OpsetsOf,
    Spread,
    at_opset,
    counts,
    knowing,
    latest,
    opsets_of_routes,
    size_shares,
    spread,
    swept,
    troubles,
    untried,
    usual_opset,
    worst_losses,
)
from kb.convert.conversion import NO_OPSET, Conversion
from kb.records.run import RunInfo, Validity
from kb.records.schema import CONVERSIONS
from kb.records.statuses import Status
from tests.analysis.frames import info
from tests.site.conversion_rows import conversion_row

Row = Mapping[str, Any]

ONE = Conversion("mlp8", "torch-dynamo")


def found(*runs: tuple[RunInfo, Iterable[Row]]) -> tuple[Converted, ...]:
    every = [{**row, "run": run.run} for run, rows in runs for row in rows]
    return latest(pd.DataFrame(every, columns=["run", *CONVERSIONS.names[1:-1]]), {run.run: run for run, _ in runs})


def converted(*rows: Row) -> tuple[Converted, ...]:
    return found((info(), rows))


def test_without_rows_nothing_speaks() -> None:
    assert found() == ()
    assert usual_opset(()) == NO_OPSET


def test_of_valid_runs_the_newest_speaks() -> None:
    old, new = info(0), info(1)
    (each,) = found((new, [conversion_row(ONE)]), (old, [conversion_row(ONE, Status.TIMEOUT)]))
    assert (each.run.run, each.status) == (new.run, Status.OK)


def test_a_valid_run_speaks_before_a_newer_one_that_is_not() -> None:
    valid, killed = info(0), info(1, Validity.UNFINISHED)
    rows = [conversion_row(ONE)]
    (each,) = found((killed, rows), (valid, rows))
    assert each.run.run == valid.run
    (only,) = found((killed, rows))
    assert only.run.run == killed.run


def test_each_conversion_is_looked_for_by_itself() -> None:
    other = Conversion("mlp8", "torch-dynamo", opset=20)
    speaking = found((info(0), [conversion_row(ONE), conversion_row(other)]), (info(1), [conversion_row(ONE)]))
    assert {each.conversion.opset: each.run.run for each in speaking} == {18: info(1).run, 20: info(0).run}


def test_machines_do_not_speak_for_each_other() -> None:
    there = info(1)
    there = there.model_copy(update={"machine": there.machine.model_copy(update={"id": "0ddba115"})})
    assert len(found((info(0), [conversion_row(ONE)]), (there, [conversion_row(ONE)]))) == 2


def test_an_empty_column_is_none_and_never_zero() -> None:
    (each,) = converted(conversion_row(ONE, Status.EXPORT_FAILED))
    assert each.number("error_relative") is None
    assert each.text("diverges_at") == ""


def test_unsupported_and_not_run_are_not_broken() -> None:
    rows = [conversion_row(Conversion(str(status), "r"), status) for status in Status if status is not Status.OK]
    every = converted(*rows)
    assert {each.status for each in every if not each.broken} == {Status.UNSUPPORTED, Status.NOT_RUN}
    assert {each.status for each in every if each.wrong} == {
        *(Status.WRONG_OUTPUT, Status.NOT_FINITE, Status.SHAPE_FAILED, Status.ACCURACY_FAILED)
    }


def test_counts_are_in_the_order_of_the_statuses() -> None:
    rows = [conversion_row(Conversion(str(n), "r"), s) for n, s in enumerate((Status.TIMEOUT, Status.OK, Status.OK))]
    assert list(counts(converted(*rows)).items()) == [(Status.OK, 2), (Status.TIMEOUT, 1)]


def test_the_usual_opset_is_the_one_most_ask_for_and_forms_without_one_stand_beside_it() -> None:
    asked = [18, 18, 20, NO_OPSET, NO_OPSET, NO_OPSET]
    every = converted(*(conversion_row(Conversion(f"m{n}", "r", opset=opset)) for n, opset in enumerate(asked)))
    assert usual_opset(every) == 18
    assert len(at_opset(every, 18)) == 5


def test_a_model_is_swept_where_it_asks_for_another_opset_than_the_usual_one() -> None:
    sweep = [conversion_row(Conversion("mlp8", "r", opset=opset)) for opset in (17, 18, 19)]
    plain = [conversion_row(Conversion("cnn_s", "r")), conversion_row(Conversion("cnn_s", "litert", opset=NO_OPSET))]
    alone = [conversion_row(Conversion("lstm2", "r", "fp16", opset=20))]
    opsets = {key: [e.conversion.opset for e in v] for key, v in swept(converted(*sweep, *plain, *alone), 18).items()}
    assert opsets == {("mlp8", "fp32"): [17, 18, 19], ("lstm2", "fp16"): [20]}


def test_a_route_keeps_changes_or_refuses_an_opset() -> None:
    rows = [
        conversion_row(Conversion("mlp8", "r", opset=16), Status.CHECK_FAILED, opset_got=18),
        conversion_row(Conversion("mlp8", "r", opset=18)),
        conversion_row(Conversion("cnn_s", "r", opset=18), Status.EXPORT_FAILED),
        conversion_row(Conversion("mlp8", "r", opset=24), Status.EXPORT_FAILED),
        conversion_row(Conversion("mlp8", "r", opset=25), Status.UNSUPPORTED),
        conversion_row(Conversion("mlp8", "r", "fp16", opset=26)),
    ]
    assert opsets_of_routes(converted(*rows)) == (OpsetsOf("r", kept=(18,), changed=((16, 18),), without_file=(24,)),)


def test_one_trouble_at_several_opsets_is_one() -> None:
    rows = [conversion_row(Conversion("mlp8", "r", opset=n), Status.EXPORT_FAILED, reason=f"no {n}") for n in (19, 20)]
    other = conversion_row(Conversion("mlp8", "r", opset=21), Status.CRASHED)
    first, second = troubles(converted(*rows, other, conversion_row(ONE)))
    assert (first.status, first.opsets, first.reason) == (Status.EXPORT_FAILED, (19, 20), "no 19")
    assert (second.status, second.opsets) == (Status.CRASHED, (21,))


def test_what_was_not_tried_is_together_where_the_reason_is_the_same() -> None:
    rows = [
        conversion_row(Conversion(model, "litert", "fp16", NO_OPSET), Status.UNSUPPORTED, reason=reason)
        for model, reason in (("a", "made from ONNX files"), ("b", "made from ONNX files"), ("c", "no such model"))
    ]
    assert {each.reason: len(each.members) for each in untried(converted(*rows))} == {
        "made from ONNX files": 2,
        "no such model": 1,
    }


def test_of_several_routes_the_highest_bound_speaks() -> None:
    rows = [
        conversion_row(Conversion("digits_cnn", route, precision), loss_upper_pp=bound)
        for precision, route, bound in (
            ("int8", "a", 0.1),
            ("int8", "b", 0.3),
            ("fp32", "a", 0.08),
            ("fp32", "b", 0.05),
        )
    ]
    worst = worst_losses(converted(*rows, conversion_row(ONE)))
    assert [(e.conversion.precision, e.conversion.route) for e in worst] == [("fp32", "a"), ("int8", "b")]


def test_a_size_is_compared_with_the_same_conversion_in_float32() -> None:
    rows = [
        conversion_row(ONE, file_bytes=400),
        conversion_row(Conversion("mlp8", "torch-dynamo", "fp16"), file_bytes=220),
        conversion_row(Conversion("mlp8", "keras-export", "fp16"), file_bytes=220),
    ]
    assert size_shares(converted(*rows)) == {Conversion("mlp8", "torch-dynamo", "fp16"): 0.55}


def test_the_newest_run_that_knows_says_what_fits_together() -> None:
    old = info(0).model_copy(update={"compatibility": {"onnx_opset": 27}})
    new = info(1).model_copy(update={"compatibility": {"onnx_opset": 28}})
    silent = info(2)
    rows = [conversion_row(Conversion(name, "r")) for name in "abc"]
    known = knowing(found(*((run, [row]) for run, row in zip((new, old, silent), rows, strict=True))))
    assert known is not None
    assert known.compatibility == {"onnx_opset": 28}
    assert knowing(()) is None


def test_a_spread_is_of_what_is_there() -> None:
    assert spread([3.0, None, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
    assert spread([None]) is None
