"""For pytest: a throw-away state folder, a database in a file (threads share it), cheap password hashes."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "GLASSHULL_TESTING_HOME" not in os.environ:
    os.environ["GLASSHULL_TESTING_HOME"] = tempfile.mkdtemp(prefix="glasshull-test-")
    atexit.register(shutil.rmtree, os.environ["GLASSHULL_TESTING_HOME"], ignore_errors=True)
os.environ["GLASSHULL_HOME"] = os.environ["GLASSHULL_TESTING_HOME"]
for _name in ("BIND", "PORT", "GLASSHULL_HOSTS", "GLASSHULL_BROKER", "GLASSHULL_SANDBOX_LIMIT"):
    os.environ.pop(_name, None)

from classroom.settings import logs  # noqa: E402
from classroom.settings.base import *  # noqa: E402, F403
from classroom.settings.base import ALLOWED_HOSTS, DATABASES, WEB_HOME  # noqa: E402

logs.configure()
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
DATABASES["default"]["TEST"] = {"NAME": WEB_HOME / "test.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
BROKER = "memory://"
