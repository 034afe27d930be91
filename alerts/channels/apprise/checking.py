"""Says by its exit status whether Apprise understands the address on standard input: 0 it does, 3 it does not.

A web process asks this way, since Apprise costs a quarter of a second and 36 MB wherever it is imported.
"""

from __future__ import annotations

import logging
import sys


def main() -> int:
    """Read the address and try it, without any output: an error text could repeat its secrets."""
    from apprise import Apprise

    logging.disable()
    return 0 if Apprise.instantiate(sys.stdin.read(), suppress_exceptions=True) else 3


if __name__ == "__main__":
    sys.exit(main())
