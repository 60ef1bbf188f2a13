from __future__ import annotations

from django.urls import path

from classroom.accounts import views

urlpatterns = [
    path("signin/", views.signin, name="signin"),
    path("signin/<str:secret>/", views.signin_by_link, name="signin_by_link"),
    path("back/<str:secret>/", views.come_back, name="come_back"),
    path("join/", views.join_class, name="join"),
    path("me/", views.me, name="me"),
    path("signout/", views.signout, name="signout"),
    # The names are allauth's: its login page and adapter look these up.
    path("password/", views.password, name="account_login"),
    path("password/signup/", views.closed, name="account_signup"),
    path("password/reset/", views.closed, name="account_reset_password"),
]
