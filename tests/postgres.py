"""A real PostgreSQL server for the tests: started on loopback, stopped after."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    return (found[0] if found else Path(str(on_path))).parent


@contextmanager
def server() -> Iterator[str]:
    """Start a server with an empty database and yield its SQLAlchemy address."""
    programs = binaries()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        data = base / "data"
        as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            base.chmod(0o755)
            data.mkdir()
            shutil.chown(data, "postgres", "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        subprocess.run(
            [*as_user, programs / "initdb", "-D", data, "-U", "la", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd="/",
        )
        running = subprocess.Popen(
            [
                *as_user,
                programs / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                f"unix_socket_directories={data}",
                "-c",
                "fsync=off",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        try:
            ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
            for _ in range(600):
                if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.1)
            else:
                raise TimeoutError("PostgreSQL did not begin to answer within a minute")
            yield f"postgresql+psycopg://la:secret@127.0.0.1:{port}/postgres"
        finally:
            running.terminate()
            running.wait(timeout=300)
