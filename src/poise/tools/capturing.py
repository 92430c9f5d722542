"""What `poise capture` starts: mitmproxy in an environment of its own, and dumpcap; and the steps people must take.

mitmproxy stays out of our own environment, since it pins what we use ourselves in other versions.

Source: the seed's chapters on Fiddler and Wireshark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MITMPROXY = "mitmproxy>=11,<13"
ADDON = Path(__file__).with_name("mitm_addon.py")
PORTS = (7443, 8445, 443)
"""Ports of the seed: notification service, desktop, desktop on UCCE."""
BUFFER_MB = 64


class CaptureError(Exception):
    """It cannot be started; the text says what to do."""


def home() -> Path:
    """Where mitmproxy's environment and its certificate authority live."""
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "poise" / "mitmproxy"


def mitmdump(given: str = "") -> Path:
    """The program: as given, of our environment, or of the system. Raises CaptureError."""
    folder = home() / ("Scripts" if sys.platform == "win32" else "bin")
    for candidate in (given, str(folder / "mitmdump"), shutil.which("mitmdump") or ""):
        if candidate and (found := shutil.which(candidate)):
            return Path(found)
    raise CaptureError(
        "mitmproxy is not installed. `poise capture proxy --install` puts it into an environment of its own, "
        f"{home()}; or name a mitmdump with --mitmdump."
    )


def install() -> None:
    """Make the environment. Raises CaptureError."""
    folder = home()
    folder.parent.mkdir(parents=True, exist_ok=True)
    program = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(program), "-m", "pip", "install", "--quiet", MITMPROXY],
    ):
        done = subprocess.run(command, check=False)  # noqa: S603 - no shell
        if done.returncode:
            raise CaptureError(f"{' '.join(command)} failed with exit code {done.returncode}")


@dataclass(frozen=True, slots=True)
class ProxyPlan:
    """One recording through a proxy."""

    host: str
    folder: Path
    reverse: bool
    port: int = 8080
    """Where the proxy listens, forward."""
    listen: str = "127.0.0.1"
    ports: tuple[int, ...] = PORTS
    """Of the server. In reverse mode the proxy listens on the same ones, moved up by `shift`."""
    shift: int = 0
    ca: Path | None = None
    insecure: bool = False

    @property
    def har(self) -> Path:
        """The HAR, complete at the end."""
        return self.folder / "capture.har"

    @property
    def flows(self) -> Path:
        """mitmproxy's own file, written as it goes."""
        return self.folder / "capture.mitm"

    def command(self, program: Path, authority: Path) -> list[str]:
        """mitmdump's command line; `authority` holds the CA that browsers must trust."""
        modes = (
            [f"reverse:https://{self.host}:{port}@{self.listen}:{port + self.shift}" for port in self.ports]
            if self.reverse
            else [f"regular@{self.listen}:{self.port}"]
        )
        command = [str(program), "--quiet", "-s", str(ADDON), "-w", str(self.flows)]
        for mode in modes:
            command += ["--mode", mode]
        options = [f"hardump={self.har}", f"confdir={authority}", "flow_detail=0", "connection_strategy=lazy"]
        options += [f"ssl_verify_upstream_trusted_ca={self.ca}"] if self.ca else []
        options += ["ssl_insecure=true"] if self.insecure else []
        for option in options:
            command += ["--set", option]
        return command


@dataclass(frozen=True, slots=True)
class TcpPlan:
    """One recording of packets."""

    output: Path
    host: str = ""
    interface: str = "any"
    ports: tuple[int, ...] = PORTS
    seconds: int = 0
    """0: until Ctrl-C."""
    ring_mb: int = 0
    """Total size of a ring of ten files; 0: one file that grows."""

    @property
    def filter(self) -> str:
        """The seed's filter as a capture filter (its display filter is `tcp.port==7443 && ssl`)."""
        ports = " or ".join(f"tcp port {port}" for port in self.ports)
        return f"host {self.host} and ({ports})" if self.host else ports

    def command(self) -> list[str]:
        """dumpcap's command line, or tshark's. Raises CaptureError."""
        program = shutil.which("dumpcap") or shutil.which("tshark")
        if program is None:
            raise CaptureError("Recording packets needs dumpcap or tshark: install Wireshark (Debian: tshark).")
        command = [program, "-i", self.interface, "-f", self.filter, "-B", str(BUFFER_MB), "-w", str(self.output)]
        if self.seconds:
            command += ["-a", f"duration:{self.seconds}"]
        if self.ring_mb:
            command += ["-b", f"filesize:{self.ring_mb * 100}", "-b", "files:10"]
        return command


def inject(capture: Path, keys: Path) -> Path:
    """A copy of a capture that holds its own keys. Raises CaptureError."""
    program = shutil.which("editcap")
    if program is None:
        raise CaptureError("Putting keys into a capture needs editcap, a part of Wireshark.")
    whole = capture.with_name(f"{capture.stem}-with-keys.pcapng")
    command: Sequence[str] = [program, "--inject-secrets", f"tls,{keys}", str(capture), str(whole)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise CaptureError(f"editcap failed: {done.stderr.strip()[-300:]}")
    whole.chmod(0o600)
    return whole


KEY_STEPS = """\
So that the packets can be read, let the browser write its keys (Firefox, Chrome and Edge of today):
  1. Close the browser completely, background processes too.
  2. Set SSLKEYLOGFILE to a file in a folder that only you can read:
       Windows   setx SSLKEYLOGFILE "%USERPROFILE%\\private\\keys.log"   (a user variable, not a system variable)
       macOS     SSLKEYLOGFILE=~/private/keys.log open -n -a "Google Chrome"
       Linux     SSLKEYLOGFILE=~/private/keys.log firefox
  3. Start the browser and sign in to the desktop.
  4. Afterwards remove the variable, and delete the file: whoever has both can read everything, passwords too.
Put capture and key log into one folder, and run `poise analyze FOLDER`."""


def certificate_steps(authority: Path) -> str:
    """How browsers come to trust the proxy's authority, and how they forget it."""
    file = authority / "mitmproxy-ca-cert.pem"
    return f"""\
The browser must trust the proxy's own authority, {file}
(made at the first start; .cer beside it for Windows). Otherwise sign-in stops at "Establishing encrypted connection".
  Firefox        Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import,
                 tick "trust this CA to identify websites".
  Chrome, Edge   Windows: certutil -user -addstore Root "{authority / "mitmproxy-ca-cert.cer"}"
                 macOS:   security add-trusted-cert -r trustRoot -k login.keychain "{file}"
                 Linux:   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n poise -i "{file}"
Then set the browser's HTTPS proxy to the address below (forward), or let it open this computer instead of the server
(reverse). Trust it on the test computer only, and remove it afterwards
(Windows: certutil -user -delstore Root mitmproxy)."""
