# region export
# python manage.py shell < export_django.py
import json

from django.contrib.auth.models import User

with open("people.jsonl", "w") as file:
    for user in User.objects.exclude(email=""):
        person = {"email": user.email, "disabled": not user.is_active}
        if user.get_full_name():
            person["name"] = user.get_full_name()
        if user.has_usable_password():
            person["password_hash"] = user.password
        print(json.dumps(person), file=file)
# endregion
