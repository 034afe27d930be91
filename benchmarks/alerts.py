"""Alerts: matching changes against watches, sending webhooks, and the time from a price to its webhook.

    python benchmarks/alerts.py [--rounds 5]

Where DATABASE_URL names a PostgreSQL server, what needs a database is measured there, too.

The last lines are JSON, one for each row. It measures and does not judge: the exit status is 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# As a script this folder comes first, where this very file would stand in for the app of the same name.
sys.path[0] = str(ROOT)

from benchmarks import alerts_latency, alerts_matching, alerts_webhooks  # noqa: E402


def main() -> None:
    """Measure everything, then print the rows."""
    options = _options()
    rows = [
        *alerts_matching.rows(options.rounds),
        *alerts_webhooks.rows(options.rounds, options.postgresql),
        *alerts_latency.rows(options.postgresql),
    ]
    print()
    for row in rows:
        print(json.dumps(row))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--postgresql", default=os.environ.get("DATABASE_URL", ""), help="a server to make a database on"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
