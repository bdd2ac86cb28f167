"""Keeps everything in a directory, so that it survives a restart, however the process ended.

Records and rows that came one by one are in a SQLite database; what was imported and what was trained are ``.npz``
files beside it, written before the database names them. Nothing is pickled.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any
from weakref import WeakKeyDictionary

import numpy as np

from .attribution import Tally
from .contents import DatasetContents, new_contents
from .impressions import ImpressionsFile
from .packing import pack, unpack
from .recommenders import Model, load
from .resources import KINDS
from .serving import TrainedVersion
from .state import Progress, Record, Scope, State, Update, Way

FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, arn TEXT UNIQUE, kind TEXT, document TEXT);
CREATE TABLE IF NOT EXISTS files (arn TEXT PRIMARY KEY, file TEXT, holds TEXT, document TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (arn TEXT PRIMARY KEY, document TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, arn TEXT, row TEXT);
CREATE INDEX IF NOT EXISTS rows_by_arn ON rows (arn);
"""
_UPSERT_RECORD = (
    "INSERT INTO records (arn, kind, document) VALUES (?, ?, ?) "
    "ON CONFLICT (arn) DO UPDATE SET document = excluded.document"
)
_BULK_FILES, _MODEL_FILES = "bulk", "models"
#: version and file of a dataset that nothing was imported into
_NO_FILE = (0, "")


class StoreError(ValueError):
    """The directory cannot be used; the text says why, in one line."""


