"""The command `personalize-local`: starts, stops and shows a local cloud."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import CloudProcess, StartError, is_healthy, start
from personalize_local.cloud.registry import Registry, default_log_path, state_directory
from personalize_local.cloud.settings import DEFAULT_PORT, CloudSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A local AWS with Amazon Personalize in it: real CloudFormation, Lambda, Step Functions and trained models, "
    "on this machine, without an account.",
)
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

Port = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="TCP port on 127.0.0.1.")]


@app.command("start")
def start_command(
    port: Port = DEFAULT_PORT,
    time_scale: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Seconds that pass here for one second on AWS, in state machines' waits and in Personalize; 1 is real "
            "time.",
            show_default="fast: waits take a hundredth, Personalize milliseconds",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIRECTORY",
            file_okay=False,
            help="Keep everything in this directory, so that it survives a restart.",
            show_default="nothing is kept",
        ),
    ] = None,
    only_personalize: Annotated[
        bool,
        typer.Option("--only-personalize", help="Only Personalize and S3, without the rest of AWS."),
    ] = False,
    enforce_iam: Annotated[
        bool,
        typer.Option(
            "--enforce-iam", help="Roles of functions and state machines, and bucket policies, must allow it."
        ),
    ] = False,
    quota: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER",
            help="A quota, such as dataset_groups=20; can be given more than once.",
            show_default="those of AWS",
        ),
    ] = None,
    limit_rates: Annotated[
        bool, typer.Option("--limit-rates", help="Limit the requests in a second, as AWS does.")
    ] = False,
    seed: Annotated[int, typer.Option(help="What training derives from.")] = 0,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when it answers, and let it run.")] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="File to log to.", show_default=f"{state_directory()}/<port>.log"),
    ] = None,
) -> None:
    """Start a local cloud; Ctrl-C ends it, unless it is detached."""
    settings = CloudSettings(
        port=port,
        time_scale=time_scale,
        data=str(data.absolute()) if data else None,
        only_personalize=only_personalize,
        enforce_iam=enforce_iam,
        quotas=dict(map(_quota, quota or ())),
        limit_rates=limit_rates,
        seed=seed,
        exit_with_parent=not detach,
    )
    try:
        cloud = start(settings, (log_file or default_log_path(port)).absolute())
    except StartError as error:
        _err.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from None
    registry = Registry(state_directory())
    if detach:
        registry.add(cloud)
        _print_how_to_use(cloud)
        _out.print(f"Stop it with: personalize-local stop --port {port}")
        return
    raise typer.Exit(_run_until_stopped(cloud, registry))


@app.command()
def stop(port: Port = DEFAULT_PORT) -> None:
    """Stop a local cloud and every process that it started."""
    registry = Registry(state_directory())
    cloud = registry.find(port)
    if cloud is None:
        _err.print(f"[red]no local cloud that you started runs on port {port}[/red]")
        raise typer.Exit(1)
    cloud.stop()
    registry.remove(port)
    _out.print(f"stopped the local cloud on port {port}")


@app.command()
def status(port: Port = DEFAULT_PORT) -> None:
    """Show whether a local cloud runs; exit code 1 if it does not."""
    cloud = Registry(state_directory()).find(port)
    if cloud is None or not is_healthy(port):
        state = "does not answer" if cloud else "does not run"
        _out.print(f"the local cloud on port {port} {state}")
        raise typer.Exit(1)
    local = LocalCloud(port)
    told = local.status()
    resources = ", ".join(f"{count} {kind}" for kind, count in sorted(told["resources"].items()))
    for name, value in (
        ("endpoint", local.endpoint_url),
        ("process", str(cloud.pid)),
        ("log", str(cloud.log_path)),
        # Personalize tells its own folder in the directory that was given to `start`
        ("data", str(Path(told["data"]).parent) if told["data"] else "kept in memory only"),
        ("time scale", str(told["time_scale"])),
        ("resources", resources or "none"),
        ("calls", str(told["calls"])),
    ):
        _out.print(f"{name:<10}  {value}")


def _quota(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or not number.isdecimal():
        raise typer.BadParameter(f"a quota is NAME=NUMBER, such as dataset_groups=20, got {text!r}")
    return name, int(number)


def _run_until_stopped(cloud: CloudProcess, registry: Registry) -> int:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGHUP, interrupt)
        registry.add(cloud)
        _print_how_to_use(cloud)
        _out.print("Ctrl-C stops it.")
        cloud.wait()
    except KeyboardInterrupt:
        _out.print("stopping")
        return 0
    finally:
        cloud.stop()
        if registry.find(cloud.port) is None:
            registry.remove(cloud.port)
    _err.print(f"[red]the local cloud ended; see {cloud.log_path}[/red]")
    return 1


def _print_how_to_use(cloud: CloudProcess) -> None:
    local = LocalCloud(cloud.port, cloud.log_path)
    _out.print(f"[green]The local cloud answers on {local.endpoint_url}[/green], log: {cloud.log_path}")
    _out.print("AWS CLI, boto3 and the CDK CLI use it in a shell with:")
    for name, value in local.environment.items():
        _out.print(f"  export {name}={value}")
    _out.print("or one client in Python with:")
    _out.print(
        f'  boto3.client("personalize", endpoint_url="{local.endpoint_url}", region_name="us-east-1",\n'
        '               aws_access_key_id="test", aws_secret_access_key="test")'
    )


if __name__ == "__main__":
    app()
