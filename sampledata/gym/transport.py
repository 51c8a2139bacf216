"""What happens to rows on their way: repeated, out of order, in an envelope, damaged."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.sampling import IntArray, Marks

YEAR_AHEAD = 365 * 24 * 3600
"""How many seconds a wrong clock is ahead."""

CSV_DEFECTS = {"repeated": 0.01, "displaced": 0.02}
MESSAGE_DEFECTS = CSV_DEFECTS | {
    "as_object": 0.05,
    "corrupt": 0.001,
    "other_topic": 0.001,
    "offset_repeated": 0.005,
    "epoch_as_float": 0.1,
}

_CUT_AT = 17
# A displaced row passes at least two others, so that it is out of order even beside equal times.
_PASSED_AT_LEAST = 2.5


class Messages(NamedTuple):
    """Messages of one topic by column: key, value as JSON, offset, time in epoch seconds."""

    key: IntArray
    value: pa.Array
    offset: IntArray
    time: IntArray

    def at(self, rows: IntArray) -> "Messages":
        """Return some of the messages, by their place among these."""
        value = self.value.take(pa.array(rows))
        return Messages(self.key[rows], value, self.offset[rows], self.time[rows])


def csv_lines(rng: np.random.Generator, table: pa.Table, defects: Marks) -> pa.Array:
    """Return a header and the rows of a table, some repeated or out of order, nulls as nothing."""
    rows = range(table.num_rows)
    texts = [pc.fill_null(column.cast(pa.string()).combine_chunks(), "") for column in table.columns]
    lines = pc.binary_join_element_wise(*texts, ",")
    repeated = defects.at("repeated", rows)
    lines = pa.concat_arrays([lines, lines.take(pa.array(repeated))])
    order = _order(rng, len(rows), repeated, defects.at("displaced", rows))
    return pa.concat_arrays([pa.array([",".join(table.column_names)]), lines.take(order)])


def message_lines(
    rng: np.random.Generator, topic: str, messages: Messages, defects: Marks, furthest: int = 5
) -> pa.Array:
    """Return messages in their envelope, some out of order by up to about `furthest` lines.

    Some come again: equal, with half a value, or under a topic that nobody knows.
    """
    rows = range(len(messages.key))
    corrupt, other, repeated = (defects.at(kind, rows) for kind in ("corrupt", "other_topic", "repeated"))
    offset = messages.offset.copy()
    shared = defects.at("offset_repeated", rows)
    offset[shared] = messages.offset[shared - 2]
    messages = messages._replace(offset=offset)
    lines = _envelopes(topic, messages, defects.at("as_object", rows))
    damaged = messages.at(corrupt)
    damaged = damaged._replace(value=pc.utf8_slice_codeunits(damaged.value, 0, _CUT_AT))
    extra = [
        _envelopes(topic, damaged),
        _envelopes(f"{topic}_test", messages.at(other)),
        lines.take(pa.array(repeated)),
    ]
    again = np.concatenate([corrupt, other, repeated])
    order = _order(rng, len(rows), again, defects.at("displaced", rows), furthest)
    return pa.concat_arrays([lines, *extra]).take(order)


def epochs(times: IntArray, as_float: IntArray) -> pa.Array:
    """Return epoch seconds as text, some rows with a decimal."""
    decimals = np.full(len(times), "", object)
    decimals[as_float] = ".0"
    return join(pa.array(times).cast(pa.string()), pa.array(decimals, pa.string()))


def join(*texts: pa.Array | str) -> pa.Array:
    """Return texts after each other, row by row."""
    return pc.binary_join_element_wise(*texts, "")


def _order(
    rng: np.random.Generator, rows: int, again: IntArray, displaced: IntArray, furthest: int = 5
) -> pa.Array:
    """Return in which order rows are sent, of which some come `again`, numbered after the others."""
    place = np.arange(rows, dtype=float)
    # Rows at either end would stay where they are if they moved further outward.
    inward = np.where(displaced < rows // 2, 1, -1)
    place[displaced] += inward * (_PASSED_AT_LEAST + furthest * rng.random(len(displaced)))
    return pa.array(np.argsort(np.concatenate([place, again + 0.5]), kind="stable"))


def _envelopes(topic: str, messages: Messages, as_object: IntArray | None = None) -> pa.Array:
    """Return messages as JSON objects, their value as a text or, for some rows, as an object."""
    escaped = pc.replace_substring(messages.value, '"', '\\"')
    value = join('"', escaped, '"')
    if as_object is not None:
        mask = np.zeros(len(messages.key), bool)
        mask[as_object] = True
        value = pc.if_else(pa.array(mask), messages.value, value)
    key, offset, time = (
        pa.array(n).cast(pa.string()) for n in (messages.key, messages.offset, messages.time)
    )
    ending = f',"topic":"{topic}","partition":0,"offset":'
    return join('{"key":"', key, '","value":', value, ending, offset, ',"timestamp":', time, "}")
