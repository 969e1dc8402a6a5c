"""The launcher: starts one container's process in its own mount namespace; an isolated interpreter runs this file.

It reads the launch specification (JSON) from one inherited descriptor, and writes the reason of a failure to another.
It imports only the standard library, because each container waits for it to start.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import stat
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
# Flags that a user namespace must keep on an inherited mount: nosuid, nodev, noexec.
LOCKED_FLAGS = 2 | 4 | 8
START_ERROR = 128
LIBC = ctypes.CDLL(None, use_errno=True)


class MountNamespace:
    """The private mount namespace of this process."""

    def __init__(self) -> None:
        """Enter the namespace, and without root a user namespace too; raise OSError if this fails."""
        uid, gid = os.geteuid(), os.getegid()
        _raise_on_failure(LIBC.unshare(CLONE_NEWNS if uid == 0 else CLONE_NEWNS | CLONE_NEWUSER), "unshare")
        if uid != 0:
            _write_text("/proc/self/setgroups", "deny")
            _write_text("/proc/self/uid_map", f"{uid} {uid} 1")
            _write_text("/proc/self/gid_map", f"{gid} {gid} 1")
        _mount("none", "/", None, MS_REC | MS_PRIVATE)
        self._own_devices: set[int] = set()
        self._mounted: list[str] = []

    def replace_root_if_needed(self, targets: list[str], staging: str) -> None:
        """Replace the root if a target is in a top-level directory that does not exist.

        A mount cannot cover the root of a process, so the root is rebuilt at `staging` and entered. This comes first,
        because a later mount can hide `staging`.
        """
        if all(os.path.lexists("/" + target.split("/")[1]) for target in targets):
            return
        self._cover_with_copy("/", staging)
        os.chroot(staging)
        os.chdir("/")

    def bind_mount(self, source: str, target: str, *, read_only: bool) -> None:
        """Mount the file or directory `source` at `target`, which need not exist on the machine."""
        target = os.path.realpath(target)
        self.create_path(target, is_file=not os.path.isdir(source))
        _mount(source, target, None, MS_BIND | MS_REC)
        if read_only:
            locked = os.statvfs(target).f_flag & LOCKED_FLAGS
            _mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | locked)
        self._mounted.append(target)

    def create_path(self, target: str, *, is_file: bool) -> None:
        """Create a path inside the namespace only; nothing is created on the machine."""
        if os.path.lexists(target):
            return
        ancestor = os.path.dirname(target)
        while not os.path.isdir(ancestor):
            ancestor = os.path.dirname(ancestor)
        if not self._is_private(ancestor):
            self._cover_with_copy(ancestor, ancestor)
        os.makedirs(target if not is_file else os.path.dirname(target), exist_ok=True)
        if is_file:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o666))

    def _is_private(self, directory: str) -> bool:
        if os.stat(directory).st_dev in self._own_devices:
            return True
        return any(directory == one or directory.startswith(one + "/") for one in self._mounted)

    def _cover_with_copy(self, directory: str, place: str) -> None:
        """Mount a private, writable directory at `place` that shows the entries of `directory`."""
        found = os.stat(directory)
        options = f"mode={stat.S_IMODE(found.st_mode):o}"
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        _mount("tmpfs", place, "tmpfs", 0, options)
        self._own_devices.add(os.stat(place).st_dev)
        for name in os.listdir(descriptor):
            _copy_entry(f"/proc/self/fd/{descriptor}/{name}", f"{place}/{name}")
        os.close(descriptor)


def _copy_entry(source: str, target: str) -> None:
    try:
        found = os.lstat(source)
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(source), target)
            return
        if stat.S_ISDIR(found.st_mode):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o666))
        _mount(source, target, None, MS_BIND | MS_REC)
    except FileNotFoundError:
        # Entries of /tmp and /run can vanish after they are listed.
        return


def _raise_on_failure(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = LIBC.mount(
        source.encode() if source else None,
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        options.encode() if options else None,
    )
    if result != 0 and ctypes.get_errno() == 2:
        raise FileNotFoundError(2, f"mount {source} at {target}: no such file or directory")
    _raise_on_failure(result, f"mount {source} at {target}")


def _write_text(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def start_command(launch_spec: dict[str, Any]) -> None:
    """Mount the volumes of the launch specification and become its command; raise OSError if this fails."""
    namespace = MountNamespace()
    mounts = sorted(launch_spec["mounts"], key=lambda each: str(each["target"]).count("/"))
    # Open all sources first, because a mount (for example over /tmp) can hide the source of a later mount.
    sources = [os.open(mount["source"], os.O_PATH) for mount in mounts]
    namespace.replace_root_if_needed(
        [launch_spec["directory"], *(mount["target"] for mount in mounts)], launch_spec["staging"]
    )
    for mount, source in zip(mounts, sources, strict=True):
        namespace.bind_mount(f"/proc/self/fd/{source}", mount["target"], read_only=mount["read_only"])
        os.close(source)
    namespace.create_path(os.path.realpath(launch_spec["directory"]), is_file=False)
    os.chdir(launch_spec["directory"])
    # The interpreter ignores these signals, and the program would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    command = launch_spec["command"]
    try:
        os.execvpe(command[0], command, launch_spec["environment"])  # noqa: S606
    except OSError as error:
        raise OSError(error.errno, f'exec: "{command[0]}": {os.strerror(error.errno or 0)}') from error


def main() -> None:
    """Run the specification in descriptor argv[1]; on failure, write the reason to argv[2] and exit with code 128."""
    spec_descriptor, failure_descriptor = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(failure_descriptor, False)
    with os.fdopen(spec_descriptor, "rb") as file:
        launch_spec = json.load(file)
    try:
        start_command(launch_spec)
    except OSError as error:
        os.write(failure_descriptor, str(error.strerror or error).encode())
        sys.exit(START_ERROR)


if __name__ == "__main__":
    main()
