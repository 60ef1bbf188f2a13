from __future__ import annotations

from django.urls import path

from classroom.instructors import views

urlpatterns = [
    path("class/<str:course>/", views.class_table, name="class"),
    path("class/<str:course>/links/", views.class_links, name="class_links"),
    path("class/<str:course>/marks.csv", views.export_marks, name="marks_csv"),
]
