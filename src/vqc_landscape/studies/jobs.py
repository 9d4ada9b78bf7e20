"""What every job of the workflow does around its work: progress on the terminal and in a log, plain errors."""

from __future__ import annotations

import inspect
import io
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from vqc_landscape.config import parse_sections
from vqc_landscape.simulator.threads import n_threads
from vqc_landscape.training.interrupt import TrainingStopped
from vqc_landscape.training.progress import ProgressLines

PACKAGE_LOGGER = logging.getLogger("vqc_landscape")
RESUME_ME = 75  # EX_TEMPFAIL of sysexits.h: not done, do it again


@contextmanager
def job(title: str, log: str) -> Iterator[Progress]:
    """Send the package's messages to the terminal, each line with the job's title, and to its log file.

    Args:
        title: what runs, e.g. ``"qnn seed 0, training"``.
        log: the log file, written anew.

    Yields:
        A text stream whose lines are messages, too.

    Raises:
        SystemExit: 1, the work failed; the terminal has the reason in one line, the log the traceback. 75, it was
            asked to stop or interrupted; run again, a training goes on where it was.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    terminal, file = logging.StreamHandler(), logging.FileHandler(log, mode="w", encoding="utf-8")
    terminal.setFormatter(_OneLine(f"{title}: %(message)s"))
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    PACKAGE_LOGGER.setLevel(logging.DEBUG)
    terminal.setLevel(logging.INFO)
    for handler in (terminal, file):
        PACKAGE_LOGGER.addHandler(handler)
    try:
        PACKAGE_LOGGER.debug("threads: %d", n_threads())  # for the log file
        yield Progress()
        PACKAGE_LOGGER.info("done")
    except TrainingStopped as stopped:
        PACKAGE_LOGGER.warning("%s Run it again to go on.", stopped)
        raise SystemExit(RESUME_ME) from None
    except KeyboardInterrupt:
        PACKAGE_LOGGER.warning("Interrupted. Run it again.")
        raise SystemExit(RESUME_ME) from None
    except Exception as error:
        PACKAGE_LOGGER.exception("%s: %s", type(error).__name__, error)
        raise SystemExit(1) from None
    finally:
        for handler in (terminal, file):
            PACKAGE_LOGGER.removeHandler(handler)
            handler.close()


def run_step(title: str, log: str, params: Mapping[str, Any], inputs: Mapping[str, Any], output: str) -> None:
    """Call the function of a step with its sections of the configuration, its files, and what else its rule says.

    Args:
        title: as for :func:`job`.
        log: as for :func:`job`.
        params: of the rule. ``step`` is the name of the function, below the package; ``settings`` are the sections as
            plain data; ``version`` is there for Snakemake alone; all others are arguments of the function.
        inputs: files by name. Files and sections that the function does not ask for decide when it runs again.
        output: the file that it writes.

    Raises:
        SystemExit: as :func:`job`.
    """
    given = {name: value for name, value in params.items() if name not in ("step", "settings", "version")}
    with job(title, log) as progress:
        module, _, name = params["step"].rpartition(".")
        function = getattr(import_module(f"vqc_landscape.{module}"), name)
        asked = inspect.signature(function).parameters
        offered = parse_sections(params["settings"]) | dict(inputs.items())
        given |= {key: value for key, value in offered.items() if key in asked}
        if "dataset" in asked:
            given.setdefault("dataset", None)
        if "report" in asked:
            given["report"] = ProgressLines(progress)
        function(**given, output=output)


def pass_on_sigterm() -> None:
    """Let SIGTERM reach the jobs of this process, too, from the Snakemake that calls this on.

    By itself Snakemake only starts no more of them, and waits: for hours, if one of them trains. A job that trains
    saves its last whole epoch and ends. For the main thread only, as signals are.
    """
    import psutil

    before = signal.getsignal(signal.SIGTERM)

    def pass_on(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)
        for job in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                job.terminate()

    signal.signal(signal.SIGTERM, pass_on)


class Progress(io.TextIOBase):
    """A text stream that logs each line that is printed to it."""

    def write(self, text: str) -> int:
        """Log ``text``, if it is more than the end of a line."""
        if text.strip():
            PACKAGE_LOGGER.info(text.rstrip())
        return len(text)


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        self_contained = logging.makeLogRecord(record.__dict__ | {"exc_info": None, "exc_text": None})
        return super().format(self_contained)
