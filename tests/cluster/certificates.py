"""Certificates for a server on loopback and a client, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """A folder with ca.crt, server.crt, server.key and NAME.crt, NAME.key of each client."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *clients: str) -> Certificates:
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made._run("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
                  "-subj", "/CN=test-ca")  # fmt: skip
        made._sign("server", "subjectAltName=IP:127.0.0.1")
        for client in clients:
            made._sign(client, "extendedKeyUsage=clientAuth")
        return made

    def server_context(self) -> ssl.SSLContext:
        """For a server that takes clients of this CA only."""
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "ca.crt")
        )
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _sign(self, name: str, extension: str) -> None:
        self._run("req", "-newkey", "ec", *_CURVE, "-nodes", "-keyout", f"{name}.key",
                  "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
        (self.folder / "ext").write_text(extension)
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                  "-CAcreateserial", "-out", f"{name}.crt", "-days", "2",
                  "-extfile", "ext")  # fmt: skip

    def _run(self, *arguments: str) -> None:
        subprocess.run(  # noqa: S603  (our own arguments)
            ["openssl", *arguments],  # noqa: S607  (wherever it is installed)
            cwd=self.folder,
            check=True,
            capture_output=True,
        )


_CURVE = ("-pkeyopt", "ec_paramgen_curve:P-256")
_KEY = ("-newkey", "ec", *_CURVE, "-nodes")
