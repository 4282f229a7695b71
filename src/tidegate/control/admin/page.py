"""`/docs`: the OpenAPI page. Scripts and styles come from the package `fastapi-offline`, none from another host."""

from importlib.resources import files
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Response

ROUTER = APIRouter(include_in_schema=False)
ASSETS = Path(str(files(fastapi_offline) / "static"))
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tidegate admin API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# Who is signed in to the control room tries routes without a token: a change shows the session's word.
_START = """let word = "";
fetch("/admin/v1/session").then(async (answer) => {
  word = answer.ok ? (await answer.json()).csrf : "";
});
SwaggerUIBundle({
  url: "/admin/v1/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (word && !request.headers.Authorization) {
      request.headers["x-tidegate-csrf"] = word;
    }
    return request;
  },
});
"""


@ROUTER.get("/docs")
def docs() -> Response:
    """The page."""
    return Response(_PAGE, media_type="text/html; charset=utf-8")


@ROUTER.get("/docs/start.js")
def start() -> Response:
    """What opens it: a file of its own, as the page's policy allows no script inside it."""
    return Response(_START, media_type="text/javascript; charset=utf-8")
