"""Calls of jobs: let in by a ticket, as the client whose job it is."""

from typing import Any

import pytest

from tests.edge.known import digest
from tests.edge.managed import EMPTY, Managed, gone, key
from tests.edge.test_gateway import Asked, Door
from tests.line.scenes import play_of
from tidegate.edge.access.door import Door as Threshold
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.tickets import AGAIN_US, Tickets
from tidegate.edge.gateway import Runtime
from tidegate.model.snapshot import AddressLimits, ClientKey, Namespace, Snapshot
from tidegate.policy.access.job_tokens import JobToken, signed
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.wire.exchange import Likeness

SECRET = b"s" * 32
OTHER = b"o" * 32


class Vault:
    """The file in which the desk writes the secret down."""

    def __init__(self, secret: bytes = SECRET) -> None:
        self.secret = secret
        self.looks = 0

    def read(self) -> bytes:
        self.looks += 1
        return self.secret


class Patient(Managed):
    """A gate with the key `ann` of the namespace `acme`, which knows tickets."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(key("ann"), play=play_of())
        self.vault = Vault()
        self.tickets = Tickets(self.vault.read)
        door = Threshold(AddressLimits(**limits), None, b"x")
        self.gateway.runtime = Runtime(self.play.book, Clients(EMPTY, self.log), door, self.tickets)

    def ticket(self, secret: bytes = SECRET, within: int = SECOND, **fields: Any) -> bytes:
        named = {"job": "job_1", "fence": 3, "client": "ann", "namespace": "acme", "user": ""} | fields
        return signed(JobToken(until_us=self.play.clock.wall() + within, **named), secret)

    def show(self, ticket: bytes, peer: str = "", **more: Any) -> Asked:
        return self.ask(peer=peer, x_tidegate_job_ticket=ticket, **more)

    async def served(self, asked: Asked) -> Any:
        """Its record, when its provider has answered."""
        await settle()
        await self.play.provider("openai", Reply(200, [], answer()))
        assert asked.wire.status == 200
        return self.records[-1]


@pytest.fixture
async def door() -> Patient:
    return Patient()


async def test_it_is_the_clients_call_in_the_last_tier(door: Patient) -> None:
    """Its record names key, namespace, tier, job and fence; the provider sees nothing of the ticket."""
    record = await door.served(door.show(door.ticket()))
    assert (record.client, record.tenant, record.tier, record.job) == ("ann", "acme", "batch", "job_1#3")
    assert b"ticket" not in door.play.sent("openai")[-1].head


async def test_the_clients_own_calls_stay_what_they_are(door: Patient) -> None:
    """With its key it is of its namespace's tier, and of no job."""
    record = await door.served(door.by("ann"))
    assert (record.client, record.tier, record.job) == ("ann", "paid", "")


async def test_an_open_gate_takes_the_tickets_of_nobody() -> None:
    """Who asked without a key is nobody, and so is the call of their job."""
    door = Patient()
    door.gateway.runtime = Runtime(door.play.book, Clients(EMPTY), None, door.tickets)
    record = await door.served(door.show(door.ticket(client="", namespace="")))
    assert (record.client, record.tenant, record.tier, record.job) == ("", "", "batch", "job_1#3")


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": OTHER},
        {"within": 0},
        {"client": "bob"},
        {"namespace": "other"},
        {"namespace": ""},
        {"client": "", "namespace": ""},
    ],
    ids=str,
)
async def test_who_is_not_let_in(door: Patient, fields: dict[str, Any]) -> None:
    """What nobody signed, is too old, or is of a key or a namespace that is no more: 401 in the client's dialect."""
    assert door.show(door.ticket(**fields)).wire.status == 401
    asked = door.show(door.ticket(**fields), path=b"/v1/messages")
    assert asked.wire.status == 401
    assert asked.wire.error["type"] == "authentication_error"


@pytest.mark.parametrize("shown", [b"", b"1.x", b"nonsense", b"1." + b"a" * 9_000])
async def test_what_is_no_ticket(door: Patient, shown: bytes) -> None:
    """Lets nobody in, whatever key stands beside it."""
    assert door.show(shown, authorization=b"Bearer ann").wire.status == 401


async def test_a_revoked_key_opens_nothing(door: Patient) -> None:
    """Also where the head was known before."""
    alike = Likeness()
    await door.served(door.show(door.ticket(), alike=alike))
    door.tell(gone("ann"))
    assert door.show(door.ticket(), alike=alike).wire.status == 401


