"""The process that serves a local cloud: `python -m personalize_local.cloud.server '<settings as JSON>'`.

Start it through `personalize_local.cloud.process`, which prepares its environment: ministack reads the environment when
it is imported.
"""

import asyncio
import logging
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from personalize_local.cloud.process import REFUSED
from personalize_local.cloud.settings import HOST, CloudSettings

_logger = logging.getLogger("personalize_local.cloud")


def main(settings: CloudSettings) -> None:
    """Serve until a signal, or the end of the parent process, ends it."""
    from personalize_local.personalize import Personalize, StoreError

    logging.getLogger("botocore").setLevel(logging.WARNING)
    try:
        service = Personalize(
            **(_alone() if settings.only_personalize else _among_others()),
            settings=_service_settings(settings),
            log=logging.getLogger("personalize"),
        )
    except (StoreError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)
    if settings.exit_with_parent:
        threading.Thread(target=_end_with_parent, args=(settings, service), daemon=True).start()
    asyncio.run(_serve(settings, service, _application(settings, service)))


def _service_settings(settings: CloudSettings) -> Any:
    from personalize_local.personalize import Fault, Settings

    return Settings(
        time_scale=Settings.time_scale if settings.time_scale is None else settings.time_scale,
        quotas=settings.quotas,
        limit_rates=settings.limit_rates,
        seed=settings.seed,
        fail=tuple(Fault.from_json(fault) for fault in settings.fail),
        data=Path(settings.data) / "personalize" if settings.data else None,
    )


def _alone() -> dict[str, Any]:
    """What Personalize works with where there is only S3 besides: every role may do everything."""
    from personalize_local.cloud.adapter import keeping
    from personalize_local.cloud.adapter.objects import EmulatorObjectStore

    keeping.load_buckets()
    return {"objects": EmulatorObjectStore()}


def _among_others() -> dict[str, Any]:
    """What Personalize works with where there is all of the AWS emulator."""
    from personalize_local.cloud.adapter.metrics import EmulatorMetrics
    from personalize_local.cloud.adapter.objects import EmulatorObjectStore
    from personalize_local.cloud.adapter.permissions import PermissionCheck

    return {"objects": EmulatorObjectStore(), "authorize": PermissionCheck(), "metrics": EmulatorMetrics()}


def _application(settings: CloudSettings, service: Any) -> Any:
    if settings.only_personalize:
        from personalize_local.cloud.adapter import keeping
        from personalize_local.cloud.standalone import Standalone

        keeping.register()
        return Standalone(service)
    from ministack.app import app

    from personalize_local.cloud.adapter.install import install

    install(service)
    return _over_tls(app) if settings.enforce_iam else app


def _over_tls(application: Any) -> Any:
    """Let requests pass as encrypted ones: policies demand TLS, which nobody needs on a loopback address."""

    async def encrypted(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "scheme": "https"} if scope["type"] == "http" else scope, receive, send)

    return encrypted


async def _serve(settings: CloudSettings, service: Any, application: Any) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"{HOST}:{settings.port}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, settings, service)
    await serve(application, config, shutdown_trigger=asyncio.Event().wait)


def _end_with_parent(settings: CloudSettings, service: Any) -> None:
    sys.stdin.buffer.read()
    _end(settings, service)


def _end(settings: CloudSettings, service: Any) -> None:
    """End this process and every Lambda function and worker of it at once.

    What is to be kept is kept first; an orderly end beyond that would wait for custom resources that hang.
    """
    try:
        service.close()
        if settings.data:
            from personalize_local.cloud.adapter import keeping

            keeping.save()
    except Exception:
        _logger.exception("closing the local cloud")
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(CloudSettings.from_json(sys.argv[1]))
