from __future__ import annotations

from django.urls import path

from classroom.courseware import media, recordings, views

urlpatterns = [
    path("", views.home, name="home"),
    path("learn/<str:course>/", views.course_home, name="course"),
    path("learn/<str:course>/<str:lesson>/", views.lesson_page, name="lesson"),
    path("learn/<str:course>/<str:lesson>/media/<str:name>", media.media, name="media"),
    path("api/recordings/<str:course>/<str:lesson>/", recordings.recording, name="recording"),
]
