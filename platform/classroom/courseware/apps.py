from __future__ import annotations

from django.apps import AppConfig


class CoursewareConfig(AppConfig):
    name = "classroom.courseware"
    label = "courseware"