async def test_an_expired_key_opens_nothing(door: Patient) -> None:
    """The ticket may be valid for longer."""
    door.tell(key("late", expires_us=door.play.clock.wall() + 1))
    ticket = door.ticket(client="late", within=60 * SECOND)
    alike = Likeness()
    await door.served(door.show(ticket, alike=alike))
    await door.play.clock.advance(SECOND)
    asked = door.show(ticket, alike=alike)
    assert (asked.wire.status, "expired" in asked.wire.error["message"]) == (401, True)


async def test_a_head_that_is_known_is_known_as_long_as_its_ticket(door: Patient) -> None:
    """The same ticket again costs no look at it, until its time is over."""
    ticket, alike = door.ticket(within=2 * SECOND), Likeness()
    first = await door.served(door.show(ticket, alike=alike))
    again = await door.served(door.show(ticket, alike=alike))
    assert first.job == again.job == "job_1#3"
    await door.play.clock.advance(2 * SECOND)
    assert door.show(ticket, alike=alike).wire.status == 401


async def test_who_may_call_changes_between_head_and_body(door: Patient) -> None:
    """The ticket is looked at again, as a key is."""
    ticket = door.ticket()
    exchange = door.show(ticket).exchange
    exchange.alike.note = None
    door.tell(gone("ann"))
    door.gateway.call(exchange)
    assert not [record for record in door.records if record.status == 200]


async def test_without_patient_work_a_ticket_says_nothing() -> None:
    """It is taken out all the same."""
    door = Door(names={"k": "ann"})
    assert door.ask(x_tidegate_job_ticket=b"1.x").wire.status == 401
    door.ask(x_tidegate_job_ticket=b"1.x", authorization=b"Bearer k")
    await settle()
    assert b"ticket" not in door.play.sent("openai")[-1].head


async def test_the_secret_is_looked_for_once_a_second_at_most(door: Patient) -> None:
    """It is read when it is first needed, and when a ticket does not verify: the database may be another one."""
    await door.served(door.show(door.ticket()))
    await door.served(door.show(door.ticket()))
    assert door.vault.looks == 1
    door.vault.secret = OTHER
    assert door.show(door.ticket(OTHER)).wire.status == 401
    assert door.vault.looks == 1
    await door.play.clock.advance(AGAIN_US)
    await door.served(door.show(door.ticket(OTHER)))
    assert door.show(door.ticket(SECRET)).wire.status == 401
    assert door.vault.looks == 2


async def test_a_secret_that_is_away_for_a_moment(door: Patient) -> None:
    """The one that is known stays in force."""
    await door.served(door.show(door.ticket()))
    door.vault.secret = b""
    await door.play.clock.advance(AGAIN_US)
    assert door.show(door.ticket(OTHER)).wire.status == 401
    await door.served(door.show(door.ticket()))


async def test_addresses_and_signatures_are_no_business_of_a_job() -> None:
    """They were judged when it was accepted."""
    door = Patient(address_rpm=1, address_burst=1, key_rpm=1, key_burst=1, user_rpm=1, user_burst=1)
    one = key("far", addresses=("203.0.113.0/24",), signing="required", signing_key=b"k" * 32)
    door.tell(one)
    for _ in range(3):
        await door.served(door.show(door.ticket(client="far"), peer="198.51.100.7"))


async def test_forged_tickets_from_afar_slow_their_address() -> None:
    """As keys that nobody knows do; what this gate has signed, and is too old, does not, nor does its own socket."""
    door = Patient(failures=2)
    for _ in range(3):
        assert door.show(door.ticket(within=0), peer="198.51.100.7").wire.status == 401
        assert door.show(b"forged", peer="").wire.status == 401
    statuses = [door.show(b"forged", peer="198.51.100.7").wire.status for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert door.by("ann", peer="198.51.100.7").wire.status == 429
    await door.served(door.show(door.ticket(), peer="198.51.100.7"))


async def test_limits_and_models_are_the_clients() -> None:
    """A ticket widens nothing."""
    door = Patient()
    door.tell(key("one", models=("b",)))
    assert door.show(door.ticket(client="one")).wire.status == 403


async def test_jobs_do_not_move_their_clients_conversations(door: Patient) -> None:
    """The same tenant for what is told and allowed, another one for the queue."""
    clients = Clients(
        Snapshot(
            version=1,
            providers=(),
            namespaces=(
                Namespace("acme", "vip", 3_000, clients=(ClientKey("k", digest("k")), ClientKey("l", digest("l")))),
            ),
        )
    )
    one, other = clients.by_name("k"), clients.by_name("l")
    assert one is not None
    assert other is not None
    jobs = clients.of_jobs(one)
    assert clients.of_jobs(other) is jobs
    assert (jobs.name, jobs.tier.name, jobs.weight_milli) == ("acme", "batch", 3_000)
    assert (one.tenant.tier.name, one.tenant.flow != jobs.flow) == ("vip", True)
