"""A client that knows nothing of the server but its OpenAPI document, and holds every answer against it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import jsonschema
from starlette.testclient import TestClient


class OpenApiClient:
    """Calls operations by their names. An answer whose status, type or content the document does not allow fails."""

    def __init__(self, asking: TestClient) -> None:
        self._asking = asking
        self.document: dict[str, Any] = asking.get("/openapi.json").json()
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def call(
        self, name: str, *, body: Any = None, files: Any = None, headers: dict[str, str] | None = None, **values: Any
    ) -> Any:
        """Call an operation with values for its path and query, and return what it answers."""
        method, path, operation = self.operations[name]
        query = {}
        for parameter in operation["parameters"]:
            if parameter["name"] in values and parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(str(values.pop(parameter["name"])), safe=""))
            elif parameter["name"] in values:
                query[parameter["name"]] = values.pop(parameter["name"])
        assert not values, f"{name} has no {sorted(values)}"
        sent: dict[str, Any] = {"params": query, "headers": headers}
        if files is not None:
            sent |= {"files": files, "data": body}
        elif body is not None:
            sent["json"] = body
        answer = self._asking.request(method, path, **sent)
        return self._checked(operation, answer)

    def _checked(self, operation: dict[str, Any], answer: Any) -> Any:
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{operation['operationId']} answers {answer.status_code}: {answer.text[:300]}"
        assert answer.status_code < 400, f"{operation['operationId']}: {answer.text[:500]}"
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in described["content"], f"{kind} is not among {list(described['content'])}"
        schema = described["content"][kind].get("schema")
        if schema is None:
            return answer.content
        value = answer.json()
        validator = jsonschema.Draft202012Validator(schema | {"components": self.document["components"]})
        problems = [f"{'.'.join(map(str, one.path))}: {one.message}" for one in validator.iter_errors(value)]
        assert not problems, problems
        return value
