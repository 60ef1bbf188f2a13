from __future__ import annotations

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "classroom.workspaces"
    label = "workspaces"
