"""The text in the clipboard, by a program that the desktop has; kb needs no library for it."""

import shutil
import subprocess

from kb.problems.errors import ProblemError

#: Wayland, X11 (two of them), macOS, Windows (and Windows from within WSL).
COMMANDS = (
    ("wl-paste", "--no-newline"),
    ("xclip", "-selection", "clipboard", "-o"),
    ("xsel", "--clipboard", "--output"),
    ("pbpaste",),
    ("powershell.exe", "-NoProfile", "-Command", "Get-Clipboard -Raw"),
)
#: An X11 program waits for the owner of the selection, who may be gone.
TIMEOUT_S = 5.0
ELSE = "save the text to a file and name it with --from, or pipe it into kb problem new --from -"


def read_clipboard() -> str:
    """The text in the clipboard.

    Raises:
        ProblemError: no program for it is installed, none can reach a desktop, or there is no text.
    """
    installed = [command for command in COMMANDS if shutil.which(command[0])]
    if not installed:
        names = ", ".join(command[0] for command in COMMANDS)
        raise ProblemError(f"no program that reads the clipboard is installed ({names}): {ELSE}")
    failures = []
    for command in installed:
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            failures.append(f"{command[0]}: {type(error).__name__}")
            continue
        if done.returncode == 0:
            if text := done.stdout.decode("utf-8", "replace").strip():
                return text
            raise ProblemError(f"the clipboard has no text: copy the traceback first, or {ELSE}")
        reason = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        failures.append(f"{command[0]}: {reason or f'exit code {done.returncode}'}")
    raise ProblemError(f"the clipboard cannot be read ({'; '.join(failures)}): {ELSE}")
