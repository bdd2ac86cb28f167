"""The service: takes calls, in the process or over HTTP, and answers them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

from .admin import ADMIN_ACTIONS
from .api import operation_model, rest_operations
from .calls import CallLog
from .engine import Context, Engine
from .errors import ServiceError, not_emulated
from .faults import Faults
from .lifecycle import CALL, Lifecycle
from .metrics import Metrics
from .objects import Authorize, ObjectStore
from .operations import OPERATIONS
from .protocol import HttpResponse, decode, encode, encode_error, service_of
from .quotas import Quotas
from .rates import Rates
from .resumption import resume
from .settings import Settings
from .state import State, missing
from .store import Store
from .validation import check_request, shape_response
from .worker import Trainer

_LOG = logging.getLogger("personalize_local")

#: operations that change no resource, and those that only add rows
_READ = ("Describe", "Get", "List")
_PUT = "Put"


class Personalize:
    """Amazon Personalize, its runtime and its events, for any number of accounts and Regions.

    Every method may be called from any thread.

    :param objects: where imports read from.
    :param authorize: decides whether a role may read there. Default: - every role may.
    :param metrics: where metric attributions report to. Default: - nowhere but to S3.
    :param settings: Default: - those of ``Settings()``.
    :param log: what the API does not tell: where a file is wrong, why a training died. Default: - the logger
        ``personalize_local``.
    :raises StoreError: if the settings name a data directory that cannot be used.
    """

    def __init__(
        self,
        *,
        objects: ObjectStore,
        authorize: Authorize | None = None,
        metrics: Metrics | None = None,
        settings: Settings | None = None,
        log: logging.Logger = _LOG,
    ) -> None:
        self._objects = objects
        self._authorize = authorize
        self._metrics = metrics
        self._settings = settings or Settings()
        self._log = log
        self._store = Store(self._settings.data, log) if self._settings.data else None
        self._engine = self._new_engine()
        if self._store:
            with self._engine.state.lock:
                self._engine.lifecycle.skipped = self._store.load(self._engine.state)
                resume(self._engine)
                self._engine.save()

    @property
    def calls(self) -> CallLog:
        """The calls that were made, newest last."""
        return self._engine.calls

    @property
    def faults(self) -> Faults:
        """The faults that are still to happen."""
        return self._engine.faults

    def call(
        self, service: str, operation: str, parameters: Mapping[str, Any], *, account: str, region: str
    ) -> dict[str, Any]:
        """Run one operation.

        :param service: ``personalize``, ``personalize-runtime`` or ``personalize-events``.
        :param operation: such as ``CreateDatasetGroup``.
        :param parameters: by the API's member names.
        :returns: the answer's members; times are Unix time in seconds.
        :raises ServiceError: as the service would.
        """
        engine = self._engine
        error = None
        try:
            return _run(engine, service, operation, parameters, account=account, region=region)
        except ServiceError as raised:
            error = raised.code
            raise
        finally:
            engine.calls.add(service, operation, parameters, account=account, region=region, error=error)

    def handle_http(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, account: str, region: str
    ) -> HttpResponse:
        """Answer one HTTP request, in the protocol that it is in.

        :returns: status, headers and body.
        """
        service = (service_of(method, path, headers) or ("personalize", ""))[0]
        status, answered, body = self._answer(service, method, path, headers, body, account=account, region=region)
        return status, {**answered, "Date": formatdate(self._engine.lifecycle.today, usegmt=True)}, body

    def _answer(
        self,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        account: str,
        region: str,
    ) -> HttpResponse:
        try:
            request = decode(method, path, headers, body)
            answer = self.call(request.service, request.operation, request.parameters, account=account, region=region)
            return encode(request.service, request.operation, answer)
        except ServiceError as error:
            return encode_error(service, error)
        except Exception:
            self._log.exception("a request went wrong: %s %s", method, path)
            message = "An internal error occurred. See the log of personalize-local."
            return encode_error(service, ServiceError("InternalFailure", message, 500))

    def answers_at_once(self, method: str, path: str) -> bool:
        """Tell whether ``handle_http`` will take a few milliseconds at most, so that it needs no thread of its own.

        Requests for recommendations wait for nothing; handing them to threads takes longer than answering them, as
        threads that compute get in each other's way.
        """
        route = rest_operations().get((method, path))
        return route is not None and route[0] == "personalize-runtime" and not self.faults

    def admin(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the API cannot: look at the calls, let something fail, let time pass, forget everything.

        :param action: ``calls``, ``forget_calls``, ``fail``, ``faults``, ``forget_faults``, ``advance``,
            ``datasets``, ``status`` or ``reset``.
        :param parameters: ``calls`` takes ``operation`` and ``since``; ``fail`` takes the members of ``Fault``;
            ``advance`` takes the ``seconds`` of AWS time that shall have passed, as far as statuses are concerned.
        :raises ValueError: for another action, or other parameters.
        """
        if action == "reset":
            self.reset()
            return {}
        if action not in ADMIN_ACTIONS:
            raise ValueError(f"the action must be one of {', '.join([*ADMIN_ACTIONS, 'reset'])}, got {action!r}")
        return ADMIN_ACTIONS[action](self._engine, parameters)

    def reset(self) -> None:
        """Forget everything."""
        old = self._engine
        _close(old)
        with old.state.lock:
            self._engine = self._new_engine()
            if self._store:
                self._store.clear(self._engine.state)

    def close(self) -> None:
        """End all threads and processes, and let go of the data directory."""
        _close(self._engine)
        if self._store:
            with self._engine.state.lock:
                self._store.close()

    def _new_engine(self) -> Engine:
        state, store = State(), self._store
        lifecycle = Lifecycle(state.lock, self._settings.time_scale, self._log)
        if store:
            lifecycle.on_work(lambda result: store.written(state, result))
            lifecycle.on_change(lambda: store.save(state, lifecycle.skipped))
        return Engine(
            settings=self._settings,
            quotas=Quotas(self._settings.quotas),
            rates=Rates(self._settings.quotas, every=self._settings.limit_rates),
            state=state,
            lifecycle=lifecycle,
            faults=Faults(self._settings.fail),
            calls=CallLog(self._settings.remembered_calls),
            trainer=Trainer(self._log.getChild("training")),
            objects=self._objects,
            authorize=self._authorize,
            metrics=self._metrics,
            log=self._log,
            store=store,
        )


