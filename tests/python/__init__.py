"""Tests of Python, mirroring its packages."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
