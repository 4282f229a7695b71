"""Errors of regions that no single field shows: a list without oneself, floors beyond the whole, unknown scopes."""

from tidegate.config.source import Document, as_list, as_mapping

_WHOLE = 100
_MOST = 20  # scopes that a remedy lists


def check_regions(document: Document) -> None:
    """Add to `document` what is wrong."""
    data = as_mapping(document.data)
    regions = as_mapping(data.get("regions"))
    names = [name for name in as_list(regions.get("all")) if isinstance(name, str)]
    _listed(regions, names, document)
    floor = regions.get("floor_percent", 5)
    if isinstance(floor, (int, float)) and floor > 0 and floor * len(names) > _WHOLE:
        at = "floor_percent" if "floor_percent" in regions else "all"
        told = "this part" if ("regions", "floor_percent") in document.substituted else f"{floor:g} %"
        message = f"{len(names)} regions cannot always have {told} each"
        document.refuse(("regions", at), message, f"make floor_percent {_WHOLE / len(names):g} at most")
    pairs = [
        (name, str(as_mapping(scope).get("name")))
        for name, provider in as_mapping(data.get("providers")).items()
        for scope in as_list(as_mapping(provider).get("scopes"))
    ]
    known = {"/".join(pair): "/".join(map(document.said, pair)) for pair in pairs}
    some = ", ".join(sorted(known.values())[:_MOST]) + (", …" if len(known) > _MOST else "")
    for number, scope in enumerate(as_list(regions.get("scopes"))):
        if isinstance(scope, str) and scope not in known:
            remedy = f"write PROVIDER/SCOPE, one of {some or 'those under providers'}"
            document.refuse(("regions", "scopes", number), "no such scope", remedy)


def _listed(regions: dict[str, object], names: list[str], document: Document) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            document.refuse(("regions", "all", number), "this region is given twice", "remove one of the two")
        seen.add(name)
    own = regions.get("name")
    if isinstance(own, str) and names and own not in names:
        message = "this region is not among regions.all"
        document.refuse(("regions", "name"), message, "add it there, in every region, or correct the name")
