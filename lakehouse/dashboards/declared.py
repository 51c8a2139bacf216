"""What pages show: `dashboards/*.yml` of the project, a file a page."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lakehouse.errors import UsageError
from lakehouse.semantics.queries import Grain

FOLDER = "dashboards"

# Shown by a band; between a day and the same weekday of the year before; in a block of a number's course.
DAYS_OF_BAND, DAYS_OF_YEAR = 182, 364
DAYS_OF_BLOCK = {"day": 1, "week": 7}

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Place = tuple[int | str, ...]
Mark = Literal["number", "line", "bar", "band", "heatmap", "table"]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Filter(_Declared):
    """A column of a model; the page can be narrowed to one of its values."""

    column: Name
    model: Name


class Drill(_Declared):
    """Where a row leads: to a page, this one by default, narrowed to the row's value of a filter."""

    page: Name | None = None
    filter: Name


class Tile(_Declared):
    """A number, chart or table: of metrics of one semantic model, of a query, or of a check of alerts.yml.

    Metrics are shown `by` dimensions, over the `days` before the newest day; a line, and the course of a
    number, by `grain`. `compare: year` adds the same days 52 weeks before.
    `query` is a file of analyses/, without `.sql`. Its columns are drawn: `y` over `x`, in colours or columns
    `by`; of a table all. Days are added up by a `grain` of month or year. `labels` rename columns.
    `outline` is a column of truth values; where one is true, a cell of a heatmap is outlined.
    A band shows the days of an anomaly check: of an `entity`, or of what the filter named in `by` chooses.
    """

    title: str
    question: str
    mark: Mark
    metrics: list[Name] = []
    query: Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)?$")] | None = None
    check: Name | None = None
    entity: str | None = None
    by: list[Name] = Field([], max_length=2)
    x: Name | None = None
    y: Name | None = None
    unit: str | None = None
    labels: dict[str, str] = {}
    grain: Grain | None = None
    days: int | None = Field(None, gt=0, le=3660)
    compare: Literal["year"] | None = None
    outline: Name | None = None
    is_wide: bool = False
    drill: Drill | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if sum(map(bool, (self.metrics, self.query, self.check))) != 1:
            raise ValueError("give either metrics, a query or a check")
        if bool(self.check) != (self.mark == "band") or bool(self.check) != bool(self.entity):
            raise ValueError("a band has a check and an entity, and nothing else has")
        problem = self._problem_of_metrics() if self.metrics else self._problem_of_query()
        if problem:
            raise ValueError(problem)
        return self

    def label(self, column: str | None) -> str:
        """What a column is called on the page."""
        return self.labels.get(column or "", column or "")

    def _problem_of_metrics(self) -> str | None:
        if self.x or self.y or self.outline or self.unit or self.labels:
            return "x, y, unit, outline and labels are for queries"
        if len(self.metrics) > 1 and self.mark != "table":
            return "only a table shows several metrics"
        if (self.compare or (self.mark == "number" and self.grain)) and not self.days:
            return "a comparison, and the course of a number, need days"
        wanted = {"number": 0, "heatmap": 2, "bar": 1, "table": 1}.get(self.mark)
        if self.mark == "bar" and self.grain:
            wanted = None
        if wanted is not None and len(self.by) != wanted:
            return f"a {self.mark} of metrics has {wanted} columns in `by`"
        if self.mark == "line" and not self.grain:
            return "a line of a metric needs a grain"
        return None

    def _problem_of_query(self) -> str | None:
        if self.days or self.compare:
            return "days and compare are for metrics; a query says itself what it reads"
        if self.check:
            return None
        if self.mark != "table" and not self.y:
            return f"a {self.mark} of a query needs y"
        if self.mark not in ("table", "number") and not self.x:
            return f"a {self.mark} of a query needs x"
        if self.mark == "heatmap" and len(self.by) != 1:
            return "a heatmap of a query has rows x and one column in `by`"
        return None


class Page(_Declared):
    """A page: its tiles, filters, `place` among the others, and, if it is live, how often it is looked at."""

    title: str
    question: str
    place: int
    filters: list[Filter] = []
    live_seconds: float | None = Field(None, ge=1)
    tiles: Annotated[list[Tile], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_a_title_once(self) -> Self:
        titles = [tile.title for tile in self.tiles]
        if twice := [title for title in dict.fromkeys(titles) if titles.count(title) > 1]:
            raise ValueError(f"two tiles are called {twice[0]!r}: who hears the page cannot tell them apart")
        return self


class Declaration:
    """A page with the file and the lines it stands in."""

    def __init__(self, file: Path, page: Page, tree: yaml.Node | None) -> None:
        self.file, self.page, self._tree = file, page, tree

    @property
    def name(self) -> str:
        """The page's name in URLs."""
        return self.file.stem

    def at(self, *place: int | str) -> str:
        """File and line of a part of the page, such as `"tiles", 0, "metrics"`."""
        return f"{self.file}:{_line(self._tree, place)}"


def read_pages(project: Path) -> list[Declaration]:
    """The pages of a project, in their order; `check_pages` asks whether what they name exists.

    Raises:
        UsageError: there are none, or a file is wrong; the message has file and line of all that is wrong.
    """
    files = sorted((project / FOLDER).glob("*.yml"))
    if not files:
        raise UsageError(f"{project / FOLDER} has no page: write one, as docs/decisions/dashboards.md says.")
    pages, problems = [], []
    for file in files:
        try:
            pages.append(_read(file))
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return sorted(pages, key=lambda declared: (declared.page.place, declared.name))


def unknown(kind: str, name: str, known: Any) -> str:
    """What is said of a name that does not exist."""
    near = get_close_matches(name, known, n=1)
    return f"there is no {kind} {name}." + (f" Did you mean {near[0]}?" if near else "")


def _read(file: Path) -> Declaration:
    try:
        text = file.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        declared = yaml.safe_load(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise UsageError(f"{file} is no YAML: {error}") from None
    try:
        return Declaration(file, Page.model_validate(declared), tree)
    except ValidationError as error:
        raise UsageError("\n".join(_problems(file, tree, error))) from None


def _problems(file: Path, tree: yaml.Node | None, error: ValidationError) -> Iterator[str]:
    for found in error.errors():
        name = ".".join(map(str, found["loc"]))
        message = found["msg"].removeprefix("Value error, ")
        yield f"{file}:{_line(tree, found['loc'])}: {name + ': ' if name else ''}{message}"


def _line(node: yaml.Node | None, place: Place) -> int:
    """The line of the innermost part of a place that is written there."""
    if node is None:
        return 1
    line: int = node.start_mark.line + 1
    for step in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == step]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        else:
            break
    return line
