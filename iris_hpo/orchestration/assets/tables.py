"""Tables of the data as metadata of assets."""

from collections.abc import Sequence
from typing import Final

import dagster as dg

from iris_hpo.data.dataset import Column
from iris_hpo.text import clean

_SHOWN: Final = 500
"""Number of columns that are shown; the event log keeps each of them."""


def columns_table(columns: Sequence[Column]) -> dg.TableMetadataValue:
    """List the columns of the data file, with their roles and kinds."""
    records = [
        dg.TableRecord({"column": clean(column.name), "role": column.role, "kind": column.kind})
        for column in columns[:_SHOWN]
    ]
    schema = dg.TableSchema([dg.TableColumn(name) for name in ("column", "role", "kind")])
    return dg.MetadataValue.table(records, schema)
