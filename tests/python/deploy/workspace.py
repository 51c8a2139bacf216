"""A workspace of Databricks on loopback, as far as a deployment sees it, with its moods."""

import base64
import datetime
import ipaddress
import json
import random
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from databricks.sdk.service.jobs import JobSettings

TOKEN = "dapi-of-the-tests"
ALICE = "alice@example.com"
# Few, so that there are several pages.
_JOBS_A_PAGE = 3
_TASKS_A_PAGE = 2
_SECURABLES = r"/api/2\.1/unity-catalog/(catalogs|schemas|volumes)"

Json = dict[str, Any]


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error_code": code, "message": message}


@dataclass
class Fault:
    """What happens to calls (`METHOD path`) that match: an HTTP status; 0: they are done and not answered."""

    calls: str
    status: int
    times: int = 1
    # So many are answered before.
    after: int = 0


@dataclass
class Workspace:
    """What a workspace holds; `calls` are those that it got, with their bodies."""

    jobs: dict[int, Json] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    securables: dict[str, set[str]] = field(default_factory=dict)
    grants: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    runs: dict[str, Json] = field(default_factory=dict)
    states: list[Json] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    token: str = TOKEN
    lock: Any = field(default_factory=threading.Lock)
    address: str = ""

    @property
    def changes(self) -> list[str]:
        """Calls that change something."""
        return [call for call, _ in self.calls if not call.startswith(("GET", "HEAD"))]

    def job(self, key: str) -> Json:
        """Settings of the only job with this key."""
        (settings,) = (job for job in self.jobs.values() if job.get("tags", {}).get("key") == key)
        return settings

    def fault_of(self, call: str) -> int | None:
        """The status of a call's fault; null when it has none."""
        for fault in self.faults:
            if re.fullmatch(fault.calls, call):
                if fault.after:
                    fault.after -= 1
                elif fault.times:
                    fault.times -= 1
                    return fault.status
        return None

    def answer(self, call: str, query: dict[str, str], body: bytes) -> Json:
        """What a call returns, after doing its work."""
        routes = {
            r"GET /\.well-known/databricks-config": lambda: {"oidc_endpoint": f"https://{self.address}/oidc"},
            r"GET /oidc/.*": lambda: {
                "authorization_endpoint": f"https://{self.address}/oidc/v1/authorize",
                "token_endpoint": f"https://{self.address}/oidc/v1/token",
            },
            r"POST /oidc/v1/token": lambda: self._log_in(parse_qs(body.decode())),
            r"GET /api/2\.0/preview/scim/v2/Me": lambda: {"userName": ALICE},
            r"GET /api/2\.0/secrets/list": lambda: {"secrets": [{"key": key} for key in self.secrets]},
            r"GET /api/2\.0/secrets/get": lambda: {
                "key": query["key"],
                "value": base64.b64encode(self.secrets[query["key"]].encode()).decode(),
            },
            r"GET /api/2\.2/jobs/list": lambda: self._list(query),
            r"GET /api/2\.2/jobs/get": lambda: self._get(query),
            r"POST /api/2\.2/jobs/create": lambda: self._create(json.loads(body)),
            r"POST /api/2\.2/jobs/reset": lambda: self._reset(json.loads(body)),
            r"POST /api/2\.2/jobs/delete": lambda: (
                self.jobs.pop(self._known(json.loads(body)["job_id"])) and {}
            ),
            r"POST /api/2\.2/jobs/run-now": lambda: self._run(json.loads(body)),
            r"GET /api/2\.2/jobs/runs/get": lambda: self.states.pop(0),
            r"GET /api/2\.0/workspace/get-status": lambda: self._status(query["path"]),
            r"POST /api/2\.0/workspace/mkdirs": dict,
            r"POST /api/2\.0/workspace/delete": lambda: self._remove(json.loads(body)["path"]),
            r"POST /api/2\.0/workspace-files/import-file/(.*)": lambda: self._import(call, body),
            rf"GET {_SECURABLES}/(.*)": lambda: self._securable(call),
            rf"POST {_SECURABLES}": lambda: self._make(call, json.loads(body)),
            r"GET /api/2\.1/unity-catalog/permissions/\w+/(.*)": lambda: self._privileges(call),
            r"PATCH /api/2\.1/unity-catalog/permissions/\w+/(.*)": lambda: self._grant(
                call, json.loads(body)
            ),
        }
        for route, do in routes.items():
            if re.fullmatch(route, call):
                return do() or {}
        raise Refused(404, "ENDPOINT_NOT_FOUND", f"No API found for '{call}'")

    def _log_in(self, asked: dict[str, list[str]]) -> Json:
        if asked["grant_type"] != ["client_credentials"]:
            raise Refused(400, "unsupported_grant_type", "client credentials only")
        return {"access_token": self.token, "token_type": "Bearer", "expires_in": 3600}

    def _list(self, query: dict[str, str]) -> Json:
        start = int(query.get("page_token", 0))
        ids = sorted(self.jobs)
        page = ids[start : start + _JOBS_A_PAGE]
        # Without tasks, as nobody asks for these.
        jobs = [
            {"job_id": id, "settings": {k: v for k, v in self.jobs[id].items() if k != "tasks"}}
            for id in page
        ]
        following = start + _JOBS_A_PAGE
        return {"jobs": jobs} | ({"next_page_token": str(following)} if following < len(ids) else {})

    def _get(self, query: dict[str, str]) -> Json:
        settings = _as_stored(self.jobs[self._known(int(query["job_id"]))])
        start = int(query.get("page_token", 0))
        tasks = settings["tasks"]
        settings["tasks"] = tasks[start : start + _TASKS_A_PAGE]
        if start:
            settings = {"tasks": settings["tasks"]}
        following = start + _TASKS_A_PAGE
        token = {"next_page_token": str(following)} if following < len(tasks) else {}
        return {"job_id": int(query["job_id"]), "settings": settings} | token

    def _known(self, id: int) -> int:
        if id not in self.jobs:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Job {id} does not exist.")
        return id

    def _create(self, settings: Json) -> Json:
        _require_known_fields(settings)
        id = max(self.jobs, default=100) + 1
        self.jobs[id] = settings
        return {"job_id": id}

    def _reset(self, body: Json) -> None:
        _require_known_fields(body["new_settings"])
        before = self.jobs[self._known(body["job_id"])]
        self.jobs[body["job_id"]] = {"run_as": before.get("run_as"), **body["new_settings"]}

    def _run(self, body: Json) -> Json:
        run = self.runs.setdefault(body["idempotency_token"], {**body, "run_id": 1000 + len(self.runs)})
        return {"run_id": run["run_id"]}

    def _status(self, path: str) -> Json:
        if path not in self.files:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({path}) doesn't exist.")
        return {"path": path, "object_type": "FILE"}

    def _remove(self, folder: str) -> None:
        inside = [path for path in self.files if path.startswith(f"{folder}/")]
        if not inside:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Path ({folder}) doesn't exist.")
        for path in inside:
            del self.files[path]

    def _import(self, call: str, body: bytes) -> None:
        self.files["/" + call.partition("import-file/")[2]] = body

    def _securable(self, call: str) -> Json:
        kind, name = call.split("/")[-2:]
        if name not in self.securables.get(kind, set()):
            raise Refused(404, f"{kind.upper()[:-1]}_DOES_NOT_EXIST", f"'{name}' does not exist.")
        return {"full_name": name}

    def _make(self, call: str, body: Json) -> Json:
        kind = call.rpartition("/")[2]
        name = ".".join(body[part] for part in ("catalog_name", "schema_name", "name") if part in body)
        if name in self.securables.setdefault(kind, set()):
            raise Refused(400, "SCHEMA_ALREADY_EXISTS", f"'{name}' already exists")
        self.securables[kind].add(name)
        return {"full_name": name}

    def _privileges(self, call: str) -> Json:
        given = self.grants.get(call.rpartition("/")[2], {})
        return {"privilege_assignments": [{"principal": p, "privileges": x} for p, x in given.items()]}

    def _grant(self, call: str, body: Json) -> None:
        given = self.grants.setdefault(call.rpartition("/")[2], {})
        for change in body["changes"]:
            given[change["principal"]] = sorted({*given.get(change["principal"], []), *change["add"]})


