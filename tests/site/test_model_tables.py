"""A model's tables have the columns that its rows fill."""

import pytest

from kb.analysis.speed import Entry
from kb.records.case import Case
from kb.site.pages.model_tables import latency_table
from tests.analysis.frames import times
from tests.analysis.test_speed import entries

GPU = Case("cnn_s", "torch-eager", device="cuda")


def measured(**columns: float | None) -> list[Entry]:
    return list(entries({GPU: [*times(2.0)]}, **columns).values())


@pytest.mark.parametrize(("device_ms", "columns"), [(1.5, ["device_p50_ms"]), (None, [])])
def test_the_time_by_the_devices_clock_stands_beside_the_hosts_where_there_is_one(
    device_ms: float | None, columns: list[str]
) -> None:
    table = latency_table(measured(device_p50_ms=device_ms))
    assert [column.key for column in table.columns if column.key == "device_p50_ms"] == columns
    assert {len(row) for row in table.rows} == {len(table.columns)}
    if device_ms is not None:
        place = [column.key for column in table.columns].index("device_p50_ms")
        assert table.rows[0][place].value == device_ms
