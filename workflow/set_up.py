"""Make .venv from nothing, from the lock file, and only when it is needed.

Runs on the standard library alone, and is written so that an old Python can still read it and say
what is wrong. A stamp in .venv holds the checksums of what it was made from; a mark that stands
there while the set-up works tells the next run that it was broken off.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "foedus-ready")
MARK = os.path.join(VENV, "foedus-setting-up")
LOCK = "requirements.lock"
MADE_FROM = (LOCK, "pyproject.toml")
OLDEST = (3, 11)
CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3.14")


def say(text):
    """Tell the user what is being done."""
    print("set-up: " + text, file=sys.stderr, flush=True)


def stop(text):
    """End with one paragraph."""
    print("set-up: error: " + text, file=sys.stderr, flush=True)
    raise SystemExit(1)


def venv_python():
    """Return the path of the environment's own Python."""
    if os.name == "nt":
        return os.path.join(VENV, "Scripts", "python.exe")
    return os.path.join(VENV, "bin", "python")


def fingerprint():
    """Return what the environment is made from, as text; another text means to make it again."""
    lines = ["place " + ROOT]
    for name in MADE_FROM:
        with open(os.path.join(ROOT, name), "rb") as handle:
            lines.append(name + " " + hashlib.sha256(handle.read()).hexdigest())
    return "\n".join(lines) + "\n"


def read(path):
    """Return the text of a file, or None when there is none."""
    try:
        with open(path) as handle:
            return handle.read()
    except OSError:
        return None


def find_python():
    """Return a Python of at least 3.11: the one that runs this, else one found on the PATH.

    In an activated .venv it is the one that the .venv was made with, as .venv itself may go.
    """
    if sys.version_info >= OLDEST:
        return getattr(sys, "_base_executable", None) or sys.executable
    for name in CANDIDATES:
        path = shutil.which(name)
        if path:
            return path
    stop(
        f"Python 3.11 or newer is needed and {sys.executable} is {platform.python_version()}. "
        "Install a newer one (python.org, your system's packages, or conda) and run "
        "`make PYTHON=/path/to/python3.11 ...`."
    )


def run(command, doing):
    """Run one step; stop with its output in view when it fails."""
    # Settings of the surrounding shell must not lead pip into another environment.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
    }
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    code = subprocess.call(command, cwd=ROOT, env=environment)
    if code != 0:
        stop(
            f"{doing} failed (exit {code}; the lines above say why). Nothing counts as set up: "
            "mend the cause and run make again."
        )


def works(python):
    """Say whether an environment's Python starts and has pip."""
    try:
        code = subprocess.call(
            [python, "-m", "pip", "--version"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return code == 0


def make_venv():
    """Make an empty environment, unless a sound one stands there."""
    if os.path.exists(MARK):
        say("an earlier set-up was broken off; starting again from nothing")
        shutil.rmtree(VENV)
    elif os.path.isdir(VENV) and not works(venv_python()):
        say(".venv is damaged; starting again from nothing")
        shutil.rmtree(VENV)
    if not os.path.isdir(VENV):
        python = find_python()
        say(f"making .venv with {python}")
        run([python, "-m", "venv", VENV], "making .venv")


def install():
    """Install the locked packages, then foedus itself in place."""
    pip = [venv_python(), "-m", "pip", "install", "-qq", "--progress-bar", "off"]
    say(f"installing the packages of {LOCK}, each checked by its hash (a few minutes)")
    run([*pip, "--require-hashes", "-r", LOCK], "installing the locked packages")
    say("installing foedus in place")
    run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], "installing foedus")
    # Compiled once here: where PYTHONDONTWRITEBYTECODE is set, every command would compile anew.
    run([venv_python(), "-m", "compileall", "-q", "src/foedus"], "compiling foedus")
    run([venv_python(), "-c", "import foedus.cli"], "starting foedus")
    # So is what every large model needs: or the first study would wait for it.
    passes = "import foedus.models.passes, foedus.models.grouped"
    run([venv_python(), "-c", passes], "compiling the passes over rows")


def main():
    """Set up if need be."""
    wanted = fingerprint()
    if not os.path.exists(MARK) and read(STAMP) == wanted and os.path.exists(venv_python()):
        return
    began = time.time()
    say("needed, because " + reason())
    make_venv()
    with open(MARK, "w") as handle:
        handle.write("removed when the set-up is done\n")
    if os.path.exists(STAMP):
        os.remove(STAMP)
    install()
    with open(STAMP, "w") as handle:
        handle.write(wanted)
    os.remove(MARK)
    say(f"done in {time.time() - began:.0f} s")


def reason():
    """Return why the environment is made, in words."""
    if not os.path.isdir(VENV):
        return "there is no .venv yet"
    if os.path.exists(MARK):
        return "the last set-up did not end"
    if read(STAMP) is None:
        return ".venv was not made by this set-up"
    return f"{LOCK}, pyproject.toml or the folder changed"


if __name__ == "__main__":
    main()
