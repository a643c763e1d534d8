"""A Flask site as many are: Flask-SQLAlchemy, and passwords by werkzeug. Its people are to come along."""

import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from werkzeug.security import generate_password_hash

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['DATABASE']}"
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(120), unique=True)
    password = db.Column(db.String(256))


with app.app_context():
    db.create_all()
    if not db.session.scalar(db.select(User)):
        db.session.add(User(email="flo@example.com", password=generate_password_hash("flask of tea")))
        db.session.commit()
