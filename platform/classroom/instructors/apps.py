from __future__ import annotations

from django.apps import AppConfig


class InstructorsConfig(AppConfig):
    name = "classroom.instructors"
    label = "instructors"
