"""A real IMAP server, Dovecot of the system, run by an ordinary user with files of its own, as a context manager."""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.waiting import wait_until

USER, PASSWORD = "me@example.org", "canary-of-the-mailbox"
PROGRAM = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail:LAYOUT=fs
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    special_use = \\Junk
    auto = create
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """The server; ``port`` takes STARTTLS, ``tls_port`` TLS from the start. ``certificate`` is what signed itself."""

    def __init__(self) -> None:
        # Short, since the names of sockets have little room, and where an ordinary user gets to.
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot", dir="/tmp"))
        self.certificate = self.folder / "cert.pem"
        self.port, self.tls_port = _free_ports()

    def __enter__(self) -> Self:
        who = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        _make_certificate(self.folder)
        group = subprocess.run(["id", "-gn", who.pw_name], capture_output=True, text=True, check=True).stdout.strip()
        names = {"user": who.pw_name, "group": group, "password": PASSWORD}
        config = self.folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port, tls_port=self.tls_port, **names))
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, who.pw_uid, who.pw_gid)
        self._ids = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        self.start()
        return self

    def start(self) -> None:
        """Start the server; returns when it takes connections."""
        assert PROGRAM is not None
        command = [PROGRAM, "-F", "-c", str(self.folder / "dovecot.conf")]
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=said, **self._ids)  # type: ignore[call-overload]
        wait_until(self._answers, seconds=60)

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(30)

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "said").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            return connection.recv(4) == b"* OK"
        return False

    @contextlib.contextmanager
    def mailbox(self) -> Iterator[imaplib.IMAP4]:
        """Give a connection of the owner of the mailbox."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=60) as imap:
            imap.login(USER, PASSWORD)
            yield imap

    def append(self, message: bytes, folder: str = "INBOX") -> None:
        """Put a message into a folder, which is made if it is not there."""
        with self.mailbox() as imap:
            imap.create(folder)  # refused where it is there
            kind, said = imap.append(folder, "", "", message)
            assert kind == "OK", said

    def renumber(self, folder: str = "") -> None:
        """Lose the numbers of a folder (empty: INBOX): it gets another UIDVALIDITY, and its messages other UIDs."""
        self.stop()
        for path in (self.folder / "mail" / folder).glob("dovecot*"):
            path.unlink()
        self.start()


def _free_ports() -> tuple[int, int]:
    """Return two ports that nobody has, below those that connections get by themselves: they stay free meanwhile."""
    found: list[int] = []
    while len(found) < 2:
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", random.randrange(12_000, 30_000)))
            found.append(one.getsockname()[1])
    return found[0], found[1]


def _make_certificate(folder: Path) -> None:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    others = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(days=1))
    made = made.not_valid_after(now + dt.timedelta(days=2))
    made = made.add_extension(x509.SubjectAlternativeName(others), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
