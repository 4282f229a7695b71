"""Whether a webhook that somebody asks for can be told at all."""

from tidegate.model.jobs import JobSettings
from tidegate.policy.jobs.addresses import Allowed
from tidegate.policy.jobs.webhooks import BadHook, target_of


def check(url: str, settings: JobSettings) -> str:
    """What is wrong with it, "" = nothing: one sentence that names the field and the remedy, not the URL. O(length).

    What a name stands for is judged when it is called: it may change until then.
    """
    if not settings.webhooks.secret:
        return (
            "`webhook` cannot be told: the gate has nothing to sign with. Leave it out and ask for the state, "
            "or have the operator set `jobs.webhooks.secret`."
        )
    try:
        target_of(url, Allowed(settings.webhooks.allow))
    except BadHook as bad:
        return f"`webhook` cannot be told: {bad}."
    return ""
