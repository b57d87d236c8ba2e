"""Puts the server and all it needs into `bundled/libs`, as the packed extension carries them.

Pure Python goes to `pure`; what is compiled goes to one folder for each CPython (`cp311`, …) given as an argument,
by default that of the Python that runs this.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LIBS = HERE / "bundled" / "libs"
NEEDLESS = ("bin", "share", "tests", "test", "__pycache__")


def main(versions: list[str]) -> None:
    """Bundle for some versions of CPython, given as `3.12`."""
    shutil.rmtree(LIBS, ignore_errors=True)
    pure = LIBS / "pure"
    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            install(version, Path(folder))
            own = LIBS / f"cp{version.replace('.', '')}"
            for package in sorted(Path(folder).iterdir()):
                if package.name in NEEDLESS:
                    continue
                compiled = package.is_dir() and any(p.suffix in {".so", ".pyd"} for p in package.rglob("*"))
                target = (own if compiled or package.suffix in {".so", ".pyd"} else pure) / package.name
                if not target.exists():
                    put(package, target)


def put(package: Path, target: Path) -> None:
    """Copy a package or a single module."""
    if package.is_dir():
        shutil.copytree(package, target, ignore=shutil.ignore_patterns(*NEEDLESS))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(package, target)


def install(version: str, target: Path) -> None:
    """Install Charter and what it needs for a version of CPython into a folder."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    only = [] if version == running else ["--python-version", version, "--only-binary", ":all:"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(target)]
    if only:
        # pip builds nothing for another version: Charter's own wheel is made first.
        with tempfile.TemporaryDirectory() as wheels:
            build = [
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "--quiet",
                "--no-deps",
                "-w",
                wheels,
                str(HERE.parents[1]),
            ]
            subprocess.run(build, check=True)
            (wheel,) = Path(wheels).glob("*.whl")
            subprocess.run([*pip, *only, str(wheel)], check=True)
    else:
        subprocess.run([*pip, str(HERE.parents[1])], check=True)


if __name__ == "__main__":
    main(sys.argv[1:] or [f"{sys.version_info.major}.{sys.version_info.minor}"])
