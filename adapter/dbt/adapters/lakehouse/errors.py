"""What went wrong, in a paragraph: what Sail and delta-rs say, and what it means for who reads it."""

import re

# Sail names columns as its parser holds them.
_NAME = re.compile(r'ObjectName\(\[((?:Identifier\("[^"]*"\)(?:, )?)+)\]\)')
_PART = re.compile(r'Identifier\("([^"]*)"\)')
# What cannot be cast may be personal.
_VALUE = re.compile(
    r"(?<=cast string )'.*?'(?= to )|(?<=cast value )'.*?'(?= to )|(?<=The value )'.*?'(?= of the type )|"
    r"(?<=invalid timestamp: ).*",
    re.DOTALL,
)
_PREFIXES = re.compile(r"^(error in DataFusion: |Error during planning: |Table not found: (?=\[))+")
_LONGEST = 1500

_RESTORE = "Restore the table's folder from a backup, or make it anew; docs/operations.md says how"
# The first that is found in a message says what it means.
_MEANINGS = [
    (re.compile(pattern, re.DOTALL), meaning)
    for pattern, meaning in {
        r"No space left on device|os error 28\b|Disk quota exceeded": (
            "No space left on device. Free space, then run the same command again"
        ),
        r"(?:(?P<path>/[^\n\"]*?):? )?\(?(?:Permission denied|Read-only file system|os error (?:13|30)\b)": (
            "Permission denied, or a read-only disk. Give this user the right to read and write there"
        ),
        r"Too many open files|os error 24\b": "Too many open files. Raise the limit: `ulimit -n 4096`",
        r"Had a _last_checkpoint hint|Kernel error:.*Parquet error|External error: Parquet error": (
            "The newest checkpoint of its log is damaged. `lakehouse load` mends that"
        ),
        r"Kernel error: Json error|Invalid JSON in log record|Expected contiguous commit files|"
        r"Missing commit file(?!: expected final version)|Invalid Checkpoint: Gap|"
        r"No table metadata or protocol|without protocol": (
            f"Its log, the folder _delta_log, is damaged. {_RESTORE}"
        ),
        r"(?:Object at location|metadata for file) (?P<file>[^\n]+?\.parquet)\b.*(?:not found|invalid|error)|"
        r"Requested range was invalid|deserialize thrift": f"A data file is missing or damaged. {_RESTORE}",
        r"a concurrent transaction|Transaction failed|Metadata changed since last commit|"
        r"Concurrent\w+Exception|version already exists": (
            "Another program wrote to the table at the same time. Run the same command again"
        ),
        r"Generic S3 error\b.*Error performing \w+ https?://(?:[^/\s]*@)?(?P<object>\S+)": (
            "Object storage did not answer. Look whether it can be reached, and run the same command again"
        ),
        r"JAVA_GATEWAY_EXITED": "Java ended before Spark began. What it said stands above",
    }.items()
]


class TableError(Exception):
    """A table cannot be used; the message names it and the cause, and says what to do."""


def meaning_of(text: str) -> str | None:
    """What a message of an engine or of the system means, and what to do; null where that is not known."""
    for pattern, meaning in _MEANINGS:
        if found := pattern.search(text):
            named = [name for name in found.groupdict().values() if name]
            return f"{meaning} ({named[0]})." if named else f"{meaning}."
    return None


def about_table(name: str, error: Exception) -> Exception:
    """An error with the name of the table, where it is known what it means."""
    meaning = None if isinstance(error, TableError) else meaning_of(str(error))
    return TableError(f"{name}: {meaning}") if meaning else error


def message_of(error: Exception) -> str:
    """The message of an error of Sail's, delta-rs' or ours, without plans and traces."""
    text = str(error).strip() or type(error).__name__
    if meaning := None if isinstance(error, TableError) else meaning_of(text):
        return meaning
    text = _NAME.sub(lambda name: ".".join(_PART.findall(name[1])), text)
    text = _VALUE.sub("***", text)
    text = _PREFIXES.sub("", re.split(r"\n\s*\n|\n(?:JVM stacktrace|\s+at )", text)[0])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
