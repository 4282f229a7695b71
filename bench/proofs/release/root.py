"""A fresh Debian in a folder: its own processes, its own /proc, nothing of this machine but the way to registries.

Made by mmdebstrap with this machine's mirror. How registries are reached (variables, certificates, settings of pip and
npm) is taken from this machine when it runs, and stands in no file of the project.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.upstreams import ROOT

SUITE = "trixie"
PACKAGES = "git,python3-venv"  # all that a newcomer needs
REPOSITORY = "/mnt/repository"
_BEGINNINGS = ("PIP_", "UV_", "NPM_CONFIG_", "SSL_CERT_", "NODE_EXTRA_CA_", "REQUESTS_CA_", "CURL_CA_", "GIT_SSL_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_SETTINGS = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/hosts", "~/.config/pip/pip.conf", "~/.npmrc")
_CERTIFICATES = "/etc/ssl/certs"


class CannotMake(Exception):
    """There is no such root here: what is missing."""


@dataclass(frozen=True, slots=True)
class Debian:
    """A root that was made; whatever runs in it ends with what started it."""

    path: Path

    def run(self, command: str, variables: Mapping[str, str], seconds: float) -> "subprocess.CompletedProcess[str]":
        """A shell's command in it, as root, in `/srv`. Mounts and processes are gone when it returns.

        Raises `subprocess.TimeoutExpired`.
        """
        words = [f"{name}={value}" for name, value in ({**_registries(), **variables}).items()]
        inside = ["/usr/bin/env", "-i", "--chdir=/srv", *words, "/bin/sh", "-ec", command]
        return self._apart(self._mounts(), inside, command, seconds)

    def locked(self, command: str, path: str, state: str, seconds: float) -> "subprocess.CompletedProcess[str]":
        """As a container has it: the user a number without rights, no network, the root read-only. As `run`.

        What it writes is in `state` and /tmp, in memory.
        """
        at = shlex.quote(str(self.path))
        lines = [
            f"mount --bind {at} {at}",
            self._mounts(),
            f"mount -t tmpfs tmpfs {at}/tmp",  # noqa: S108 - a mount of its own
            f"mount -t tmpfs -o mode=0700,uid=10001,gid=10001 tmpfs {at}{state}",
            f"mount -o remount,bind,ro {at}",
            "ip link set lo up",
        ]
        rights = ["--reuid", "10001", "--regid", "10001", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
        inside = [
            "/usr/bin/setpriv",
            *rights,
            "/usr/bin/env",
            "-i",
            f"--chdir={state}",
            f"PATH={path}",
            "PYTHONDONTWRITEBYTECODE=1",
        ]
        return self._apart("\n".join(lines), [*inside, "/bin/sh", "-ec", command], command, seconds, "--net")

    def _apart(
        self, mounts: str, inside: list[str], command: str, seconds: float, *more: str
    ) -> "subprocess.CompletedProcess[str]":
        script = f"{mounts}\nexec {shlex.join(['chroot', str(self.path), *inside])}"
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", *more, "sh", "-ec", script]
        with subprocess.Popen(alone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
            try:
                output, _ = child.communicate(timeout=seconds)
            except BaseException:
                child.kill()
                raise
            return subprocess.CompletedProcess(command, child.returncode, output, "")

    def _mounts(self) -> str:
        at = shlex.quote(str(self.path))
        lines = [
            f"mount -t proc proc {at}/proc",
            f"mount --rbind /dev {at}/dev",
            f"mount -t tmpfs tmpfs {at}/dev/shm",  # noqa: S108 - a mount of its own
            f"mount --rbind /sys {at}/sys",
            f"mkdir -p {at}{REPOSITORY} {at}{_CERTIFICATES}",
            f"mount --bind -o ro {shlex.quote(str(ROOT))} {at}{REPOSITORY}",
        ]
        if Path(_CERTIFICATES).is_dir():
            lines.append(f"mount --bind -o ro {_CERTIFICATES} {at}{_CERTIFICATES}")
        return "\n".join(lines)


def debian(folder: Path) -> Debian:
    """A new one in this folder; takes a minute. Raises `CannotMake`."""
    missing = [name for name in ("mmdebstrap", "unshare", "chroot") if shutil.which(name) is None]
    if missing or os.getuid():
        raise CannotMake(f"as root, with {', '.join(missing) or 'nothing more'} installed (apt-get install mmdebstrap)")
    words = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMake(" ".join(done.stderr.split())[-300:])
    for name in _SETTINGS:
        given = Path(name).expanduser()
        if given.is_file():
            inside = folder / (Path("root") / given.relative_to(Path.home()) if name[0] == "~" else name[1:])
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(given, inside)
    (folder / "srv").mkdir(exist_ok=True)
    return Debian(folder)


def _registries() -> dict[str, str]:
    found = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    for name, value in os.environ.items():
        if name.upper().startswith(_BEGINNINGS) or name.upper() in _PROXIES:
            local = value.startswith("/") and not value.startswith(_CERTIFICATES)  # a folder of this machine
            found |= {} if local else {name: value}
    return found
