"""The real CDK CLI of node_modules, pointed at one endpoint."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .errors import DemoError
from .processes import Processes

ROOT = Path(__file__).resolve().parent.parent
CLI = ROOT / "node_modules" / ".bin" / "cdk"

# Banners and calls home; errors and warnings of the CLI stay in its output.
_QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "true",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
}
# The app's own exception tells more than the CLI, which only knows that the app failed.
_REASONS = (re.compile(r"[\w.]*(Error|Exception): "), re.compile(r"❌"), re.compile(r"error", re.IGNORECASE))
_OPTIONS = ("--no-notices", "--no-color", "--ci")


class Command:
    """A CDK command that runs.

    :param title: the command as a person would type it
    """

    def __init__(self, title: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.title = title
        self._process = process
        self._log = log

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self) -> None:
        """Wait for its end.

        :raises DemoError: when it failed
        """
        if self._process.wait():
            raise DemoError(
                f"`{self.title}` failed ({_reason(self._log)}): its whole output is in {self._log.relative_to(ROOT)}."
            )


class Toolkit:
    """Synthesizes the app once and deploys its stacks.

    :param processes: where commands are started
    :param environment: the environment of the commands, with endpoint and credentials
    :param work: folder for the cloud assembly, outputs and logs
    """

    def __init__(self, processes: Processes, environment: Mapping[str, str], work: Path) -> None:
        self._processes = processes
        self._environment = {**environment, **_QUIET}
        self._work = work
        self._assembly = work / "cdk.out"

    def synth(self) -> Command:
        """Synthesize app.py into the work folder."""
        app = f'"{sys.executable}" app.py'
        return self._start("synth", "--quiet", "--app", app, "--output", str(self._assembly))

    def bootstrap(self, account: str, region: str) -> Command:
        """Prepare an account and Region for deployments."""
        # An app of its own: without one the CLI would run the app of cdk.json to find the environments.
        return self._start("bootstrap", f"aws://{account}/{region}", "--app", "")

    def deploy(self, stack: str) -> Command:
        """Deploy one stack of the synthesized app.

        :param stack: its name
        """
        return self._start(
            "deploy",
            stack,
            *("--exclusively", "--require-approval", "never", "--progress", "events"),
            *("--app", str(self._assembly), "--outputs-file", str(self._outputs_file(stack))),
        )

    def outputs(self, stack: str) -> Mapping[str, str]:
        """The outputs of a deployed stack by name."""
        outputs: dict[str, str] = json.loads(self._outputs_file(stack).read_text(encoding="utf-8"))[stack]
        return outputs

    def _outputs_file(self, stack: str) -> Path:
        return self._work / f"{stack}.outputs.json"

    def _start(self, command: str, *arguments: str) -> Command:
        names = [argument for argument in arguments[:1] if not argument.startswith("-")]
        log = self._work / f"{'-'.join(['cdk', command, *(name for name in names if name.isalnum())])}.log"
        process = self._processes.start(
            [str(CLI), command, *arguments, *_OPTIONS], cwd=ROOT, env=self._environment, log=log
        )
        return Command(" ".join(["cdk", command, *names]), process, log)


def _reason(log: Path) -> str:
    """What the CLI says about a failure, short enough for a sentence."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    told = next(
        (found for pattern in _REASONS if (found := [line for line in lines if pattern.match(line)])), lines[-1:]
    )
    return told[0].lstrip("❌ ")[:600].rstrip(".:") if told else "it gave no reason"
