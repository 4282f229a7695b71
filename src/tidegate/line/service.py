"""A provider as the lanes see it: how to reach it, how it charges, and how each kind of call is put to it."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from tidegate.line.shown import Shown
from tidegate.model.call import Call, Kind
from tidegate.model.snapshot import Profile, Provider
from tidegate.policy.money import PriceBook
from tidegate.ports import Transport
from tidegate.providers.codec import Codec, Dialect
from tidegate.providers.dialects import CODECS, DIALECTS
from tidegate.providers.translate.face import Crossed, Crossing
from tidegate.providers.translate.table import crossing

# What a call may be put as, where the provider does not know its kind; the first that it knows is taken.
_PUT_AS = {
    Kind.CHAT: (Kind.MESSAGES,),
    Kind.MESSAGES: (Kind.CHAT,),
    Kind.RESPONSES: (Kind.CHAT, Kind.MESSAGES),
}
_FOREIGN = (b"anthropic-", b"openai-", b"x-stainless-")  # header lines that only their own maker understands


@dataclass(frozen=True, slots=True)
class Way:
    """How calls of one kind are put to one provider: as what, and where.

    `before` and `after` stand around the model's name in the path; without a `before` the call's own path is used.
    """

    codec: Codec
    crossing: Crossing | None = None
    before: bytes = b""
    after: bytes = b""

    def path(self, call: Call, model: str) -> bytes:
        """Below the base URL, with the query."""
        if not self.before:
            return call.path
        return self.before + quote(model, safe="").encode() + self.after if self.after else self.before

    def put(self, call: Call, model: str, created: int) -> Crossed | None:
        """The call in the provider's dialect, None where it is its own. Raises `Untranslatable`. O(bytes).

        `created`: Unix seconds.
        """
        if self.crossing is None or not isinstance(call.body, bytes):
            return None
        return self.crossing.request(call.body, model, created)


@dataclass(frozen=True, slots=True)
class Service:
    """One provider.

    `host`, `prefix` (the base URL's path), `auth` (header name and scheme) are ready for a request's head; `adds` are
    header lines for calls that have none of that name; `digest` is the base URL's. `ways` holds the kinds it serves,
    `shown` what its last reply had in its head.
    """

    name: str
    transport: Transport
    profile: Profile
    host: bytes
    prefix: bytes
    auth: bytes
    digest: str
    dialect: Dialect
    ways: dict[Kind, Way]
    adds: tuple[tuple[bytes, bytes], ...] = ()
    total_timeout_us: int = 0  # of a stream from its first content on; 0 = none
    prices: PriceBook = field(default_factory=PriceBook)
    shown: Shown = field(default_factory=Shown, compare=False)

    def head(self, call: Call, way: Way | None, model: str, key: bytes) -> bytes:
        """Request line and headers, without framing. `way`: None for what is forwarded as it is."""
        path, forward = call.path, call.forward
        if way is not None:
            path = way.path(call, model)
            if way.crossing is not None:
                forward = _without_foreign(forward)
        elif self.profile.query:
            path = _queried(path, self.profile.query.encode())
        for name, line in self.adds:
            if not forward.startswith(name) and b"\n" + name not in forward:
                forward += line
        return b"%b %b%b HTTP/1.1\r\nhost: %b\r\n%b%b\r\n%b" % (
            call.method,
            self.prefix,
            path,
            self.host,
            self.auth,
            key,
            forward,
        )


def service(provider: Provider, transport: Transport, digest: str) -> Service:
    """The provider of the configuration, over its transport."""
    url, profile = urlsplit(provider.base_url), provider.profile
    return Service(
        provider.name,
        transport,
        profile,
        url.netloc.encode("idna" if not url.netloc.isascii() else "ascii"),
        url.path.encode("ascii"),
        f"{profile.auth_header}: {profile.auth_prefix}".encode("ascii"),
        digest,
        DIALECTS[profile.dialect],
        ways(profile),
        tuple((f"{name}:".encode(), f"{name}: {value}\r\n".encode()) for name, value in profile.adds),
        provider.total_timeout_us,
        PriceBook({model: entry.prices for model, entry in provider.models.items()}, provider.price_list),
    )


def ways(profile: Profile) -> dict[Kind, Way]:
    """How each kind of call is put to a provider of this profile; what it cannot serve is left out."""
    found = {kind: _way(kind, None, profile) for kind in CODECS if _speaks(profile, kind)}
    for asked, spoken in ((asked, spoken) for asked, spokens in _PUT_AS.items() for spoken in spokens):
        if asked not in found and _speaks(profile, spoken) and (way := crossing(asked, spoken)) is not None:
            found[asked] = _way(spoken, way, profile)
    return found


def _speaks(profile: Profile, kind: Kind) -> bool:
    return CODECS[kind].dialect == profile.dialect and (kind is not Kind.RESPONSES or profile.responses)


def _way(spoken: Kind, how: Crossing | None, profile: Profile) -> Way:
    codec = CODECS[spoken]
    path = profile.paths.get(spoken.name.lower(), "")
    if not path and not profile.query and how is None:
        return Way(codec)
    query = f"?{profile.query}" if profile.query else ""
    before, model, after = f"{path or codec.path.decode()}{query}".partition("{model}")
    return Way(codec, how, before.encode(), after.encode() if model else b"")


def _queried(path: bytes, query: bytes) -> bytes:
    """A client's own path with what its query lacks of the profile's."""
    own = path.partition(b"?")[2]
    names = {pair.partition(b"=")[0] for pair in own.split(b"&")}
    more = b"&".join([pair for pair in query.split(b"&") if pair.partition(b"=")[0] not in names])
    return b"%b%b%b" % (path, b"&" if own else b"" if path.endswith(b"?") else b"?", more) if more else path


def _without_foreign(forward: bytes) -> bytes:
    lines = forward.split(b"\r\n")
    return b"".join([line + b"\r\n" for line in lines if line and not line.lower().startswith(_FOREIGN)])
