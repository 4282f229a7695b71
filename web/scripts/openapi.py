"""Prints the admin API's OpenAPI document, without a gate."""

import json
from typing import Any, cast

from tidegate.control.admin.app import application

if __name__ == "__main__":
    print(json.dumps(application(cast(Any, None)).openapi(), sort_keys=True))
