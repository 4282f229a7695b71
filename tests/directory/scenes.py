"""What the tests of the log share: changes, a plain model of what they come to, and a state that is such a model."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tidegate.model.directory import Change, Gone, PutKey, PutNamespace, PutUser
from tidegate.model.snapshot import ClientKey, Namespace, User

NAMES = ("a", "b", "c")

CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutNamespace, st.builds(Namespace, st.sampled_from(NAMES), st.sampled_from(("paid", "free")))),
    st.builds(PutUser, st.sampled_from(NAMES), st.builds(User, st.sampled_from(NAMES), st.just(("m",)))),
    st.builds(
        PutKey,
        st.sampled_from(NAMES),
        st.builds(
            ClientKey,
            st.sampled_from(NAMES),
            st.sampled_from([bytes([number]) * 32 for number in range(4)]),
            st.sampled_from(("", "a")),
        ),
    ),
    st.builds(Gone, st.sampled_from(("namespace", "user", "key")), st.sampled_from(NAMES), st.sampled_from(NAMES)),
)


@dataclass
class Seen:
    """A state that keeps what it was told."""

    changes: list[Change] = field(default_factory=list)
    distrusted: bool = False
    forgotten: int = 0

    def apply(self, change: Change) -> None:
        self.changes.append(change)

    def distrust(self) -> None:
        self.distrusted = True

    def let_go(self, most: int) -> bool:
        self.forgotten += 1
        return self.forgotten < 3


@dataclass
class Told:
    """A log that keeps what it was told."""

    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def error(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))


def many(count: int) -> list[Change]:
    return [PutKey("acme", ClientKey(str(number), number.to_bytes(32, "big"))) for number in range(count)]
