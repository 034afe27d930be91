"""Makes the virtual environment and installs requirements into it: `python3 scripts/install.py .venv requirements.txt`.

Runs under the machine's own Python, whatever that is, so it says clearly when that is too old. A file in the virtual
environment marks what is installed; `make` compares it with the requirements and comes here only when they changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)
MARKS = {"requirements.txt": [".installed"], "requirements-dev.txt": [".installed", ".installed-dev"]}


def main(venv: Path, requirements: Path) -> None:
    """Install `requirements` into `venv`; exit with one line when that cannot be done."""
    if sys.version_info < OLDEST_PYTHON:
        version = sys.version.split()[0]
        sys.exit(f"Python 3.11 or newer is needed and {sys.executable} is {version}: set PYTHON=python3.x.")
    make_virtual_environment(venv)
    say(f"Installing {requirements} into {venv} (a minute or two the first time) …")
    started = time.monotonic()
    if install(venv, requirements) != 0:
        sys.exit(f"Installing {requirements} failed; the lines above say why. A package index must be reachable.")
    for mark in MARKS[requirements.name]:
        (venv / mark).touch()
    say(f"  installed in {time.monotonic() - started:.0f} s")


def make_virtual_environment(venv: Path) -> None:
    """Make `venv` unless a working one is there; one whose Python is gone is made anew."""
    python = venv / "bin" / "python"
    if python.exists() and subprocess.call([str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0:
        return
    shutil.rmtree(venv, ignore_errors=True)
    say(f"Making the virtual environment {venv} …")
    if subprocess.call([sys.executable, "-m", "venv", str(venv)]) != 0:
        sys.exit(f"{sys.executable} could not make a virtual environment: its venv module is missing or broken.")


def install(venv: Path, requirements: Path) -> int:
    """Run pip and pass on a short line for each package; return pip's exit status."""
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--requirement", str(requirements)]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True)
    for line in pip.stdout or ():
        if line.startswith("Collecting "):
            say("  collecting " + line.split("(from")[0].split()[1])
        elif line.startswith("Installing collected"):
            say(f"  unpacking {len(line.split(','))} packages")
    return pip.wait()


def say(line: str) -> None:
    """Print `line` at once, also where the output is no terminal."""
    print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
