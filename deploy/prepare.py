"""Makes .venv hold exactly what the given lock files pin, and does nothing when it already does.

Runs before anything is installed: standard library alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
PINNED = re.compile(r"^[A-Za-z0-9][\w.-]*(\[[^]]*])?==", re.MULTILINE)
WORKED_ON = re.compile("Collecting |Requirement already satisfied|Ignoring ")
EVERY = 10
NO_PIP = """\
Python {version} is here, but it can neither make a virtual environment nor install into one.
  Debian, Ubuntu:  sudo apt-get install python3-venv
  Alpine:          sudo apk add py3-pip
  another Python:  make run PYTHON=/path/to/python3
Then run the same command again."""
NOT_INSTALLED = """\
{lock} could not be installed; the last words of pip are above.
It needs the package index once: check the network (or HTTPS_PROXY and pip's configuration) and run the
same command again. It goes on where it stopped."""


class PreparationError(Exception):
    """What is missing on this machine, with the mend."""


def main(venv: Path, locks: list[Path]) -> int:
    """Install every lock that changed since it was installed last; 1 when the machine lacks something."""
    if works(python_of(venv)) and all(installed(venv, lock) for lock in locks):
        return 0
    print("Preparing .venv (once, about a minute) ...", flush=True)
    try:
        pip = make(venv)
        for lock in locks:
            if not installed(venv, lock):
                install(pip, lock)
                stamp(venv, lock).write_text(fingerprint(lock))
    except PreparationError as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start goes on from here.", file=sys.stderr)
        return 130
    print("Prepared.", flush=True)
    return 0


def python_of(venv: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return venv / "bin" / "python"


def stamp(venv: Path, lock: Path) -> Path:
    """Where the fingerprint of the lock that was installed last is kept."""
    return venv / f"{lock.name}.installed"


def fingerprint(lock: Path) -> str:
    """Changes when the lock does."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def installed(venv: Path, lock: Path) -> bool:
    """Whether the environment holds this very lock."""
    kept = stamp(venv, lock)
    return kept.is_file() and kept.read_text() == fingerprint(lock)


def works(python: Path, needs: str = "sys") -> bool:
    """Whether the interpreter starts, is new enough and can import `needs`."""
    question = f"import sys, {needs}; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([python, "-c", question], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make(venv: Path) -> list[str]:
    """Make the environment unless it is sound; the command that is its pip."""
    inside = [str(python_of(venv)), "-m", "pip"]
    if works(python_of(venv), "pip"):
        return inside
    if has("venv") and has("ensurepip"):
        run([sys.executable, "-m", "venv", "--clear", str(venv)])
        return inside
    if has("venv") and has("pip"):
        if not works(python_of(venv)):
            run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)])
        return [sys.executable, "-m", "pip", "--python", str(python_of(venv))]
    raise PreparationError(NO_PIP.format(version=".".join(map(str, sys.version_info[:2]))))


def has(module: str) -> bool:
    """Whether this interpreter brings a module; Debian ships venv without its half named ensurepip."""
    return importlib.util.find_spec(module) is not None


def run(command: list[str]) -> None:
    """Run a step that is silent when it works."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise PreparationError(f"{done.stdout}\n{' '.join(command)} failed.")


def install(pip: list[str], lock: Path) -> None:
    """Install a lock, its hashes checked, and show how far it is."""
    command = [*pip, "install", "--require-hashes", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--no-warn-script-location", "-r", str(lock)]
    last_words: deque[str] = deque(maxlen=15)
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        for words in progress(child.stdout or (), lock, last_words):
            print(words, flush=True)
    if child.returncode:
        print("".join(last_words), file=sys.stderr)
        raise PreparationError(NOT_INSTALLED.format(lock=lock.name))


def progress(lines: Iterable[str], lock: Path, last_words: deque[str]) -> Iterator[str]:
    """Pip's lines as a few of ours: which package of how many, then that they are being put in place."""
    total = len(PINNED.findall(lock.read_text(encoding="utf-8")))
    done = 0
    for line in lines:
        last_words.append(line)
        found = WORKED_ON.match(line)
        done += bool(found)
        if found and (done == total or done % EVERY == 0):
            yield f"  {lock.name}: {done} of {total} packages found"
        elif line.startswith("Installing collected packages"):
            yield f"  {lock.name}: putting them in place"


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(Path(".venv"), [Path(name) for name in sys.argv[1:]]))
