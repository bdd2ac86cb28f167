"""`python -m demo`: from three CSV files to recommendations, on a local cloud."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from personalize_local.cloud.client import LocalCloud
from personalize_local.cloud.process import CloudProcess, PortInUseError, StartError, start
from personalize_local.cloud.settings import ACCOUNT, DEFAULT_PORT, REGION, CloudSettings

from . import comparison, movielens, report
from .display import follow, step
from .errors import DemoError
from .following import Run
from .processes import Interrupted, Processes, interruptible, uninterrupted
from .recommending import Shop
from .toolkit import ROOT, Toolkit
from .viewer import another_genre, choose_viewer, popular_unseen

DATA_STACK = "FilmsData"
RECOMMENDER_STACK = "FilmsRecommender"
#: the folders that the stacks read from
FOLDERS = {name: f"films/{name}/" for name in ("interactions", "items", "users")}

CACHE = ROOT / ".cache"
WORK = CACHE / "demo"

WATCHED_SHOWN = 8
RECOMMENDED = 10
WATCHED_NEXT = 3

#: where there is no terminal to ask, as in a pipe
_WIDTH_OF_FILES = 100


def main(
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port of the local cloud.")] = DEFAULT_PORT,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
) -> None:
    """Deploy the app of films to a local cloud, train on MovieLens 100K, and print recommendations for a viewer."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_OF_FILES)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with interruptible():
            Demo(console, port).run(keep=keep)
    except DemoError as error:
        errors.print(Text(f"Error: {error}", style="red"))
        raise typer.Exit(1) from None
    except (BotoCoreError, ClientError) as error:
        errors.print(
            Text(f"Error: the local cloud refused a call ({error}); its log is in {_shown(WORK)}.", style="red")
        )
        raise typer.Exit(1) from None
    except Interrupted as signal:
        errors.print(f"Interrupted ({signal}): everything that was started has been stopped.")
        raise typer.Exit(128 + signal.number) from None


