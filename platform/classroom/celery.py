"""Celery, as a doorbell and nothing more: what has to be done is in the database (`exercises.models.Outbox`)."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.settings.embedded")

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings

POLL_SECONDS = 0.05  # measured: 54 ms from submit to result; the transport's own default is a second


def transport_options() -> dict[str, Any]:
    """The folder that web and worker share, for the file system broker; nothing for any other."""
    if not settings.BROKER.startswith("filesystem"):
        return {}
    for name in ("queue", "control", "processed"):
        (settings.BROKER_FOLDER / name).mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(settings.BROKER_FOLDER / "queue"),
        "data_folder_out": str(settings.BROKER_FOLDER / "queue"),
        "control_folder": str(settings.BROKER_FOLDER / "control"),
        "processed_folder": str(settings.BROKER_FOLDER / "processed"),
        "store_processed": False,
        "polling_interval": POLL_SECONDS,
    }


def broker_url() -> str:
    """A host in the file system's address means nothing, but without one kombu warns at each start."""
    return "filesystem://localhost//" if settings.BROKER == "filesystem://" else settings.BROKER


app = Celery("glasshull")
app.conf.update(
    broker_url=broker_url(),
    broker_transport_options=transport_options(),
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    task_acks_late=True,
    task_default_queue="glasshull",
    imports=["classroom.exercises.tasks"],
    timezone="UTC",
    worker_hijack_root_logger=False,
)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_: Any) -> None:
    """Connected so that Celery leaves the logging as Django set it up."""


@worker_ready.connect  # type: ignore[untyped-decorator]
def _ring_again(**_: Any) -> None:
    """A worker that was down may have missed rings: start the loop that looks into the outbox itself."""
    from classroom.exercises.dispatching import start_dispatcher

    start_dispatcher()
