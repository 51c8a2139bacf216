"""Sail hears this process alone."""

import fcntl
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from dbt.adapters.lakehouse import private_port, sail
from dbt.adapters.lakehouse.folders import Folders

# Begins HTTP/2 with empty settings, sends a ping, and prints whether its answer comes.
_PING = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
admit(connection)
connection.settimeout(2)
connection.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")
connection.sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + b"whoareu?")
heard = b""
try:
    while b"whoareu?" not in heard and (data := connection.recv(1000)):
        heard += data
except (TimeoutError, ConnectionError):
    pass
print("answered" if b"whoareu?" in heard else "not heard")
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux filters what a socket receives")


@pytest.fixture
def address(tmp_path: Path) -> private_port.Address:
    """Where Sail listens."""
    engine = sail.Sail(Folders(tmp_path))
    assert engine.query("select 1").collect()[0][0] == 1
    engine.close()
    return sail._address()


def test_another_process_is_not_heard(address: private_port.Address) -> None:
    ping = [sys.executable, "-c", f"admit = id{_PING}", str(address[1])]
    said = subprocess.run(ping, capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "not heard\n"


def test_this_process_is_heard_when_it_is_admitted(
    address: private_port.Address, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ping", str(address[1])])
    for admit, expected in ((id, "not heard\n"), (lambda _: private_port.admit(address), "answered\n")):
        exec(_PING, {"admit": lambda connection, admit=admit: _taken(connection, admit)})
        assert capsys.readouterr().out == expected


def test_sails_connections_still_wait_for_nothing(address: private_port.Address, tmp_path: Path) -> None:
    engine = sail.Sail(Folders(tmp_path))
    engine.query("select 1").collect()
    with ExitStack() as held:
        taken = [end for end in private_port._ends(held) if end.getsockname()[:2] == address]
        listens = [end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for end in taken]
        flags = [fcntl.fcntl(end, fcntl.F_GETFL) & os.O_NONBLOCK for end in taken]
    engine.close()
    # A worker of Sail's that waits for one connection keeps what else it has to do from being done.
    flags = [flag for flag, is_listening in zip(flags, listens, strict=True) if not is_listening]
    assert flags and all(flags)


def test_others_that_came_before_are_sent_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        script = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(1)"
        other = subprocess.Popen([sys.executable, "-c", script, str(address[1])])
        connection, _ = server.accept()
        private_port.close(address)
        with connection, socket.create_connection(address) as own, server.accept()[0] as taken:
            private_port.admit(address, end_others=True)
            assert other.wait(20) == 0
            own.sendall(b"a")
            taken.settimeout(20)
            assert taken.recv(1) == b"a"


def _taken(connection: socket.socket, admit: object) -> None:
    # Sail speaks first, when it has taken a connection.
    connection.settimeout(10)
    connection.recv(1, socket.MSG_PEEK)
    admit(connection)  # type: ignore[operator]
