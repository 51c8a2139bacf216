"""Where widgets stand: rows of a grid of twelve columns, from the top, without gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lakehouse.exports.aibi.widgets import Json

COLUMNS = 12


@dataclass(frozen=True)
class Block:
    """Widgets, one below the other, with their heights; at most `per_row` stand side by side.

    `per_row` divides the columns of the grid. `most` columns are taken.
    """

    parts: Sequence[tuple[Json, int]]
    per_row: int
    most: int = COLUMNS

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return sum(height for _, height in self.parts)


def placed(blocks: Sequence[Block]) -> list[Json]:
    """Widgets with their positions."""
    found: list[Json] = []
    top = 0
    for row in _rows(blocks):
        height = max(block.height for block in row)
        for number, block in enumerate(row):
            width = COLUMNS // len(row)
            found += _stacked(block, number * min(width, block.most), top, min(width, block.most), height)
        top += height
    return found


def _rows(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Neighbours of the same kind, spread evenly over as few rows as they need."""
    for (per_row, _), alike in groupby(blocks, lambda block: (block.per_row, block.most)):
        waiting = list(alike)
        rows = -(-len(waiting) // per_row)
        for left in range(rows, 0, -1):
            taken = -(-len(waiting) // left)
            yield waiting[:taken]
            waiting = waiting[taken:]


def _stacked(block: Block, left: int, top: int, width: int, height: int) -> Iterator[Json]:
    """The last part is as high as the row leaves room for."""
    bottom = top + height
    for number, (widget, own) in enumerate(block.parts, 1):
        high = bottom - top if number == len(block.parts) else own
        yield {"widget": widget, "position": {"x": left, "y": top, "width": width, "height": high}}
        top += high
