"""“Login with Postern” in Flask with Authlib: flask run"""

import os
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, render_template, session, url_for

app = Flask(__name__)
# From the environment, never in code: python -c "import secrets; print(secrets.token_hex())"
app.secret_key = os.environ["SECRET_KEY"]
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
# Plain http is for the machine you develop on.
app.config["SESSION_COOKIE_SECURE"] = os.environ["APP_URL"].startswith("https:")

# region register
# Before: google = oauth.register(name="google", access_token_url=..., authorize_url=..., ...)
oauth = OAuth(app)
postern = oauth.register(
    name="postern",
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)
# endregion


@app.get("/")
def home():
    return render_template("home.html", user=session.get("user"))


# region login
@app.get("/login")
def login():
    return postern.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    try:
        token = postern.authorize_access_token()
    except OAuthError as error:
        return render_template("home.html", user=None, error=error.description or error.error), 400
    session.clear()
    session["user"] = token["userinfo"]
    session["id_token"] = token["id_token"]
    return redirect(url_for("home"))
# endregion


# region logout
@app.post("/logout")
def logout():
    id_token = session.pop("id_token", "")
    session.clear()
    end_session = postern.load_server_metadata()["end_session_endpoint"]
    return redirect(
        f"{end_session}?{urlencode({'id_token_hint': id_token, 'post_logout_redirect_uri': url_for('home', _external=True)})}",
        303,
    )
# endregion
