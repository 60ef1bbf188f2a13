from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings

from classroom.settings.environment import NAMES, ROOT, Environment, SettingInvalid, read_environment
from classroom.settings.logs import hide_secrets
from classroom.settings.secrets import ensure_secret_key

DOCUMENT = (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_line_in_the_docs(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| .+ \| .+ \|$", DOCUMENT, re.MULTILINE), (
        f"docs/settings.md says nothing about {name}"
    )


def test_the_docs_name_no_setting_that_does_not_exist() -> None:
    assert re.findall(r"^\| `([A-Z_]+)`", DOCUMENT, re.MULTILINE) == list(NAMES)


def test_the_names_are_those_that_are_read() -> None:
    source = Path(read_environment.__code__.co_filename).read_text().split("def read_environment", 1)[1]
    assert sorted(set(re.findall(r'"(GLASSHULL_[A-Z_]+|BIND|PORT)"', source))) == sorted(NAMES)
    assert len(dataclasses.fields(Environment)) == len(NAMES)


def test_defaults_bind_to_loopback() -> None:
    read = read_environment({})
    assert (read.bind, read.port, read.broker, read.debug) == ("127.0.0.1", 8300, "filesystem://", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("PORT", "0"), ("PORT", "70000"), ("GLASSHULL_SANDBOX_MINUTES", "1"), ("PORT", "8³")],
)
def test_nonsense_is_refused_with_the_variables_name(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=f"^{name}="):
        read_environment({name: value})


def test_two_processes_starting_at_once_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "web" / "secret_key"
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(ensure_secret_key(path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 50
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_P47_sign_in_secrets_do_not_reach_the_log() -> None:
    event = hide_secrets(None, "info", {"event": "GET /signin/AbC-123/ 302", "path": "/back/xyz/"})
    assert event == {"event": "GET /signin/***/ 302", "path": "/back/***/"}


def test_the_database_waits_and_writes_ahead() -> None:
    options = settings.DATABASES["default"]["OPTIONS"]
    assert (options["timeout"], options["transaction_mode"]) == (20, "IMMEDIATE")


@pytest.mark.django_db
def test_the_database_file_uses_a_write_ahead_log() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


def test_a_home_nobody_can_make_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shell = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment = {**shell, "GLASSHULL_HOME": str(tmp_path / "file/home")}
    command = [sys.executable, str(ROOT / "manage.py"), "up"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert re.fullmatch(
        r"Glasshull could not start\. The state folder \S+ cannot be used \(.+\)\. Set GLASSHULL_HOME to .+\n",
        result.stderr,
    )