def _run(
    engine: Engine, service: str, name: str, parameters: Mapping[str, Any], *, account: str, region: str
) -> dict[str, Any]:
    model = operation_model(service, name)
    if model is None:
        raise ServiceError("UnknownOperationException", f"There is no operation {service}:{name}", 404)
    operation = OPERATIONS.get((service, name))
    if operation is None:
        raise not_emulated(service, name)
    request = check_request(model.input_shape, parameters)
    scope = engine.state.scope(account, region)
    if engine.rates:
        with engine.state.lock:
            engine.rates.take(service, name, request, scope)
    fault = engine.faults.strike(name, request)
    if name.startswith("Describe") and (unseen := engine.faults.unseen(request)):
        raise missing(name.removeprefix("Describe"), unseen)
    context = Context(engine, scope, name, fault.failure_reason if fault else None)
    if not operation.locked:
        return shape_response(model.output_shape, operation.run(context, request))
    with engine.state.lock, _being_answered(service, name, request):
        # shaped with the lock held, since answers may share what is in the state
        answer = shape_response(model.output_shape, operation.run(context, request))
        if name.startswith("List"):
            return engine.faults.seen(answer)
        if fault and fault.stale_seconds:
            engine.faults.hide(answer, fault.stale_seconds)
        if engine.store and name.startswith(_PUT):
            engine.store.save_rows(engine.state)
        elif not name.startswith(_READ):
            engine.save()
        return answer


@contextmanager
def _being_answered(service: str, name: str, request: Mapping[str, Any]) -> Iterator[None]:
    token = CALL.set((service, name, request))
    try:
        yield
    finally:
        CALL.reset(token)


def _close(engine: Engine) -> None:
    engine.lifecycle.close()
    engine.trainer.close()
