"""An API with nothing but the standard library and PyJWT: python api.py"""

import json
import os
from wsgiref.simple_server import make_server

import jwt

from tokens import verify_jwt


def app(environ, start_response):
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return answer(start_response, "401 Unauthorized", {"error": "no token"}, "Bearer")
    try:
        claims = verify_jwt(token)
    except jwt.PyJWKClientConnectionError:
        return answer(start_response, "503 Service Unavailable", {"error": "the keys cannot be fetched"})
    except jwt.PyJWTError as error:
        return answer(start_response, "401 Unauthorized", {"error": str(error)}, 'Bearer error="invalid_token"')
    return answer(start_response, "200 OK", {"sub": claims["sub"]})


def answer(start_response, status, body, challenge=None):
    headers = [("Content-Type", "application/json")]
    if challenge:
        headers.append(("WWW-Authenticate", challenge))
    start_response(status, headers)
    return [json.dumps(body).encode()]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), app) as server:
        server.serve_forever()
