from __future__ import annotations

from django.urls import path

from classroom.workspaces import api, causes

urlpatterns = [
    path("api/cluster", api.cluster, name="api_cluster"),
    path("api/sandboxes/", api.start, name="api_start"),
    path("api/sandboxes/<uuid:sandbox>/history", api.history, name="api_history"),
    path("api/sandboxes/<uuid:sandbox>/causes/<str:moment>", causes.causes, name="api_causes"),
    path(
        "api/recordings/<str:course>/<str:lesson>/causes/<str:moment>",
        causes.recorded_causes,
        name="recorded_causes",
    ),
    path("api/sandboxes/<uuid:sandbox>/<slug:action>", api.act, name="api_act"),
]
