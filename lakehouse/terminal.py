"""Text on a terminal: what is read from files and tables is shown as it is."""

import re
import sys
from textwrap import fill

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Characters that move the cursor, colour, or turn the direction of writing.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def plain(text: object, several_lines: bool = False) -> Text:
    """Text without markup or emoji codes; control characters, and what cannot be shown, are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = str(text).encode(encoding, "backslashreplace").decode(encoding)
    lines = shown.split("\n") if several_lines else [shown]
    return Text("\n".join(_CONTROL.sub(lambda found: ascii(found[0])[1:-1], line) for line in lines))


def say(console: Console, message: object, several_lines: bool = False, colour: str = "") -> None:
    """Print text as it is, its first word in a `colour`.

    A terminal gets it folded between words; a long one, such as a path, stays whole and can be copied.
    """
    text = plain(message, several_lines)
    if console.is_terminal:
        lines = text.plain.split("\n")
        folded = (fill(x, console.width, break_long_words=False, break_on_hyphens=False) for x in lines)
        text = Text("\n".join(folded))
    text.stylize(colour, 0, text.plain.find(" "))
    console.print(text, soft_wrap=True)


def narrow_table(title: str) -> Table:
    """A table without lines around it and between columns, so that more of them fit."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )
