"""Who works: the name under which a process claims rows that only one may work on at a time."""

from __future__ import annotations

import os
import socket
import threading


def owner_name() -> str:
    """This machine, process and thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:200]
