"""For applications: signs their requests to a gate. Needs nothing but the standard library.

from tidegate.client import Signer

signer = Signer("acme-1", os.environ["TIDEGATE_KEY"])
httpx.Client(auth=signer), httpx2.AsyncClient(auth=signer)
openai.OpenAI(base_url=…, api_key="signed", http_client=openai.DefaultHttpxClient(auth=signer))
aiohttp.ClientSession(middlewares=[signer.aiohttp])
signer.headers("POST", "/v1/chat/completions", body)  # for anything else
"""

from tidegate.client.signer import Signer as Signer
