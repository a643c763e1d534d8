"""Hashes as Django, werkzeug, passlib, bcrypt and argon2-cffi write them, one JSON object a line.

    python test/interop/foreign_hashes.py > test/domain/foreign-hashes.jsonl

made the committed vectors; `npm run test:interop` makes fresh ones. The packages are those of test/interop/requirements.txt.
"""

import json

import argon2
import bcrypt
import django
from django.conf import settings

HASHERS = ["PBKDF2PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher", "BCryptPasswordHasher"]
settings.configure(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS])
django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password  # noqa: E402
from passlib.hash import pbkdf2_sha256  # noqa: E402
from werkzeug.security import generate_password_hash  # noqa: E402

# The second has a letter that Unicode's compatibility forms would change, and marks that follow their letters.
PASSWORDS = ["correct horse", "e\u0301cole \ufb01ve 🔑"]
LONG = "all work and no play " * 10

WRITERS = {
    "django pbkdf2_sha256": lambda password: make_password(password, hasher="pbkdf2_sha256"),
    "django argon2": lambda password: make_password(password, hasher="argon2"),
    "django bcrypt_sha256": lambda password: make_password(password, hasher="bcrypt_sha256"),
    "django bcrypt": lambda password: make_password(password, hasher="bcrypt"),
    "werkzeug scrypt": lambda password: generate_password_hash(password),
    "werkzeug pbkdf2": lambda password: generate_password_hash(password, "pbkdf2"),
    "passlib pbkdf2-sha256": pbkdf2_sha256.hash,
    "bcrypt": lambda password: bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode(),
    "argon2": argon2.PasswordHasher().hash,
}
# As older versions and smaller machines wrote them.
CHEAP = {
    "django pbkdf2_sha256, 10,000": lambda password: PBKDF2PasswordHasher().encode(password, "seasalt", 10_000),
    "werkzeug scrypt, 2^10": lambda password: generate_password_hash(password, "scrypt:1024:8:1"),
    "werkzeug pbkdf2, 1,000": lambda password: generate_password_hash(password, "pbkdf2:sha256:1000"),
    "passlib pbkdf2-sha256, 1,000": pbkdf2_sha256.using(rounds=1000).hash,
    "bcrypt, 4": lambda password: bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode(),
    "argon2i": argon2.PasswordHasher(1, 64, 2, type=argon2.Type.I).hash,
}

for name, write in (WRITERS | CHEAP).items():
    # bcrypt itself takes 72 bytes at most.
    for password in PASSWORDS if name.startswith(("bcrypt", "django bcrypt")) and "sha" not in name else [*PASSWORDS, LONG]:
        print(json.dumps({"by": name, "password": password, "hash": write(password)}))
