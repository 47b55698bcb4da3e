"""The schema is in order with itself, since writer, readers and descriptions all trust it."""

import pytest

from kb.records.schema import CHECK, ROW, TABLES, Table
from kb.records.statuses import MEANINGS, Status


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
class TestTable:
    def test_is_numbered_in_front_and_checked_at_the_end(self, table: Table) -> None:
        assert (table.columns[0], table.columns[-1]) == (ROW, CHECK)

    def test_has_each_column_once(self, table: Table) -> None:
        assert len(set(table.names)) == len(table.names)

    def test_has_a_status_from_the_closed_set(self, table: Table) -> None:
        status = table.columns[table.names.index("status")]
        assert status.required
        assert status.values == tuple(Status)

    def test_key_is_of_columns_that_are_never_empty(self, table: Table) -> None:
        required = {column.name for column in table.data_columns if column.required}
        assert set(table.key) <= required

    def test_rules_speak_of_columns_and_values_that_exist(self, table: Table) -> None:
        values = {column.name: column.values for column in table.columns}
        for rule in table.rules:
            assert set(rule.columns) <= set(table.names)
            for name, conditions in rule.where:
                assert set(conditions) <= set(values[name])

    def test_columns_that_may_be_empty_are_those_a_rule_may_empty(self, table: Table) -> None:
        required = {column.name for column in table.columns if column.required}
        for rule in table.rules:
            if not rule.filled:
                assert not required & set(rule.columns)


def test_every_status_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Status)
