"""Conversations with providers as their profiles describe them: how a refusal ends, and what it takes out."""

import json

import pytest

from tests.line.scenes import OK, play_of, provider, refused, served
from tidegate.config.profiles import load_profile
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Limits, Provider, Scope
from tidegate.policy.failure.headers_families import family
from tidegate.policy.failure.not_before import not_before
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle

HOUR = 3_600 * SECOND
DAILY = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "details": [
            {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "19s"},
        ],
    }
}
SPENT = "You have reached your specified API usage limits. You will regain access on 2099-01-01 at 00:00 UTC."
QUOTA_WORDS = "You exceeded your current quota, please check your plan and billing details."

MESSAGE = Reply(
    200,
    [],
    json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "a",
            "content": [{"type": "text", "text": "hello"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 5, "output_tokens": 2},
        }
    ).encode(),
)


def one_with(profile: str, scopes: int = 1) -> Provider:
    """A provider of this profile that serves a."""
    given = tuple(Scope(f"s{number}", (f"k{number}",), {"a": Limits(600)}) for number in range(scopes))
    return provider("first", scopes=given, profile=load_profile(profile))


def with_another(profile: str) -> Playbook:
    """Strategy `s`: a at a provider of this profile, then b at another one."""
    other = provider("second", limits={"b": Limits(600)})
    return play_of(one_with(profile), other, fallback_models=("b",))


def refusal(status: int, body: object, **headers: str) -> Reply:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Reply(status, lines, json.dumps(body).encode())


async def sent(play: Playbook, name: str, count: int) -> None:
    """So many requests have left, now."""
    await settle()
    assert len(play.sent(name)) == count


async def test_a_day_that_is_used_up_is_over_at_midnight() -> None:
    """Google names 19 s, and means California's midnight: until then every call goes elsewhere, at once."""
    play = with_another("gemini")
    running = play.call("s")
    await sent(play, "first", 1)
    await play.provider("first", refusal(429, [DAILY]))
    await sent(play, "second", 1)
    await play.provider("second", OK)
    served(await running)
    until = not_before(["day_pacific"], {}, family("none"), "", play.clock.wall())
    assert until is not None
    await play.until(until - 60 * SECOND)
    again = play.call("s")
    await sent(play, "second", 2)
    await play.provider("second", OK)
    served(await again)
    assert len(play.sent("first")) == 1
    await play.until(until)
    probe = play.call("s")
    await sent(play, "first", 2)
    await play.provider("first", OK)
    served(await probe)


async def test_what_is_free_is_used_up_and_what_is_paid_is_not() -> None:
    """OpenRouter's limit on free models says nothing of the others of the account."""
    models = {"a:free": Limits(600), "a": Limits(600)}
    play = play_of(provider("first", models, profile=load_profile("openrouter")))
    free, paid = play.call("a:free"), play.call("a")
    await sent(play, "first", 2)
    said = {"error": {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits", "code": 429}}
    await play.provider("first", refusal(429, said))
    await play.provider("first", OK)
    served(await paid)
    refused(await free)
    again = play.call("a")
    await sent(play, "first", 3)
    await play.provider("first", OK)
    served(await again)


async def test_the_same_words_wait_at_one_and_leave_the_other() -> None:
    """OpenAI means money; DashScope the minute's tokens, so the call is tried there again."""
    body = {"error": {"message": QUOTA_WORDS, "type": "insufficient_quota", "code": "insufficient_quota"}}
    for profile, reason in (("openai", Reason.BILLING), ("dashscope", Reason.RATE)):
        play = with_another(profile)
        running = play.call("s")
        await sent(play, "first", 1)
        await play.provider("first", refusal(429, body))
        await play.until(SECOND)
        assert [told for _, told in play.recorder.attempts] == [reason]
        tried = (len(play.sent("first")), len(play.sent("second")))
        assert tried == ((1, 1) if reason is Reason.BILLING else (2, 0))
        await play.provider("second" if reason is Reason.BILLING else "first", OK)
        served(await running)


async def test_money_dressed_as_a_mistake() -> None:
    """A spend limit as 400: the call is served elsewhere, and the account is asked again within the hour."""
    play = with_another("anthropic")
    running = play.call("s")
    await sent(play, "first", 1)
    error = {"type": "invalid_request_error", "message": SPENT}
    await play.provider("first", refusal(400, {"type": "error", "error": error}))
    await sent(play, "second", 1)
    await play.provider("second", OK)
    served(await running)
    await play.until(HOUR)
    again = play.call("s")
    await sent(play, "first", 2)
    await play.provider("first", MESSAGE)
    served(await again)


@pytest.mark.parametrize(("text", "at"), [("Please retry after 9 seconds.", 9 * SECOND), ("", SECOND // 2)])
async def test_azures_zero_is_no_word(text: str, at: int) -> None:
    """`retry-after: 1` beside a zero is not waited for: the text counts, else one's own back-off."""
    play = play_of(one_with("azure"))
    running = play.call("a")
    await sent(play, "first", 1)
    reply = refusal(429, {"error": {"code": "429", "message": text}}, retry_after="1", retry_after_ms="0")
    await play.provider("first", reply)
    await play.expect_sent("first", 2, at=at)
    await play.provider("first", OK)
    served(await running)


async def test_a_request_that_azure_can_never_serve_goes_elsewhere() -> None:
    """The 86,400 s that it names close nothing: the next call is sent there."""
    play = with_another("azure")
    body = {"error": {"code": "429", "message": "have exceeded token rate limit. Please retry after 86400 seconds."}}
    running = play.call("s")
    await sent(play, "first", 1)
    await play.provider("first", refusal(429, body, retry_after="86400"))
    await sent(play, "second", 1)
    await play.provider("second", OK)
    served(await running)
    play.call("s").cancel()
    small = play.call("s")
    await sent(play, "first", 2)
    await play.provider("first", OK)
    served(await small)