class Demo:
    """One demonstration.

    :param console: where it prints
    :param port: TCP port of its local cloud
    """

    def __init__(self, console: Console, port: int) -> None:
        self._console = console
        self._cloud = LocalCloud(port, WORK / "local-cloud.log")
        self._processes = Processes()
        self._toolkit = Toolkit(self._processes, environment(self._cloud), WORK)

    def run(self, *, keep: bool) -> None:
        """Do all of it, and stop whatever was started.

        :param keep: whether to stay up until Ctrl-C
        :raises DemoError: when it cannot go on
        """
        begin = time.monotonic()
        cloud: CloudProcess | None = None
        try:
            cloud = self._start()
            with step(self._console, "Reading MovieLens 100K", movielens.CREDIT):
                data = movielens.load(CACHE / "movielens")
            outputs = self._deploy(data)
            self._show(data, outputs)
            self._console.print(f"Done in {time.monotonic() - begin:.0f} s.")
            if keep:
                self._stay(cloud, outputs)
        finally:
            with uninterrupted():
                self._processes.close()
                if cloud is not None:
                    cloud.stop()

    def _start(self) -> CloudProcess:
        with step(self._console, "Starting the local cloud", f"local cloud on {self._cloud.endpoint_url}"):
            settings = CloudSettings(port=self._cloud.port, exit_with_parent=True)
            try:
                return start(settings, self._cloud.log_path or WORK / "local-cloud.log")
            except PortInUseError:
                raise DemoError(
                    f"port {self._cloud.port} is in use: stop what uses it, or choose another port, such as"
                    f" `make demo PORT={self._cloud.port + 1}`."
                ) from None
            except StartError as error:
                raise DemoError(f"{error}.") from None

    def _deploy(self, data: movielens.MovieLens) -> Mapping[str, str]:
        toolkit = self._toolkit
        with step(self._console, "cdk synth, cdk bootstrap", "cdk synth, cdk bootstrap"):
            for command in (toolkit.synth(), toolkit.bootstrap(ACCOUNT, REGION)):
                command.wait()
        with step(self._console, f"cdk deploy {DATA_STACK}", f"cdk deploy {DATA_STACK}"):
            toolkit.deploy(DATA_STACK).wait()
        files = data.csv_files()
        with step(self._console, "Uploading", f"{len(files)} CSV files, {sum(map(len, files.values())):,} bytes"):
            bucket = toolkit.outputs(DATA_STACK)["BucketName"]
            for name, content in files.items():
                self._cloud.client("s3").put_object(Bucket=bucket, Key=f"{FOLDERS[name]}{name}.csv", Body=content)
        with step(self._console, f"cdk deploy {RECOMMENDER_STACK}", f"cdk deploy {RECOMMENDER_STACK}"):
            toolkit.deploy(RECOMMENDER_STACK).wait()
        outputs = toolkit.outputs(RECOMMENDER_STACK)
        self._console.print("  The deployment has started a run of the workflow:")
        follow(self._console, Run(self._cloud.client, outputs))
        return outputs

    def _show(self, data: movielens.MovieLens, outputs: Mapping[str, str]) -> None:
        console = self._console
        console.print()
        measured = comparison.compare(data)
        report.print_metrics(console, self._reported_metrics(outputs), measured["model"], measured["popularity"])

        user_id = choose_viewer(data)
        shop = Shop(self._cloud.client, outputs, user_id)
        seen = {rating.film_id for rating in data.watched[user_id]}
        report.print_viewer(console, data, user_id, data.watched[user_id][:WATCHED_SHOWN])
        first = shop.recommend(RECOMMENDED)
        report.print_recommendations(console, data, "Recommended", first, seen=seen)

        genre = another_genre(data, user_id)
        films = popular_unseen(data, user_id, genre, WATCHED_NEXT)
        shop.watch(films)
        seen |= {film.film_id for film in films}
        told = f"The viewer now watches {', '.join(map(str, films))}: {len(films)} PutEvents, genre {genre}.\n"
        console.print(told, markup=False)
        then = shop.recommend_changed(first)
        report.print_recommendations(console, data, "Recommended after these events", then, seen=seen, before=first)

        unseen = shop.recommend(RECOMMENDED, unseen=True)
        title = "The same with the filter: films seen before are left out"
        report.print_recommendations(console, data, title, unseen, seen=seen, before=then)

    def _reported_metrics(self, outputs: Mapping[str, str]) -> Mapping[str, float]:
        personalize = self._cloud.client("personalize")
        campaign = personalize.describe_campaign(campaignArn=outputs["CampaignArn"])["campaign"]
        metrics: Mapping[str, float] = personalize.get_solution_metrics(
            solutionVersionArn=campaign["solutionVersionArn"]
        )["metrics"]
        return metrics

    def _stay(self, cloud: CloudProcess, outputs: Mapping[str, str]) -> None:
        print_how_to_use(self._console, self._cloud, outputs)
        try:
            while cloud.is_alive():
                time.sleep(0.5)
        except Interrupted as signal:
            if signal.number != SIGINT:
                raise
            self._console.print("Stopping.")
            return
        raise DemoError(f"the local cloud ended by itself; its log is {self._cloud.log_path}.")


def environment(cloud: LocalCloud) -> dict[str, str]:
    """The environment of commands that use a local cloud: nothing of the user's AWS settings reaches them."""
    return {
        **cloud.subprocess_environment,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def print_how_to_use(console: Console, cloud: LocalCloud, outputs: Mapping[str, str]) -> None:
    """Print how other programs reach a local cloud."""
    console.print("\n[bold]The local cloud stays up until Ctrl-C.[/bold] In another shell:\n")
    for name, value in cloud.environment.items():
        console.print(f"  export {name}={value}", soft_wrap=True)
    console.print(
        f"\n  aws personalize-runtime get-recommendations --user-id 1 --campaign-arn {outputs['CampaignArn']}"
        f"\n\nor in Python, with these variables or without them:\n"
        f"\n  import boto3"
        f'\n  runtime = boto3.client("personalize-runtime", endpoint_url="{cloud.endpoint_url}",'
        f' region_name="{REGION}",'
        f'\n                         aws_access_key_id="test", aws_secret_access_key="test")'
        f'\n  runtime.get_recommendations(campaignArn="{outputs["CampaignArn"]}", userId="1")'
        f"\n\nIts log is {_shown(cloud.log_path)}; `make local` again starts afresh.",
        markup=False,
        soft_wrap=True,
    )


def _shown(path: Path | None) -> str:
    return str(path.relative_to(ROOT)) if path else "not kept"


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(main)
    sys.exit(app(prog_name="python -m demo"))