def _require_known_fields(settings: Json) -> None:
    if JobSettings.from_dict(settings).as_dict() != settings:
        raise Refused(400, "MALFORMED_REQUEST", "Could not parse request object: unknown field")


def _as_stored(settings: Json) -> Json:
    """What the workspace shows of settings: with its defaults, and in an order of its own."""
    # Pages of one answer have one order.
    order = random.Random(settings["name"])
    shown = {
        "email_notifications": {},
        "webhook_notifications": {},
        "format": "MULTI_TASK",
        **deepcopy(settings),
    }
    for task in shown["tasks"]:
        task |= {"run_if": "ALL_SUCCESS", "email_notifications": {}, "webhook_notifications": {}}
        task.setdefault("timeout_seconds", 0)
        if "dbt_task" in task:
            task["dbt_task"] |= {"source": "WORKSPACE"}
        order.shuffle(task.get("depends_on", []))
    for cluster in shown.get("job_clusters", []):
        cluster["new_cluster"] |= {
            "aws_attributes": {"availability": "SPOT"},
            "data_security_mode": "SINGLE_USER",
        }
    order.shuffle(shown["tasks"])
    return shown


def _handler(workspace: Workspace) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are sent apart, and would wait for each other.
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            call = f"{self.command} {unquote(parts.path)}"
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            with workspace.lock:
                workspace.calls.append((call, body))
                fault = workspace.fault_of(call)
                status, answer = self._outcome(call, query, body, fault)
            if fault == 0:
                self.close_connection = True
                self.connection.close()
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(content)

        def _outcome(
            self, call: str, query: dict[str, str], body: bytes, fault: int | None
        ) -> tuple[int, Json]:
            if fault:
                codes = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "REQUEST_LIMIT_EXCEEDED"}
                return fault, {"error_code": codes.get(fault, "INTERNAL_ERROR"), "message": f"no, {fault}"}
            if (
                call.startswith("GET /api")
                and self.headers.get("Authorization") != f"Bearer {workspace.token}"
            ):
                return 401, {"error_code": "UNAUTHENTICATED", "message": "The token is expired."}
            try:
                return 200, workspace.answer(call, query, body)
            except Refused as error:
                return error.status, error.body

        do_GET = do_POST = do_PATCH = do_HEAD = _answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that does not know the certificate, and goes."""


@contextmanager
def serve(folder: Path) -> Iterator[Workspace]:
    """A workspace at `address`, with a certificate in `folder`/ca.pem."""
    workspace = Workspace(securables={"catalogs": {"lakehouse_dev"}})
    server = _Server(("127.0.0.1", 0), _handler(workspace))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder / "ca.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    workspace.address = f"127.0.0.1:{server.server_port}"
    try:
        yield workspace
    finally:
        server.shutdown()
        server.server_close()


def _certificate(file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
