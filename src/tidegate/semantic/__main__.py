"""The semantic process: `python -m tidegate.semantic`, started by the supervisor while a strategy asks for it."""

import asyncio
import os
from pathlib import Path
from typing import Final

from tidegate.clock import SystemClock
from tidegate.model import snapshot as snapshots
from tidegate.model.caching import SemanticSettings
from tidegate.observe.log import Log
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Load, Ready

_NICE: Final = 5  # calls go first


def _settings(message: Load) -> SemanticSettings:
    return snapshots.decode(message.snapshot).cache.semantic


async def _main(arguments: ChildArguments, log: Log) -> None:
    channel = Channel(arguments.channel)
    message = await channel.receive()
    if not isinstance(message, Load):
        end_now()
    try:
        from tidegate.semantic.process import Process  # noqa: PLC0415 - numpy is an extra

        process = Process(Path(arguments.state_dir), _settings(message), SystemClock(), log)
        await process.start()
    except ImportError as error:
        log.error(
            "nothing is compared by its meaning: the extra is not installed",
            problem=str(error),
            remedy="pip install 'tidegate[semantic]', then restart the gate",
        )
        while await channel.receive() is not None:
            pass
        end_now()
    except OSError as error:
        log.error("the semantic process cannot start", problem=str(error))
        end_now(1)
    channel.send(Ready(os.getpid()))
    while isinstance(message := await channel.receive(), Load):
        settings = _settings(message)
        if settings.embedder != process.embedder:
            log.info("another embedder: the semantic process begins anew")
            break
        process.change(settings)
        channel.send(Ready(os.getpid()))
    process.close()
    end_now()


def main() -> None:
    """Run on the descriptors that the command line names."""
    die_with_parent()
    os.nice(_NICE)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported; more wait for each other, busily
    arguments = parse_arguments()
    asyncio.run(_main(arguments, Log("semantic")))


if __name__ == "__main__":
    main()
