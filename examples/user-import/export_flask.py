# region export
# python export_flask.py
import json

from app import User, app, db

with app.app_context(), open("people.jsonl", "w") as file:
    for user in db.session.scalars(db.select(User)):
        print(json.dumps({"email": user.email, "password_hash": user.password}), file=file)
# endregion
