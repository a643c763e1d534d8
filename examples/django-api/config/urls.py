from django.urls import path

from config import views

urlpatterns = [
    path("api/token/", views.obtain),
    path("api/token/refresh/", views.refresh),
    path("api/token/revoke/", views.revoke),
    path("api/protected/", views.protected_view),
    path("api/files/", views.files),
]
