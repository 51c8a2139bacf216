"""HTML pages in a real browser, and how well their colours can be told apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from tools.screenshots import CHROMIUM

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

# Every visible element with text of its own: its text, colour and the colour behind it.
_COLOURS = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
    .map(e => {
        const style = getComputedStyle(e), svg = e instanceof SVGElement;
        let behind = e;
        const back = () => getComputedStyle(behind).backgroundColor;
        while (back() == 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
        return [e.textContent.trim(), svg ? style.fill : style.color, back()];
    })"""


def violations(page: Page) -> list[str]:
    """What axe-core finds against the rules of accessible pages: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def contrast(one: str, other: str) -> float:
    """Contrast of WCAG 2 between two colours, `#rrggbb` or `rgb(r, g, b)`: 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    if colour.startswith("#"):
        numbers: list[float] = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    elif colour.startswith("color(srgb "):  # what is mixed of two colours
        numbers = [float(number) * 255 for number in colour.removeprefix("color(srgb ").rstrip(")").split()]
    else:
        numbers = [int(number) for number in colour.removeprefix("rgb(").rstrip(")").split(",")]
    shares = [number / 255 for number in numbers]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@contextmanager
def opened(file: Path, scheme: str, width: int = 1280) -> Iterator[Page]:
    """The page, light or dark; fails if it fetches anything or complains on the console."""
    fetched: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page.on("request", lambda request: fetched.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(file.as_uri())
        yield page
        browser.close()
    assert (fetched, complaints) == ([file.as_uri()], [])


def faint_texts(page: Page, least: float = 4.5) -> list[tuple[str, float]]:
    """Texts whose contrast is below `least`, with it."""
    colours: list[list[str]] = page.evaluate(_COLOURS)
    assert len(colours) > 10
    contrasts = [(text, contrast(colour, behind)) for text, colour, behind in colours]
    return [(text, ratio) for text, ratio in contrasts if ratio < least]
