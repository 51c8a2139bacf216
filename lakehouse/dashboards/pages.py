"""Pages as HTML: a declaration and a state of the filters in, a page out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup

from lakehouse.alerts.declared import read_checks
from lakehouse.charts.chart import readable
from lakehouse.charts.files import html_templates
from lakehouse.dashboards.answers import Answers, LocalAnswers, Read
from lakehouse.dashboards.check import Known, check_pages, columns_of_models
from lakehouse.dashboards.declared import Declaration, Filter, Page, read_pages
from lakehouse.dashboards.parts import Drawn, Link
from lakehouse.dashboards.tiles import Sources, draw
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import Names
from lakehouse.semantics.queries import literal, read_queries
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

MOST_VALUES = 500
# So many stand side by side; more are in a list.
MOST_LINKS = 8

Query = Mapping[str, str]


class NoPage(LakehouseError):
    """There is no such page."""


class Dashboard:
    """The pages of a project over the tables of a home, or over what gives other `answers`.

    Raises:
        UsageError: a page is wrong, or names what does not exist.
    """

    def __init__(self, settings: Settings, manifest: "Manifest", answers: Answers | None = None) -> None:
        self._project = settings.project
        queries = read_queries(manifest)
        self._metrics = queries.known
        checks = read_checks(settings.project)
        self._checks = {check.name: check for check in checks if check.kind == "anomaly"}
        pages = read_pages(settings.project)
        known = Known(settings.project, queries, columns_of_models(manifest), self._checks)
        check_pages(pages, known)
        self.pages: dict[str, Declaration] = {declared.name: declared for declared in pages}
        self._tables = Names(manifest).models
        self._answers = answers or LocalAnswers(settings.warehouse)
        self._templates = html_templates(Path(__file__).parent / "templates")
        # In the page, which is seen before anything else is asked for.
        style = (files("lakehouse.dashboards") / "page.css").read_text(encoding="utf-8")
        self._templates.globals["style"] = Markup(style)

    def page(self, name: str, query: Query) -> str:
        """A page as HTML.

        Raises:
            NoPage: there is none of that name.
            UsageError: a filter does not exist, or none of its rows has the value.
        """
        page = self._page(name)
        with self._answers.open() as read:
            filters = [self._filter(name, narrowed, query, read) for narrowed in page.filters]
            tiles = self._tiles(name, query, read)
        values = {"page": page, "filters": filters, "tiles": tiles, "events": _url(f"{name}/events", query)}
        return self._render("page.html.j2", name, **values)

    def tiles(self, name: str, query: Query) -> list[str]:
        """The HTML of the tiles of a page, in their order."""
        with self._answers.open() as read:
            tiles = self._tiles(name, query, read)
        template = self._templates.get_template("tile.html.j2")
        return [template.render(tile=tile, number=tile["number"]) for tile in tiles]

    def report(self, names: Sequence[str]) -> str:
        """Pages of these names, below each other, as one HTML file that refers to nothing outside it.

        Raises:
            NoPage: there is none of such a name.
            UsageError: there is no warehouse yet.
        """
        numbers = count()
        with self._answers.open() as read:
            pages = [(name, self._page(name), self._tiles(name, {}, read, has_links=False)) for name in names]
        for _, _, tiles in pages:
            for tile in tiles:
                # Without a script, nobody draws it again.
                tile |= {"number": next(numbers), "specification": None}
        written = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
        return self._templates.get_template("report.html.j2").render(pages=pages, written=written)

    def problem(self, title: str, text: str) -> str:
        """A page that says what is wrong, and lists the pages."""
        return self._render("problem.html.j2", "", title=title, text=text)

    def live_seconds(self, name: str) -> float | None:
        """How often a page looks for something new; null where it does not."""
        return self._page(name).live_seconds

    def _page(self, name: str) -> Page:
        if name not in self.pages:
            raise NoPage(f"There is no page {name!r}. These are the pages:")
        return self.pages[name].page

    def _tiles(self, name: str, query: Query, read: Read, has_links: bool = True) -> list[Drawn]:
        page = self._page(name)
        known = [narrowed.column for narrowed in page.filters]
        for column in query:
            if column not in known:
                has = f"It has {', '.join(known)}." if known else "It has none."
                raise UsageError(f"This page has no filter {column!r}. {has}")
        sources = Sources(self._metrics, self._checks, self._project, read, query)
        return [
            draw(tile, sources, self._link(name, tile.drill, query) if has_links else None)
            | {"number": number}
            for number, tile in enumerate(page.tiles)
        ]

    def _link(self, name: str, drill: Any, query: Query) -> Link | None:
        if drill is None:
            return None
        page = drill.page or name
        kept = query if page == name else {}
        return lambda value: _url(page, {**kept, drill.filter: value})

    def _filter(self, page: str, narrowed: Filter, query: Query, read: Read) -> Drawn:
        column, chosen = narrowed.column, query.get(narrowed.column)
        text = f"cast(`{column}` as string)"
        table = self._tables[narrowed.model]
        try:
            if chosen is not None and not read(_one_of(table, text, chosen)).rows:
                raise UsageError(f"No {readable(column).lower()} is {chosen!r}. Choose another on the page.")
            sql = f"select distinct {text} from {table} where `{column}` is not null order by 1"
            values = [value for (value,) in read(f"{sql} limit {MOST_VALUES}").rows]
        except UsageError:
            raise
        except LakehouseError:
            # Its tiles say what is missing.
            values = []
        others = {name: value for name, value in query.items() if name != column}
        return {
            "label": readable(column),
            "column": column,
            "chosen": chosen,
            "all": _url(page, others),
            "others": others,
            "page": page,
            "as_list": len(values) > MOST_LINKS,
            "choices": [(value, _url(page, {**others, column: value})) for value in values],
        }

    def _render(self, template: str, current: str, **values: Any) -> str:
        menu = [(name, declared.page.title) for name, declared in self.pages.items()]
        return self._templates.get_template(template).render(menu=menu, current=current, **values)


def _one_of(table: str, column: str, value: str) -> str:
    return f"select 1 from {table} where {column} = {literal(value)} limit 1"


def _url(page: str, query: Query) -> str:
    return f"/{page}" + (f"?{urlencode(query)}" if query else "")
