"""What went wrong, in a paragraph."""

import re

# Sail names columns as its parser holds them.
_NAME = re.compile(r'ObjectName\(\[((?:Identifier\("[^"]*"\)(?:, )?)+)\]\)')
_PART = re.compile(r'Identifier\("([^"]*)"\)')
_PREFIXES = re.compile(r"^(error in DataFusion: |Error during planning: |Table not found: (?=\[))+")
_LONGEST = 1500


def message_of(error: Exception) -> str:
    """The message of an error of Sail's, delta-rs' or ours, without plans and traces."""
    text = str(error).strip() or type(error).__name__
    text = _NAME.sub(lambda name: ".".join(_PART.findall(name[1])), text)
    text = _PREFIXES.sub("", re.split(r"\n\s*\n|\n(?:JVM stacktrace|\s+at )", text)[0])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