class Store:
    """The directory of one service.

    A method that takes the state needs its lock to be held, unless it says otherwise.

    :param directory: made if it does not exist.
    :raises StoreError: if it cannot be written, is in use, or is of another format.
    """

    def __init__(self, directory: Path, log: logging.Logger) -> None:
        self._directory = directory
        self._log = log
        self._lock_file = _locked(directory)
        self._database = _opened(directory / "state.sqlite")
        self._impressions = ImpressionsFile(directory)
        self._records: dict[str, str] = {}
        self._bulk: dict[str, tuple[int, str]] = {}
        self._models: dict[str, tuple[Model, str, str]] = {}
        self._tallies: dict[str, str] = {}
        self._skipped = 0.0
        self._state: State | None = None
        self._rows: list[tuple[str, str]] = []
        self._writing = threading.Lock()
        self._ready_bulk: dict[str, tuple[int, str]] = {}
        self._ready_models: WeakKeyDictionary[Model, str] = WeakKeyDictionary()

    def load(self, state: State) -> float:
        """Fill an empty state, which is the one that is kept from now on.

        :returns: the seconds that the clock was put forward by.
        """
        self._state = state
        for arn, kind, document in self._database.execute("SELECT arn, kind, document FROM records ORDER BY number"):
            _scope_of(state, arn).add(_record(kind, arn, json.loads(document)))
            self._records[arn] = document
        for arn, *file in self._database.execute("SELECT arn, file, holds, document FROM files"):
            self._load_file(_scope_of(state, arn), arn, *file)
        for arn, row in self._database.execute("SELECT arn, row FROM rows ORDER BY number"):
            contents = self._contents(_scope_of(state, arn), arn)
            if contents is not None:
                contents.put_again(json.loads(row))
        for scope in state.scopes():
            for arn, contents in scope.datasets.items():
                contents.journal = partial(self._note, arn)
        for arn, document in self._database.execute("SELECT arn, document FROM tallies"):
            _scope_of(state, arn).tallies[arn] = Tally.from_json(json.loads(document))
            self._tallies[arn] = document
        for account, region, recommendation_id, shown in self._impressions.read():
            state.scope(account, region).impressions.remember_again(recommendation_id, shown)
        self._follow_impressions(state)
        self._remove_strangers()
        self._skipped = float(self._fact("skipped") or 0.0)
        return self._skipped

    def written(self, state: State, result: Any) -> None:
        """Write what work has made to files, before the lock is taken for it. The lock must not be held.

        :param result: of the work; the rest is found in the state.
        """
        if state is not self._state:
            return
        if isinstance(result, TrainedVersion):
            self._ready_models[result.model] = self._write_model(result.model)
        with self._writing:
            with state.lock:
                changed = {
                    arn: (contents.bulk_version, contents.arrays())
                    for scope in state.scopes()
                    for arn, contents in scope.datasets.items()
                    if contents.bulk_version not in (self._bulk.get(arn, _NO_FILE)[0], self._ready_version(arn))
                }
            for arn, (version, arrays) in changed.items():
                file = self._write_bulk(arrays)
                self._remove([self._ready_bulk.pop(arn, _NO_FILE)[1]])
                self._ready_bulk[arn] = (version, file)

    def save(self, state: State, skipped: float) -> None:
        """Write down whatever has changed.

        :param skipped: the seconds that the clock was put forward by.
        """
        if state is not self._state:
            return
        forgotten = {*self._records}
        for scope in state.scopes():
            for record in scope.records():
                forgotten.discard(record.arn)
                document = _document(record)
                if self._records.get(record.arn) != document:
                    self._database.execute(_UPSERT_RECORD, (record.arn, record.kind.name, document))
                    self._records[record.arn] = document
        for arn in forgotten:
            self._database.execute("DELETE FROM records WHERE arn = ?", (arn,))
            del self._records[arn]
        self._follow_impressions(state)
        unused = [*self._save_bulk(state), *self._save_models(state)]
        if skipped != self._skipped:
            self._database.execute("INSERT OR REPLACE INTO facts VALUES ('skipped', ?)", (repr(skipped),))
            self._skipped = skipped
        self.save_rows(state)
        self._remove(unused)

    def save_rows(self, state: State) -> None:
        """Write down the rows that came one by one, and what was counted of them."""
        if state is not self._state:
            return
        if self._rows:
            self._database.executemany("INSERT INTO rows (arn, row) VALUES (?, ?)", self._rows)
            self._rows.clear()
        self._save_tallies(state)
        if self._database.in_transaction:
            self._database.commit()

    def clear(self, state: State) -> None:
        """Forget everything, and keep another state, an empty one, from now on."""
        self._state = state
        for table in ("facts", "records", "files", "rows", "tallies"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        self._database.execute("INSERT INTO facts VALUES ('format', ?)", (str(FORMAT),))
        self._rows.clear()
        self._database.commit()
        for known in (self._records, self._bulk, self._models, self._tallies, self._ready_bulk, self._ready_models):
            known.clear()
        self._impressions.clear()
        self._skipped = 0.0
        self._remove_strangers()

    def close(self) -> None:
        """Let go of the directory."""
        self._database.close()
        self._impressions.close()
        self._lock_file.close()

    def _follow_impressions(self, state: State) -> None:
        """Have answers written down from now on; nothing answers before something was saved in its scope."""
        for scope in state.scopes():
            scope.impressions.journal = partial(self._impressions.append, scope.account, scope.region)

    def _save_bulk(self, state: State) -> Iterator[str]:
        """Name the files of what was imported; the work that has imported it has written them."""
        found = {arn: contents for scope in state.scopes() for arn, contents in scope.datasets.items()}
        for arn, contents in found.items():
            if arn not in self._bulk:
                contents.journal = partial(self._note, arn)
                self._ready_bulk.setdefault(arn, _NO_FILE)
            if arn in self._ready_bulk:
                yield self._bulk.get(arn, _NO_FILE)[1]
                self._bulk[arn] = self._ready_bulk.pop(arn)
                self._name_file(arn, self._bulk[arn][1], "dataset", "")
        for arn in [arn for arn in self._bulk if arn not in found]:
            yield self._bulk.pop(arn)[1]
            self._database.execute("DELETE FROM files WHERE arn = ?", (arn,))
            self._database.execute("DELETE FROM rows WHERE arn = ?", (arn,))
            self._rows = [row for row in self._rows if row[0] != arn]

    def _save_models(self, state: State) -> Iterator[str]:
        found = {arn: version for scope in state.scopes() for arn, version in scope.versions.items()}
        for arn, version in found.items():
            known, file, document = self._models.get(arn, (None, "", ""))
            facts = json.dumps(version.facts(), default=_plain)
            if known is version.model and document == facts:
                continue
            if known is not version.model:
                yield file
                file = self._ready_models.pop(version.model, "") or self._write_model(version.model)
            self._name_file(arn, file, "version", facts)
            self._models[arn] = (version.model, file, facts)
        for arn in [arn for arn in self._models if arn not in found]:
            yield self._models.pop(arn)[1]
            self._database.execute("DELETE FROM files WHERE arn = ?", (arn,))

    def _save_tallies(self, state: State) -> None:
        found = {arn: tally for scope in state.scopes() for arn, tally in scope.tallies.items()}
        for arn, tally in found.items():
            document = json.dumps(tally.to_json())
            if self._tallies.get(arn) != document:
                self._database.execute("INSERT OR REPLACE INTO tallies VALUES (?, ?)", (arn, document))
                self._tallies[arn] = document
        for arn in [arn for arn in self._tallies if arn not in found]:
            self._database.execute("DELETE FROM tallies WHERE arn = ?", (arn,))
            del self._tallies[arn]

    def _name_file(self, arn: str, file: str, holds: str, document: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (arn, file, holds, document))

    def _load_file(self, scope: Scope, arn: str, file: str, holds: str, document: str) -> None:
        path = self._directory / file
        if holds == "version":
            model = load(path)
            scope.versions[arn] = TrainedVersion.of(model, json.loads(document))
            self._models[arn] = (model, file, document)
            return
        contents = self._contents(scope, arn)
        if contents is None:
            return
        if file:
            with np.load(path, allow_pickle=False) as arrays:
                contents.restore(unpack(dict(arrays)))
        self._bulk[arn] = (contents.bulk_version, file)

    def _contents(self, scope: Scope, arn: str) -> DatasetContents | None:
        record = scope.find("Dataset", arn)
        if record is None:
            return None
        if arn not in scope.datasets:
            scope.datasets[arn] = new_contents(record.attributes["datasetType"])
        return scope.datasets[arn]

    def _write_bulk(self, arrays: Mapping[str, Any]) -> str:
        return self._write(_BULK_FILES, lambda path: _write_arrays(path, pack(arrays))) if arrays else ""

    def _write_model(self, model: Model) -> str:
        return self._write(_MODEL_FILES, model.save)

    def _write(self, folder: str, write: Callable[[Path], None]) -> str:
        name = f"{folder}/{uuid.uuid4().hex}.npz"
        path = self._directory / name
        path.parent.mkdir(exist_ok=True)
        write(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return name

    def _note(self, arn: str, row: list[Any]) -> None:
        self._rows.append((arn, json.dumps(row)))

    def _ready_version(self, arn: str) -> int:
        return self._ready_bulk.get(arn, _NO_FILE)[0]

    def _remove(self, files: Iterable[str]) -> None:
        for file in filter(None, files):
            (self._directory / file).unlink(missing_ok=True)

    def _remove_strangers(self) -> None:
        """Remove files of work that was not finished."""
        known = {entry[1] for entry in [*self._bulk.values(), *self._models.values()]}
        for folder in (_BULK_FILES, _MODEL_FILES):
            for path in (self._directory / folder).glob("*"):
                if f"{folder}/{path.name}" not in known:
                    path.unlink()

    def _fact(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])


def _locked(directory: Path) -> IO[bytes]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / "lock").open("wb")
    except OSError as error:
        raise StoreError(f"the data directory {directory} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StoreError(f"the data directory {directory} is in use by another local cloud; stop that first") from None
    return file


def _opened(path: Path) -> sqlite3.Connection:
    try:
        # used by one thread at a time, the one that holds the state's lock
        database = sqlite3.connect(path, check_same_thread=False)
        # what is committed survives the end of the process without waiting for the disk
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_TABLES)
        database.execute("INSERT OR IGNORE INTO facts VALUES ('format', ?)", (str(FORMAT),))
        database.commit()
        found = int(database.execute("SELECT value FROM facts WHERE name = 'format'").fetchone()[0])
    except sqlite3.Error as error:
        raise StoreError(f"the data directory {path.parent} cannot be used: {error}") from None
    if found > FORMAT:
        raise StoreError(
            f"the data directory {path.parent} has the format {found}, this personalize-local knows formats up to "
            f"{FORMAT}; install a newer one, or choose another directory"
        )
    return database


def _document(record: Record) -> str:
    update = record.update and {"attributes": record.update.attributes, "progress": _progress(record.update.progress)}
    return json.dumps(
        {
            "attributes": record.attributes,
            "progress": _progress(record.progress),
            "tags": record.tags,
            "update": update,
        },
        default=_plain,
    )


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "status": progress.status,
        "created": progress.created,
        "updated": progress.updated,
        "failure_reason": progress.failure_reason,
        "way": progress.way and vars(progress.way),
    }


def _record(kind: str, arn: str, document: Mapping[str, Any]) -> Record:
    update = document["update"]
    return Record(
        KINDS[kind],
        arn,
        document["attributes"],
        _progress_again(document["progress"]),
        document["tags"],
        update and Update(update["attributes"], _progress_again(update["progress"])),
    )


def _progress_again(document: Mapping[str, Any]) -> Progress:
    way = document["way"]
    return Progress(**{**document, "way": way and Way(**way)})


def _scope_of(state: State, arn: str) -> Scope:
    _, _, _, region, account, _ = arn.split(":", 5)
    return state.scope(account, region)


def _write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _plain(value: Any) -> Any:
    """Give mappings and numbers of other libraries to JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{value!r} cannot be kept in a data directory")
