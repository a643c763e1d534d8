"""A FastAPI service whose tokens Postern issues; /docs signs in by itself: uvicorn main:app"""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2AuthorizationCodeBearer, OAuth2PasswordBearer, SecurityScopes

ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"]
SCOPES = {"files.read": "Read files", "files.write": "Change files"}

# region schemes
# Before: oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token"), with a /token route of one's own
password = OAuth2PasswordBearer(f"{ISSUER}/token", scopes=SCOPES, auto_error=False)
code = OAuth2AuthorizationCodeBearer(f"{ISSUER}/authorize", f"{ISSUER}/token", scopes=SCOPES, auto_error=False)

app = FastAPI(
    swagger_ui_init_oauth={
        "clientId": os.environ["DOCS_CLIENT_ID"],
        "usePkceWithAuthorizationCodeGrant": True,
        "scopes": "files.read",
    }
)
# endregion

# region verify
# Before: jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


# Not async: fetching the keys waits for the network, and FastAPI runs such functions in threads.
def current_user(
    needed: SecurityScopes,
    token: Annotated[str | None, Depends(password)],
    _: Annotated[str | None, Depends(code)],
) -> dict:
    def refuse(status: int, detail: str, error: str = "") -> HTTPException:
        scope = f', scope="{needed.scope_str}"' if error == "insufficient_scope" else ""
        challenge = f'Bearer error="{error}"{scope}' if error else "Bearer"
        return HTTPException(status, detail, headers={"WWW-Authenticate": challenge})

    if token is None:
        raise refuse(401, "Not authenticated")
    try:
        key = keys.get_signing_key_from_jwt(token).key
        decoded = jwt.decode_complete(token, key, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE)
        if decoded["header"].get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
    except jwt.PyJWKClientConnectionError as error:
        raise HTTPException(503, "the keys cannot be fetched") from error
    except jwt.PyJWTError as error:
        raise refuse(401, "Could not validate credentials", "invalid_token") from error
    claims = decoded["payload"]
    if not set(needed.scopes) <= set(claims.get("scope", "").split()):
        raise refuse(403, "Not enough permissions", "insufficient_scope")
    return claims
# endregion


@app.get("/users/me")
async def read_users_me(user: Annotated[dict, Security(current_user)]):
    return {"sub": user["sub"], "scope": user.get("scope")}


# region scope
@app.get("/files")
async def read_files(user: Annotated[dict, Security(current_user, scopes=["files.read"])]):
    return {"files": ["a.txt", "b.txt"], "owner": user["sub"]}


@app.post("/files", status_code=201)
async def write_file(user: Annotated[dict, Security(current_user, scopes=["files.write"])]):
    return {"written": True}
# endregion
