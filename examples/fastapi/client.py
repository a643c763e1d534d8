"""An async client that asks the API fifty times at once with one token: python client.py"""

import asyncio
import os

import httpx

ISSUER = os.environ["ISSUER"]
CLIENT = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])


# region client
async def main() -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        form = {"grant_type": "client_credentials", "resource": os.environ["AUDIENCE"], "scope": "files.read"}
        answer = await http.post(f"{ISSUER}/token", auth=CLIENT, data=form)
        headers = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
        answers = await asyncio.gather(*(http.get(f"{os.environ['API']}/files", headers=headers) for _ in range(50)))
    print(sum(one.status_code == 200 for one in answers), "of", len(answers), "answered 200")
# endregion


asyncio.run(main())
