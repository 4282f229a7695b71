"""What a session of `tidegate judge` is about: the gateway, started or found, and where it was judged."""

import contextlib
import os
import platform
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tidegate import __version__
from tidegate.judge.arena import Options
from tidegate.judge.recipes.gateway import Gateway, Wish
from tidegate.judge.recipes.table import RECIPES
from tidegate.judge.setup import Setup
from tidegate.ports import Clock


@contextlib.asynccontextmanager
async def opened(
    args: Namespace, setup: Setup, options: Options, folder: Path, clock: Clock
) -> AsyncIterator[tuple[Gateway, Options]]:
    """The gateway and what is known of it: by its recipe, or by the command line. Raises `ChildError`."""
    if not args.recipe:
        yield Gateway(", ".join(options.gates), options.gates, "", options.keys), options
        return
    wish = Wish(setup, folder, clock, args.replicas, args.workers, args.program)
    async with RECIPES[args.recipe](wish) as gateway:
        yield (
            gateway,
            replace(
                options,
                gates=gateway.gates,
                keys=gateway.keys,
                headers=gateway.headers,
                revocable=gateway.revocable or options.revocable,
                revoke_command=gateway.revoke_command or options.revoke_command,
                usage_urls=gateway.usage_urls or options.usage_urls,
                usage_metrics=gateway.usage_metrics or options.usage_metrics,
            ),
        )


def machine() -> str:
    """In words."""
    return f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}"


def versions() -> dict[str, str]:
    """Of what judges."""
    return {"tidegate": __version__, "python": platform.python_version()}


def moment() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
