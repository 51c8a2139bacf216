"""The dashboard as a web application."""

import gzip
import socket
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from lakehouse.dashboards.app import check_host, make_app
from lakehouse.dashboards.pages import Dashboard
from lakehouse.errors import UsageError
from lakehouse.web import listen

from .conftest import make_dashboard

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def client(dashboard: Dashboard) -> TestClient:
    return TestClient(make_app(dashboard), base_url=HERE)


def test_every_page_is_small_and_whole(client: TestClient, dashboard: Dashboard) -> None:
    for name in dashboard.pages:
        answer = client.get(f"/{name}")
        assert answer.status_code == 200 and answer.text.rstrip().endswith("</html>")
        assert len(gzip.compress(answer.content)) < 150_000, name
        assert "http" not in answer.text.replace("http://www.w3.org/", ""), name
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_first_page_is_the_start(client: TestClient) -> None:
    assert client.get("/?channel=nobody").status_code == 400
    assert "<h1>Executive</h1>" in client.get("/").text


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nothing", 404, "There is no page &#39;nothing&#39;"),
        ("/a/b/c", 404, "Nothing is at"),
        ("/static/../app.py", 404, "There is no"),
        ("/executive/events", 404, "Nothing is at"),
        ("/executive?channel=%3Cscript%3E", 400, "No channel is &#39;&lt;script&gt;&#39;"),
        ("/executive?colour=red", 400, "This page has no filter &#39;colour&#39;"),
        ("/data_health?colour=red", 400, "It has none."),
    ],
)
def test_what_cannot_be_shown_is_a_page(client: TestClient, path: str, status: int, says: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status and says in answer.text
    assert '<a href="/executive">Executive</a>' in answer.text


def test_without_a_warehouse_it_says_what_to_do(tmp_path: Path, project: "Manifest") -> None:
    answer = TestClient(make_app(make_dashboard(tmp_path, project)), base_url=HERE).get("/")
    assert answer.status_code == 400 and "run `lakehouse run` first" in answer.text


def test_scripts_come_from_here(client: TestClient) -> None:
    assert "vegaEmbed" in client.get("/static/vega.js").text
    assert client.get("/static/page.js").headers["Content-Type"].startswith("text/javascript")


def test_fifty_at_once(client: TestClient) -> None:
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: client.get("/executive"), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


def test_others_are_asked_for_the_password(dashboard: Dashboard) -> None:
    client = TestClient(make_app(dashboard, SecretStr("correct horse")), base_url="http://0.0.0.0")

    def status(header: str) -> int:
        return client.get("/data_health", headers={"Authorization": header.encode()}).status_code

    def basic(login: str) -> str:
        return f"Basic {b64encode(login.encode()).decode()}"

    refused = client.get("/nothing")
    assert refused.status_code == 401 and "Executive" not in refused.text
    assert "LAKEHOUSE_DASHBOARD_PASSWORD" in refused.text and "correct" not in refused.text
    for wrong in ("", "Basic", "Basic é", "Basic !", basic("any:wrong"), basic("correct horse"), basic(":")):
        assert status(wrong) == 401
    assert status(basic("any:correct horse")) == 200


def test_without_a_password_it_is_for_this_machine(dashboard: Dashboard) -> None:
    with pytest.raises(UsageError, match="set LAKEHOUSE_DASHBOARD_PASSWORD first"):
        check_host("0.0.0.0", None)
    check_host("0.0.0.0", SecretStr("correct horse"))
    check_host("localhost", None)
    # A name of another site may lead to loopback.
    other = TestClient(make_app(dashboard), base_url="http://attacker.example")
    assert other.get("/executive").status_code == 400


def test_behind_a_login_any_name_leads_to_it(dashboard: Dashboard) -> None:
    app = make_app(dashboard, behind_login=True)
    assert TestClient(app, base_url="https://lakehouse.example").get("/executive").status_code == 200


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port}: Address already in use. Give another"):
            listen("127.0.0.1", port)
