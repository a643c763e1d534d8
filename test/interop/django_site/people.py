from django.contrib.auth.models import User

User.objects.create_user("jo", "jo@example.com", "django and jazz", first_name="Jo", last_name="March")
User.objects.create_user("amy", "amy@example.com", "paint and brush", is_active=False)
User.objects.create_user("beth", "beth@example.com")
User.objects.create_user("nobody", "", "no address at all")
