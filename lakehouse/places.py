"""Folders and addresses that settings name."""

import re
from pathlib import Path

from ingestion.landing import s3

# `scheme://`, and `dbfs:/` as Databricks writes it; one letter is a drive of Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_AS_HADOOP_WRITES_S3 = ("s3a", "s3n")


def folder(setting: str) -> Path:
    """The absolute path of a folder, which need not exist.

    Raises:
        ValueError: it is an address, a file, or cannot be a folder's name.
    """
    setting = setting.removeprefix("file://")
    if scheme := _SCHEME.match(setting):
        raise ValueError(f"{scheme[1]}: is not supported here; give a folder, not {setting}")
    if any(map(_is_no_text, setting)):
        raise ValueError(f"{setting!a} is not UTF-8; give another folder")
    try:
        path = _absolute(Path(setting))
        if path.exists() and not path.is_dir():
            raise ValueError(f"{path} is a file; give a folder")
    except OSError as error:
        raise ValueError(f"{setting} cannot be used: {error.strerror}; give another folder") from None
    except RuntimeError:
        raise ValueError(f"{setting}: there is no such user; write the folder without ~") from None
    return path


def folder_or_s3(setting: str) -> str:
    """The absolute path of a folder, or `s3://bucket/prefix`, also where Hadoop's `s3a://` is given.

    Raises:
        ValueError: it is neither.
    """
    scheme = _SCHEME.match(setting)
    name = scheme[1].lower() if scheme else "file"
    if name in ("s3", *_AS_HADOOP_WRITES_S3):
        address = s3.SCHEME + setting[len(name) + 1 :].lstrip("/")
        s3.split(address)
        return address
    if name != "file":
        raise ValueError(f"{name}: is not supported; give a folder or s3://bucket/prefix, not {setting}")
    return str(folder(setting))


def _is_no_text(letter: str) -> bool:
    """Whether it stands for a byte that could not be decoded."""
    return "\ud800" <= letter <= "\udfff"


def _absolute(path: Path) -> Path:
    path = path.expanduser().absolute()
    # Spark names files without `..`, and a file with two names would be loaded twice. Links stay as they are.
    return path.resolve() if ".." in path.parts else path
