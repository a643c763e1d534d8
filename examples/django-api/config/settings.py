import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "config.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
USE_TZ = True

# region configure
ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"]
CLIENT = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.authentication.PosternAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # People live at Postern; this API needs no table of users.
    "UNAUTHENTICATED_USER": None,
}

# Before: "SIGNING_KEY": os.getenv("JWT_SECRET_KEY", "supersecret")
SIMPLE_JWT = {
    "ALGORITHM": "RS256",
    "JWK_URL": f"{ISSUER}/.well-known/jwks.json",
    "ISSUER": ISSUER,
    "AUDIENCE": AUDIENCE,
    "USER_ID_CLAIM": "sub",
    # The kind of a token is the `typ` of its header (RFC 9068): see authentication.py.
    "TOKEN_TYPE_CLAIM": None,
}
# endregion
