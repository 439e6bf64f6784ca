"""Homeport's own tables: every record comes back from the journal as it was."""

from __future__ import annotations

import builtins
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from homeport.store import Store, Table
from homeport.store.journal import MemoryJournal
from homeport.store.schema import TABLES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
# What a request's document holds where a record keeps it as it came.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOAT | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def values_of(type_: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a type that a record declares."""
    match type_:
        case inspect.Metadata(type=inner):
            return values_of(inner)
        case inspect.AnyType() | inspect.CustomType(cls=builtins.object):
            return JSON
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return st.integers(-(2**53), 2**53)
        case inspect.FloatType():
            return FLOAT
        case inspect.StrType():
            return TEXT
        case inspect.BytesType():
            return st.binary(max_size=4)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([values_of(each) for each in types])
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(values_of, items))
        case inspect.VarTupleType(item_type=item):
            return st.lists(values_of(item), max_size=2).map(tuple)
        case inspect.ListType(item_type=item):
            return st.lists(values_of(item), max_size=2)
        case inspect.FrozenSetType(item_type=item):
            return st.frozensets(values_of(item), max_size=2)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(values_of(key), values_of(value), max_size=2)
        case inspect.StructType(cls=record):
            return records_of(record)
    raise NotImplementedError(f"records do not hold {type_}")


def records_of(record: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    described = inspect.type_info(record)
    assert isinstance(described, inspect.StructType)
    return st.builds(record, **{f.name: values_of(f.type) for f in described.fields})


every_table = pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])


def test_no_two_tables_share_a_name() -> None:
    names = [table.name for table in TABLES]
    assert len(set(names)) == len(names)


@every_table
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_comes_back_as_it_was(table: Table[Any], data: st.DataObject) -> None:
    record = data.draw(records_of(table.record))
    journal = MemoryJournal()
    with Store((table,), journal).transaction() as tx:
        tx.put(table, record)
    again = Store((table,), journal)
    again.load()
    with again.transaction() as tx:
        assert tx.all(table) == [record]
        for name, value_of in table.indexes.items():
            value = value_of(record)
            assert value is None or tx.find(table, name, value) == [record]


@every_table
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_document_may_lack_what_has_a_default_and_hold_what_is_not_known(
    table: Table[Any], data: st.DataObject
) -> None:
    """The promise that lets a version read what an earlier or a later one wrote."""
    described = inspect.type_info(table.record)
    assert isinstance(described, inspect.StructType)
    record = data.draw(records_of(table.record))
    whole = msgspec.json.decode(msgspec.json.encode(record))
    for field in described.fields:
        if field.required:
            continue
        document = {n: v for n, v in whole.items() if n != field.encode_name} | {"new": [{}]}
        read = msgspec.json.decode(msgspec.json.encode(document), type=table.record)
        default = getattr(read, field.name)
        assert msgspec.structs.replace(record, **{field.name: default}) == read
