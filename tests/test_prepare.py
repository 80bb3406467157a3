"""The first start on a bare machine: an environment is made once, and what is missing is said in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNOBTAINABLE = "nobody-publishes-this==1.0 --hash=sha256:" + "0" * 64
Prepare = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Run `prepare.py` in a project of its own, offline, on a Python without the named modules."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "prepare.py", tmp_path / "deploy")
    (tmp_path / "empty.lock").write_text("# nothing\n")

    def run(
        lock: str = "empty.lock", *, without: tuple[str, ...] = ("ensurepip",)
    ) -> subprocess.CompletedProcess[str]:
        hide = "".join(f"sys.modules[{name!r}] = None\n" for name in without)
        (tmp_path / "sitecustomize.py").write_text(f"import sys\n{hide}")
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "PIP_NO_INDEX": "1", "HOME": str(tmp_path / "none")}
        command = [sys.executable, "deploy/prepare.py", lock]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


def test_the_second_start_has_nothing_to_do(prepare: Prepare, tmp_path: Path) -> None:
    first, second = prepare(), prepare()
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("Preparing .venv (once")
    assert second.stdout == second.stderr == ""
    assert (tmp_path / ".venv" / "bin" / "python").exists()


def test_a_changed_lock_is_installed_again(prepare: Prepare, tmp_path: Path) -> None:
    prepare()
    (tmp_path / "empty.lock").write_text("# nothing yet\n")
    assert "Preparing" in prepare().stdout
    assert prepare().stdout == ""


def test_an_environment_whose_python_is_gone_is_made_again(prepare: Prepare, tmp_path: Path) -> None:
    prepare()
    inside = tmp_path / ".venv" / "bin" / "python"
    inside.unlink()
    inside.symlink_to(tmp_path / "removed")
    assert "Prepared." in prepare().stdout
    assert subprocess.run([inside, "-c", ""], check=False).returncode == 0


def test_a_python_that_can_install_nothing_is_told_what_to_add(prepare: Prepare) -> None:
    told = prepare(without=("ensurepip", "pip"))
    assert told.returncode == 1
    assert "sudo apt-get install python3-venv" in told.stderr


def test_a_lock_that_cannot_be_had_is_not_taken_for_installed(prepare: Prepare, tmp_path: Path) -> None:
    (tmp_path / "far.lock").write_text(UNOBTAINABLE)
    for _ in range(2):
        told = prepare("far.lock")
        assert told.returncode == 1
        assert "nobody-publishes-this" in told.stderr
        assert "far.lock could not be installed" in told.stderr
