"""Addresses of an MLflow store: what is one, where its file is, and what is refused before the work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from riskmodel.errors import ModelError, RiskmodelError, readable, without_secrets
from riskmodel.training.store import Store


@pytest.mark.parametrize(
    "tracking",
    [
        "http://server:5000",
        "https://la:secret@server/mlflow",
        "sqlite:///mlflow.db",
        "sqlite:////srv/mlflow.db",
        "sqlite+pysqlite:///mlflow.db",
        "postgresql://la@server/mlflow",
        "postgresql+psycopg://la:secret@server:5432/mlflow",
        "mysql+pymysql://server/mlflow",
        "mssql+pyodbc://server/mlflow",
    ],
)
def test_addresses_of_servers_and_databases_are_taken(tracking: str) -> None:
    assert Store(tracking).tracking == tracking
    assert "secret" not in repr(Store(tracking))


@pytest.mark.parametrize(
    "tracking",
    [
        "",
        "mlflow.db",
        "sqlite",
        "sqlite:mlflow.db",
        "file:///srv/mlruns",
        "ftp://server",
        "s3://bucket/models",
        "oracle://server/mlflow",
        "://server",
        "postgresql://la@server:port/mlflow",
    ],
)
def test_what_is_no_address_is_refused_with_the_way_to_write_one(tracking: str) -> None:
    with pytest.raises(
        ModelError, match="no address of an MLflow store. Write it as sqlite:///FILE"
    ):
        Store(tracking)


@pytest.mark.parametrize(
    "tracking",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?cache=shared",
        "sqlite:///file:x?mode=memory&cache=shared",
    ],
)
def test_a_store_in_memory_is_refused_as_it_would_be_gone(tracking: str) -> None:
    with pytest.raises(
        ModelError, match="is in memory and gone when the command ends. Name a file"
    ):
        Store(tracking)


@pytest.mark.parametrize(
    ("tracking", "name"),
    [
        ("sqlite:///mlflow.db", "mlflow.db"),
        ("sqlite:///a/b/mlflow.db", "a/b/mlflow.db"),
        ("sqlite:///file:mlflow.db?uri=true", "mlflow.db"),
        ("http://server:5000", None),
        ("postgresql://server/mlflow", None),
    ],
)
def test_only_an_embedded_store_has_a_file(
    tracking: str, name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Store(tracking).file == (None if name is None else tmp_path / name)


@pytest.mark.parametrize(
    "location", ["s3://bucket/models", "mlflow-artifacts:/1", "http://server/artifacts"]
)
def test_a_folder_elsewhere_is_not_looked_at(location: str) -> None:
    Store("http://server").check_folder(location)


@pytest.mark.parametrize("inside", ["", "new", "new/deeper"])
def test_a_folder_that_can_be_made_is_taken(inside: str, tmp_path: Path) -> None:
    Store("sqlite:///mlflow.db").check_folder((tmp_path / inside).as_uri())
    assert list(tmp_path.iterdir()) == []  # looked at, and not made


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_file_in_the_place_of_the_folder_is_named(inside: str, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelError, match=r"models is not a folder that you may write to. Move it"):
        Store("sqlite:///mlflow.db").check_folder((tmp_path / "models" / inside).as_uri())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_folder_that_may_not_be_written_is_named(inside: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(mode=0o500)
    with pytest.raises(ModelError, match="is not a folder that you may write to"):
        Store("sqlite:///mlflow.db").check_folder((folder / inside).as_uri())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide", "nothing to hide"),
        ("http://la:5/pw@server", "http://***@server"),  # a password may hold a slash
        ("http://la:pw@server", "http://***@server"),
        ("http://token@server", "http://***@server"),
        ("postgresql://:pw@server/x", "postgresql://***@server/x"),
        ("a http://u:p@one and http://u:p@two", "a http://***@one and http://***@two"),
        ("db://server/x?password=secret", "db://server/x?password=***"),
        ("db://server/x?sslpassword=secret&a=1", "db://server/x?sslpassword=***&a=1"),
        ("db://server/x;PWD=secret;a=1", "db://server/x;PWD=***;a=1"),
        ("db://server/x?access_token=abc", "db://server/x?access_token=***"),
        ("mail la@council.gov.uk", "mail la@council.gov.uk"),
    ],
)
def test_who_signs_on_is_hidden_in_every_address(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert str(RiskmodelError(text)) == shown
    assert without_secrets(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\nlines"),
        ("tab\there", "tab�here"),
        ("bell\x07 and \x1b[31mred", "bell� and �[31mred"),
        ("right\u202eleft", "right�left"),
        ("Ünïcode – café", "Ünïcode – café"),
        ("", ""),
    ],
)
def test_a_message_can_do_nothing_to_a_terminal(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize("length", [5_999, 6_000, 6_001, 100_000])
def test_a_long_message_keeps_its_two_ends(length: int) -> None:
    text = "a" * (length - 3) + "end"
    shown = readable(text)
    assert shown.endswith("end")
    assert len(shown) == (length if length <= 6_000 else 6_003)
    assert (" … " in shown) == (length > 6_000)
