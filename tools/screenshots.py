"""Pictures of pages for the README: `make screenshots`, after `make demo`, with Chromium installed."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import sync_playwright

from lakehouse.dashboards.app import make_app
from lakehouse.dashboards.pages import Dashboard
from lakehouse.engines.dbt import read_project
from lakehouse.errors import UsageError
from lakehouse.settings import load_settings
from lakehouse.web import listen

# Pixels; the README shows them half as wide.
WIDTH, HEIGHT = 1280, 900
PICTURES = (("executive", "light"), ("inventory", "dark"))
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)


def main() -> None:
    """Draw the pages of PICTURES, as they look with the tables of the home, into docs/images.

    Raises:
        UsageError: there are no tables yet, or no Chromium.
    """
    settings = load_settings()
    settings.warehouse.tables()
    if CHROMIUM is None:
        raise UsageError(f"None of {', '.join(_BROWSERS)} is installed.")
    folder = settings.project / "docs" / "images"
    folder.mkdir(exist_ok=True)
    pages = Dashboard(settings, read_project(settings, "local"))
    with served(pages) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, scheme in PICTURES:
            page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(f"{address}/{name}", wait_until="networkidle")
            page.screenshot(path=folder / f"{name}.png")
            print(f"Picture: {folder / f'{name}.png'}")
        chromium.close()


@contextmanager
def served(dashboard: Dashboard) -> Iterator[str]:
    """The address of the dashboard, which answers there meanwhile."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(make_app(dashboard), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        # A live page would hold it up.
        server.should_exit = server.force_exit = True
        thread.join()


if __name__ == "__main__":
    main()
