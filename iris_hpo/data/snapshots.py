"""Snapshots of data frames: Arrow files that have the same bytes for the same content.

Here belongs how a frame of pandas, of polars or of another library becomes a file; which frame, and
when, is elsewhere.
"""

import importlib
from typing import Any  # pyarrow has no types

from iris_hpo.errors import InputError
from iris_hpo.text import shorten


def snapshot(frame: object, source: str) -> bytes:
    """Write a frame as an Arrow file.

    The bytes depend on the names of the columns and on the values alone, not on the library that
    the frame is from, on how its values are stored, or on an index. So whole numbers become 64 bits
    wide, categories become texts, NaN is missing, and times lose their zone, in UTC.

    Parameters
    ----------
    frame
        A frame of pandas or polars, a table of pyarrow, or whatever else gives an Arrow stream.
    source
        What the frame is from, for messages.

    Raises
    ------
    InputError
        If it is no frame, or a column holds what is no number, text, truth value or date.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise InputError(f"{source} needs pyarrow: pip install 'iris_hpo[parquet]'") from error
    try:
        table = _as_table(frame, source)
        columns = [_plain(name, table.column(at)) for at, name in enumerate(table.column_names)]
        schema = pa.schema(zip(table.column_names, (each.type for each in columns), strict=True))
        batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    except InputError:
        raise
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = " ".join(" ".join(map(str, error.args)).split())
        raise InputError(f"{source} cannot be stored as a table: {reason}") from error
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_file(buffer, schema) as writer:
        if len(batch):
            writer.write_batch(batch)
    return buffer.getvalue().to_pybytes()


def _as_table(frame: Any, source: str) -> Any:
    import pyarrow as pa

    library = type(frame).__module__.partition(".")[0]
    if library == "polars" and hasattr(frame, "collect"):  # a lazy one
        frame = frame.collect()
    if library == "pandas" and hasattr(frame, "columns"):
        return pa.Table.from_pandas(frame, preserve_index=False)
    if hasattr(frame, "columns") and hasattr(frame, "__arrow_c_stream__"):  # and no single column
        return pa.table(frame)
    advice = "; join its partitions to one frame in an asset" if isinstance(frame, dict) else ""
    raise InputError(
        f"{source} gives {_with_article(type(frame))}; a frame of pandas or polars, or an Arrow "
        f"table, is needed{advice}"
    )


def _plain(name: str, column: Any) -> Any:
    """Return a column in the one way in which its content is stored."""
    import pyarrow as pa

    compute, is_kind, kind = _compute(), pa.types, column.type
    if is_kind.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    if (
        is_kind.is_null(kind)
        or is_kind.is_string(kind)
        or is_kind.is_large_string(kind)
        or is_kind.is_string_view(kind)
    ):
        target = pa.large_string()
    elif is_kind.is_boolean(kind):
        target = kind
    elif is_kind.is_integer(kind):
        target = pa.uint64() if _is_huge(column) else pa.int64()
    elif is_kind.is_floating(kind) or is_kind.is_decimal(kind):
        target = pa.float64()
    elif is_kind.is_date(kind):
        target = pa.date32()
    elif is_kind.is_timestamp(kind):
        target = pa.timestamp("us")
    else:
        raise ValueError(
            f"the column {shorten(name)} has the type {kind}; make numbers, texts, truth values or "
            "dates of it, or leave it out"
        )
    values: Any = column.cast(target, safe=False).combine_chunks()
    if target == pa.float64():
        values = compute.if_else(compute.is_nan(values), pa.scalar(None, target), values)
    return _without_hidden_values(values) if values.null_count else values


def _is_huge(column: Any) -> bool:
    """Whether whole numbers need the 64th bit."""
    largest = _compute().max(column).as_py()
    return largest is not None and largest >= 2**63


def _without_hidden_values(values: Any) -> Any:
    """Return an array whose memory is the same wherever a value is missing."""
    import pyarrow as pa

    if values.type == pa.large_string():
        filled: Any = values.fill_null("")
    elif values.type == pa.bool_():
        filled = values.fill_null(False)
    else:
        bits: Any = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())
        filled = bits.fill_null(0)
    valid = _compute().is_valid(values)
    return pa.Array.from_buffers(
        values.type,
        len(values),
        [valid.buffers()[1], *filled.buffers()[1:]],
        values.null_count,
    )


def _compute() -> Any:
    return importlib.import_module("pyarrow.compute")  # its functions are made when it is imported


def _with_article(kind: type) -> str:
    name = kind.__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
