"""A Flask API with flask-jwt-extended whose tokens Postern issues: flask run"""

import os
from functools import wraps

import requests
from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager, get_jwt, get_jwt_identity, jwt_required
from jwt import PyJWKClient, PyJWKClientConnectionError, PyJWKClientError

ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"]
CLIENT = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])

app = Flask(__name__)

# region configure
# Before: app.config["JWT_SECRET_KEY"] = os.getenv("JWT_SECRET_KEY", "supersecret")
app.config["JWT_ALGORITHM"] = "RS256"
app.config["JWT_DECODE_ISSUER"] = ISSUER
app.config["JWT_DECODE_AUDIENCE"] = AUDIENCE
jwt = JWTManager(app)
keys = PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


@jwt.decode_key_loader
def key_of(header, payload):
    return keys.get_signing_key(header.get("kid")).key


@jwt.token_verification_loader
def is_access_token(header, payload):
    return header.get("typ") == "at+jwt"
# endregion


# region login
# Before: check_password_hash(...) and create_access_token(identity=email)
def token_endpoint(**form):
    answer = requests.post(f"{ISSUER}/token", auth=CLIENT, data=form, timeout=10)
    if answer.status_code >= 500:
        return jsonify(msg="Please try again"), 503
    if not answer.ok:
        return jsonify(msg=answer.json()["error_description"]), 429 if answer.status_code == 429 else 401
    tokens = answer.json()
    return jsonify(access_token=tokens["access_token"], refresh_token=tokens["refresh_token"]), 200


def given(name):
    data = request.get_json(silent=True)
    return str(data.get(name, "")) if isinstance(data, dict) else ""


@app.post("/login")
def login():
    return token_endpoint(
        grant_type="password",
        username=given("email"),
        password=given("password"),
        resource=AUDIENCE,
        scope="reports.read",
    )


@app.post("/refresh")
def refresh():
    # The refresh token is Postern's to check; this API never accepts it as an access token.
    return token_endpoint(grant_type="refresh_token", refresh_token=given("refresh_token"))
# endregion


@app.get("/protected")
@jwt_required()
def protected():
    return jsonify(logged_in_as=get_jwt_identity())


# region scope
def scope_required(scope):
    def decorate(view):
        @wraps(view)
        @jwt_required()
        def checked(*args, **kwargs):
            if scope in get_jwt().get("scope", "").split():
                return view(*args, **kwargs)
            challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
            return jsonify(msg="insufficient_scope"), 403, {"WWW-Authenticate": challenge}

        return checked

    return decorate


@app.get("/reports")
@scope_required("reports.read")
def reports():
    return jsonify(reports=["2026-01", "2026-02"])


@app.post("/reports")
@scope_required("reports.write")
def write_report():
    return jsonify(written=True), 201
# endregion


# region refuse
# flask-jwt-extended answers 401 or 422 without a challenge; RFC 6750 §3 wants 401 with one.
def refused(reason, challenge='Bearer error="invalid_token"'):
    return jsonify(msg=reason), 401, {"WWW-Authenticate": challenge}


jwt.unauthorized_loader(lambda reason: refused(reason, "Bearer"))
jwt.invalid_token_loader(refused)
jwt.expired_token_loader(lambda header, payload: refused("Token has expired"))
jwt.token_verification_failed_loader(lambda header, payload: refused("Not an access token"))


@app.errorhandler(PyJWKClientError)
def unknown_key(error):
    if isinstance(error, PyJWKClientConnectionError):
        return jsonify(msg="the keys cannot be fetched"), 503
    return refused(str(error))
# endregion
