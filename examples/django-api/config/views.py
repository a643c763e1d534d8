import requests
from django.conf import settings
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.response import Response


# region protected
@api_view(["GET"])
@permission_classes([IsAuthenticated])
def protected_view(request):
    return Response({"message": f"Hello, {request.user.id}"})
# endregion


# region scope
class HasScope(BasePermission):
    needed = {"GET": "files.read", "POST": "files.write"}

    def has_permission(self, request, view):
        return bool(request.auth) and self.needed[request.method] in request.auth.get("scope", "").split()


@api_view(["GET", "POST"])
@permission_classes([IsAuthenticated, HasScope])
def files(request):
    return Response({"files": ["a.txt", "b.txt"]})
# endregion


# region obtain
# Before: TokenObtainPairView, TokenRefreshView and the blacklist app
def postern(path, **form):
    return requests.post(f"{settings.ISSUER}/{path}", auth=settings.CLIENT, data=form, timeout=10)


def refused(answer):
    if answer.status_code >= 500:
        return Response({"detail": "Please try again"}, status=503)
    status = 429 if answer.status_code == 429 else 401
    return Response({"detail": answer.json()["error_description"]}, status=status)


def tokens(answer):
    if not answer.ok:
        return refused(answer)
    return Response({"access": answer.json()["access_token"], "refresh": answer.json()["refresh_token"]})


def given(request, name):
    return str(request.data.get(name, "")) if isinstance(request.data, dict) else ""


@api_view(["POST"])
@authentication_classes([])
def obtain(request):
    person = {"username": given(request, "email"), "password": given(request, "password")}
    return tokens(postern("token", grant_type="password", resource=settings.AUDIENCE, scope="files.read", **person))


@api_view(["POST"])
@authentication_classes([])
def refresh(request):
    return tokens(postern("token", grant_type="refresh_token", refresh_token=given(request, "refresh")))


@api_view(["POST"])
@authentication_classes([])
def revoke(request):
    answer = postern("revoke", token=given(request, "refresh"))
    return Response(status=204) if answer.ok else refused(answer)
# endregion
