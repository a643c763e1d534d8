# region authenticate
from jwt import InvalidTokenError, get_unverified_header
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken


class PosternAuthentication(JWTStatelessUserAuthentication):
    """simplejwt checks signature, expiry, issuer and audience; this adds that it is an access token."""

    def get_validated_token(self, raw_token):
        token = super().get_validated_token(raw_token)
        try:
            if get_unverified_header(raw_token).get("typ") == "at+jwt":
                return token
        except InvalidTokenError:
            pass
        raise InvalidToken("not an access token")
# endregion
