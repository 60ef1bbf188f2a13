"""`manage.py classcode [--course SLUG]`: print the code students join with."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from classroom.accounts.people import ensure_classroom
from classroom.courseware.catalogue import catalogue


class Command(BaseCommand):
    help = "Print the code of the course's class; students type it on the page to join."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--course", default="", help="slug; default: the first course")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(ensure_classroom(options["course"] or catalogue.default_course()).code)
