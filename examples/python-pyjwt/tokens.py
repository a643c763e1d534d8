"""Getting and checking JWTs with PyJWT. The secret this program signed with is gone: it only needs to know whom to trust."""

import os

import jwt
import requests

ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"]

# region verify
# Before: jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
KEYS = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


def verify_jwt(token: str) -> dict:
    """The claims of an access token for this API. Raises jwt.PyJWTError for anything else."""
    decoded = jwt.decode_complete(
        token,
        KEYS.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["exp", "iat", "sub"]},
    )
    # An ID token is signed with the same keys, and no key to any API (RFC 9068 §4).
    if decoded["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return decoded["payload"]
# endregion


# region generate
# Before: jwt.encode(payload, SECRET_KEY, algorithm="HS256")
def generate_jwt() -> str:
    """An access token for this program itself (client credentials, RFC 6749 §4.4)."""
    answer = requests.post(
        f"{ISSUER}/token",
        auth=(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]),
        data={"grant_type": "client_credentials", "resource": AUDIENCE},
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]
# endregion


if __name__ == "__main__":
    token = generate_jwt()
    print(token)
    print(verify_jwt(token))
