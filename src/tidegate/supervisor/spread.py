"""How connections are spread over sockets that share a port.

The kernel's own way is a hash of the addresses: of 64 connections to two sockets it gives one of them more than 60 % in
every tenth case. Here the client's port decides: a client's connections to one place have ports that grow by 2 to 16
(Linux, `__inet_hash_connect`), so that blocks of 16 ports, dealt out in turn, are nearly round robin for each client.
Random ports are spread as by the hash.

A classic BPF program (`SO_ATTACH_REUSEPORT_CBPF`, socket(7)) needs no rights; where the system has none, the kernel's
way stays.
"""

import contextlib
import ctypes
import socket
import struct
import sys

_ATTACH = 51  # SO_ATTACH_REUSEPORT_CBPF
_NETWORK = 0xFFF0_0000  # SKF_NET_OFF: what follows is an offset from the IP header
_BYTE, _HALF, _SHIFT, _MODULO, _IF_EQUAL, _SKIP, _RETURN = 0x30, 0x28, 0x74, 0x94, 0x15, 0x05, 0x16
_V4_PORT, _V6_PORT = 20, 40  # where TCP begins; a SYN with IP options is spread somehow, which harms nobody
_BLOCK = 4  # 2 ** 4 ports


def program(sockets: int) -> bytes:
    """Which of so many sockets, in the order in which they began to listen: (source port / 16) modulo their number."""
    steps = (
        (_BYTE, 0, 0, _NETWORK),
        (_SHIFT, 0, 0, 4),
        (_IF_EQUAL, 0, 2, 4),
        (_HALF, 0, 0, _NETWORK + _V4_PORT),
        (_SKIP, 0, 0, 1),
        (_HALF, 0, 0, _NETWORK + _V6_PORT),
        (_SHIFT, 0, 0, _BLOCK),
        (_MODULO, 0, 0, sockets),
        (_RETURN, 0, 0, 0),
    )
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def spread(listeners: list[socket.socket]) -> bool:
    """Spread the port's connections over all of these; False where the system cannot. They listen already."""
    if sys.platform != "linux":
        return False
    code = program(len(listeners))
    held = ctypes.create_string_buffer(code, len(code))
    with contextlib.suppress(OSError):
        value = struct.pack("HP", len(code) // struct.calcsize("HBBI"), ctypes.addressof(held))
        listeners[0].setsockopt(socket.SOL_SOCKET, _ATTACH, value)
        return True
    return False
