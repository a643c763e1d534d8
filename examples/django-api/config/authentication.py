# region authenticate
from jwt import PyJWKClientConnectionError, get_unverified_header
from rest_framework.exceptions import APIException
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import AccessToken


class KeysUnreachable(APIException):
    status_code = 503
    default_detail = "The keys cannot be fetched"


class PosternAuthentication(JWTStatelessUserAuthentication):
    """simplejwt checks signature, expiry, issuer and audience; this adds that it is an access token."""

    def get_validated_token(self, raw_token):
        try:
            token = AccessToken(raw_token)
        except TokenError as error:
            # Nobody's token is at fault.
            if isinstance(getattr(error.__cause__, "__cause__", None), PyJWKClientConnectionError):
                raise KeysUnreachable from error
            raise InvalidToken(str(error)) from error
        if get_unverified_header(raw_token).get("typ") != "at+jwt":
            raise InvalidToken("not an access token")
        return token
# endregion
