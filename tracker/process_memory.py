"""How the C library's allocator keeps memory, in processes that live long and now and then need much at once.

By default glibc keeps an arena for each thread, and after one large block has been freed it takes such blocks from the
heap, which then cannot shrink. A web process that had answered large requests held some 25 to 40 MiB more for that
(``benchmarks/cost_memory.py``). Blocks well below a MiB are left to the heap: to ask the system for each part of an
answer made ``costs/`` take half as long again.
"""

from __future__ import annotations

import ctypes

# Numbers from glibc's malloc.h; `man mallopt` says what each does.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 1024 * 1024
_OPTIONS = ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _LARGE))


def give_back_early(library: object | None = None) -> bool:
    """Let this process, and those forked from it, have one arena and give back what they free.

    Returns whether the C library heard of it: where it has no ``mallopt``, as musl and macOS, nothing changes.
    """
    mallopt = getattr(library or ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, value) == 1 for option, value in _OPTIONS)
