"""Every address of the product. Each view names its access rule (`classroom.access.allow`)."""

from __future__ import annotations

from django.urls import include, path

from classroom import health

urlpatterns = [
    path("", include("classroom.courseware.urls")),
    path("", include("classroom.accounts.urls")),
    path("", include("classroom.workspaces.urls")),
    path("", include("classroom.instructors.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler404 = "classroom.refusals.page_not_found"
handler500 = "classroom.refusals.server_error"
