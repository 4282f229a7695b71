"""Whether a JSON Schema fits the strict mode of OpenAI. Source: its guide to structured outputs, supported schemas."""

_DEEPEST = (
    10  # levels that strict mode takes; counted generously, as each level is an object in its parent's properties
)


def is_strict(schema: object, depth: int = 4 * _DEEPEST) -> bool:
    """Every object in it names all its properties as required and allows no others. O(size of the schema)."""
    if depth == 0:
        return False
    if isinstance(schema, list):
        return all(is_strict(item, depth - 1) for item in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties", {})
    if schema.get("type") == "object" or "properties" in schema:
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if not isinstance(properties, dict) or any(name not in required for name in properties):
            return False
    return all(is_strict(item, depth - 1) for name, item in schema.items() if name not in {"enum", "const", "default"})
