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
from typing import Any

from personalize_local.cloud.settings import HOST, CloudSettings

_logger = logging.getLogger("personalize_local.cloud")


def main(settings: CloudSettings) -> None:
    """Serve until a signal, or the end of the parent process, ends it."""
    from personalize_local.cloud.adapter import EmulatorObjectStore, PermissionCheck, install
    from personalize_local.personalize import Personalize, Settings

    logging.getLogger("botocore").setLevel(logging.WARNING)
    service = Personalize(
        objects=EmulatorObjectStore(),
        authorize=PermissionCheck(),
        settings=Settings() if settings.time_scale is None else Settings(time_scale=settings.time_scale),
        log=logging.getLogger("personalize"),
    )
    install(service)
    if settings.exit_with_parent:
        threading.Thread(target=_end_with_parent, args=(service,), daemon=True).start()
    asyncio.run(_serve(settings.port, service))


async def _serve(port: int, service: Any) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, service)
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


def _end_with_parent(service: Any) -> None:
    sys.stdin.buffer.read()
    _end(service)


def _end(service: Any) -> None:
    """End this process and every Lambda function and worker of it at once.

    Nothing is persisted, so nothing is lost; an orderly end would wait for custom resources that hang.
    """
    try:
        service.close()
    except Exception:
        _logger.exception("closing the Personalize emulator")
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(CloudSettings.from_json(sys.argv[1]))
