"""Running the loader beside the calls: is this configuration right, by this node's environment?"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.supervisor.messages import Decoder, Loaded, Message, Named, ProtocolError

LOADER: Final = "tidegate.config.loader"
_MOST_LINES: Final = 20


class Checked(NamedTuple):
    """What the loader came to: `loaded` is None where the configuration cannot be used, and `lines` say why."""

    loaded: Loaded | None
    lines: tuple[str, ...]
    parcel: bytes = b""
    files: tuple[str, ...] = ()  # of this node, which count as part of its own file


class Checker:
    """Runs one at a time. `file` is the node's own, whose folder and name count for parcels too."""

    __slots__ = ("_module", "_state_dir", "file", "words")

    def __init__(self, state_dir: Path, module: str = LOADER) -> None:
        self._state_dir = state_dir
        self._module = module
        self.file = ""
        self.words: Sequence[str] = ()  # what the gate's own loader is told

    async def own(self, version: int, text: bytes | None = None) -> Checked:
        """The node's own file, or `text` in its place, to be that version, and its parcel. Raises `OSError`."""
        with tempfile.TemporaryDirectory(dir=self._state_dir, prefix="parcel-") as folder:
            parcel, instead = Path(folder) / "parcel", Path(folder) / "text"
            if text is not None:
                instead.write_bytes(text)
            more = () if text is None else ("--text", str(instead))
            checked = await self._run(version, "--pack", str(parcel), *more)
            return checked if checked.loaded is None else checked._replace(parcel=parcel.read_bytes())

    async def parcel(self, data: bytes, version: int) -> Checked:
        """Another node's, to be that version. Raises `OSError`."""
        with tempfile.TemporaryDirectory(dir=self._state_dir, prefix="parcel-") as folder:
            parcel = Path(folder) / "parcel"
            parcel.write_bytes(data)
            return (await self._run(version, "--parcel", str(parcel)))._replace(parcel=data)

    async def _run(self, version: int, *more: str) -> Checked:
        words = ("--version", str(version), "--shared-version", str(version), *self.words, *more)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", self._module, self.file, *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ,
        )  # fmt: skip
        try:
            output, said = await process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        lines = said.decode(errors="replace").splitlines()[:_MOST_LINES]
        if process.returncode:
            return Checked(None, tuple(line.removeprefix("error: ") for line in lines) or ("the loader failed",))
        found = _messages(output)
        named = next((one.files for one in found if isinstance(one, Named)), ())
        return Checked(next((one for one in found if isinstance(one, Loaded)), None), tuple(lines), files=named)


def _messages(output: bytes) -> list[Message]:
    try:
        return Decoder().feed(output)
    except ProtocolError:
        return []
