"""What every place shares. Operators change behaviour through the environment: docs/settings.md."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE

from classroom.live.origins import own_hosts, own_origins
from classroom.settings.environment import SettingInvalid, read_environment
from classroom.settings.secrets import ensure_secret_key

ENVIRONMENT = read_environment(os.environ)
BASE_DIR = Path(__file__).resolve().parents[1]

# `web/` belongs to web and worker, `shared/` is the supervisor's for them to read (docs/architecture.md).
HOME = ENVIRONMENT.home
WEB_HOME = HOME / "web"
SHARED = HOME / "shared"
# Root's own commands (up, down, cluster) need no sessions and write nothing where the service user could
# have laid a link.
IS_SUPERVISOR = os.environ.get("GLASSHULL_SUPERVISOR") == "1"
try:
    if not IS_SUPERVISOR:
        WEB_HOME.mkdir(parents=True, exist_ok=True)
    SECRET_KEY = secrets.token_hex() if IS_SUPERVISOR else ensure_secret_key(WEB_HOME / "secret_key")
except OSError as error:
    raise SettingInvalid(
        f"The state folder {HOME} cannot be used ({error.strerror}). "
        "Set GLASSHULL_HOME to a folder with room that you own."
    ) from error
RECORD_FILE = WEB_HOME / "record.sqlite3"
CLUSTER_FILE = SHARED / "cluster.json"
KUBE_FOLDER = SHARED / "kube"
AUDIT_FILE = SHARED / "audit" / "audit.log"
HANDS_SOCKET = SHARED / "hands.sock"
IMAGES_FILE = SHARED / "images.json"
BELL_FILE = WEB_HOME / "bell.sock"

BIND = ENVIRONMENT.bind
PORT = ENVIRONMENT.port
LESSONS_FOLDER = ENVIRONMENT.lessons
SANDBOX_LIMIT = ENVIRONMENT.sandbox_limit
SANDBOX_SECONDS = ENVIRONMENT.sandbox_minutes * 60
SANDBOX_EXTENSION_SECONDS = 30 * 60
SIGNIN_SECONDS = ENVIRONMENT.signin_hours * 3600

DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = own_hosts(BIND, ENVIRONMENT.hosts)
OWN_ORIGINS = own_origins(ALLOWED_HOSTS, PORT, ENVIRONMENT.hosts)
CSRF_TRUSTED_ORIGINS = sorted(OWN_ORIGINS)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "classroom.accounts",
    "classroom.courseware",
    "classroom.workspaces",
    "classroom.exercises",
    "classroom.live",
    "classroom.instructors",
    "classroom.operating",
]

MIDDLEWARE = [
    "classroom.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "classroom.middleware.InOneThread",
]

ROOT_URLCONF = "classroom.urls"
ASGI_APPLICATION = "classroom.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "classroom.courseware.context.shell",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": WEB_HOME / "db.sqlite3",
        # WAL itself is set once after migrating (classroom/accounts/apps.py): asserting it on every
        # connect can itself meet a lock.
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA synchronous=NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "signin"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "classroom.accounts.adapter.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

SESSION_COOKIE_NAME = "glasshull_session"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "glasshull_csrf"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "classroom.refusals.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# One exception: the picture positions things with inline style attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "style-src-elem": [SELF, NONCE],
        "style-src-attr": [UNSAFE_INLINE],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served where they lie: no collectstatic step between a clone and a page.
WHITENOISE_USE_FINDERS = True
# Looked up at each request: a front end built (again) after the start of this process is served at once.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/.+-[\w-]{8}\.\w+$"
VITE_MANIFEST = BASE_DIR / "static" / "dist" / "manifest.json"

DATA_UPLOAD_MAX_MEMORY_SIZE = 600 * 1024  # an `apply` carries at most 256 KiB of YAML, JSON-escaped
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

BROKER = ENVIRONMENT.broker
BROKER_FOLDER = WEB_HOME / "broker"
LOG_LEVEL = ENVIRONMENT.log_level
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processors": "ext://classroom.settings.logs.PROCESSORS",
            "foreign_pre_chain": "ext://classroom.settings.logs.SHARED",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
    },
}
