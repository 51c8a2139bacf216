"""A port of this process that hears this process alone.

Every user of a machine reaches its ports, and Sail asks nobody who they are. Linux can filter what a socket
receives: the port's filter cuts each packet down to its header, so that others connect and are not heard. It
is lifted from the connections whose other end is a socket of this process. Other systems have no such filter.
"""

import ctypes
import os
import socket
import stat
import struct
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

Address = tuple[str, int]

# Linux's names, which Python does not have, and a program of one instruction: keep one byte; headers stay.
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_BPF_RET = 6
_HEADER_ONLY = ctypes.create_string_buffer(struct.pack("HBBI", _BPF_RET, 0, 0, 1))
_PROGRAM = struct.pack("HP", 1, ctypes.addressof(_HEADER_ONLY))
_CAN_FILTER = sys.platform == "linux"


def close(port: Address) -> None:
    """Be deaf to all who connect to a port from now on.

    Raises:
        OSError: the kernel takes no filter.
    """
    with ExitStack() as held:
        for end in _ends(held):
            if end.getsockname()[:2] == port and end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _PROGRAM)


def admit(port: Address, end_others: bool = False) -> None:
    """Hear those connections to a port that begin in this process; `end_others` ends all others."""
    with ExitStack() as held:
        taken = [end for end in _ends(held) if end.getsockname()[:2] == port]
        # Looked for afterwards: where a connection was taken, its beginning is there.
        own = {_plain(end.getsockname()) for end in _ends(held)}
        for end in taken:
            # It may be gone by now, or was admitted before.
            with suppress(OSError):
                if _plain(end.getpeername()) in own:
                    end.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
                elif end_others:
                    end.shutdown(socket.SHUT_RDWR)


def _ends(held: ExitStack) -> list[socket.socket]:
    """The sockets of TCP that this process has, until `held` ends."""
    ends = []
    for file in Path("/proc/self/fd").iterdir() if _CAN_FILTER else ():
        with suppress(OSError):
            if not stat.S_ISSOCK(file.stat().st_mode):
                continue
            # Python's own `dup` of a socket would have it wait, and with it Sail's.
            end = held.enter_context(socket.socket(fileno=os.dup(int(file.name))))
            if end.family in (socket.AF_INET, socket.AF_INET6) and end.type == socket.SOCK_STREAM:
                ends.append(end)
    return ends


def _plain(name: tuple[str, int]) -> Address:
    """An address as IPv4 writes it, which sockets of IPv6 reach, too."""
    return name[0].removeprefix("::ffff:"), name[1]
