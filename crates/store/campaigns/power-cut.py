#!/usr/bin/env python3
"""Cuts the power of a file system under a writing store, again and again.

Needs root, ext4 and loop devices. The file system is shut down in the middle of everything (EXT4_IOC_SHUTDOWN without
flushing its log), mounted again and looked through: whatever the store had acknowledged must be there. What the disk's
own cache may lose is not modelled.

    cargo test -p orderkeep-store --no-run          # prints the path of the test program
    campaigns/power-cut.py PROGRAM [CUTS]

To see that it would notice, let it run once on a program built without the `sync_data` in src/kv/sled/mod.rs.
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading

SHUTDOWN = 0x8004587D
WITHOUT_LOG_FLUSH = 2
CUTS_PER_FILE_SYSTEM = 5
CHILD = ["--exact", "process::child", "--nocapture"]


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def environment(role, folder):
    return dict(os.environ, ORDERKEEP_STORE_CHILD=role, ORDERKEEP_STORE_FOLDER=folder)


def cut(program, image, mount, generation, lines):
    """Lets the store write for a while and cuts; adds what it acknowledged to `lines`."""
    run("mount", "-o", "loop", image, mount)
    folder = os.path.join(mount, "store")
    child = subprocess.Popen(
        [program, *CHILD],
        env=environment(str(generation), folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wanted = random.randrange(2000)
    handle = os.open(mount, os.O_RDONLY)

    def shut():
        fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))

    seen = 0
    late = threading.Timer(10, shut)
    late.start()
    for line in child.stdout:
        text = line.decode(errors="replace")
        if "child: " in text:
            lines.append(text.split("child: ", 1)[1].rstrip("\n"))
            seen += 1
            if seen == wanted:
                break
    shut()
    late.cancel()
    child.kill()
    for line in child.stdout:
        text = line.decode(errors="replace")
        if "child: " in text and text.endswith(".\n"):
            lines.append(text.split("child: ", 1)[1].rstrip("\n"))
    child.wait()
    os.close(handle)
    run("umount", mount)


def look(program, image, mount, lines):
    run("mount", "-o", "loop", image, mount)
    found = subprocess.run(
        [program, *CHILD],
        env=environment("look", os.path.join(mount, "store")),
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
    )
    run("umount", mount)
    return found.returncode == 0 and "steps are there" in found.stdout, found.stderr


def main():
    program, cuts = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
    lost = steps = 0
    with tempfile.TemporaryDirectory() as work:
        image, mount = os.path.join(work, "image"), os.path.join(work, "mount")
        os.mkdir(mount)
        lines = []
        for generation in range(1, cuts + 1):
            if generation % CUTS_PER_FILE_SYSTEM == 1:
                run("rm", "-f", image)
                run("truncate", "-s", "512M", image)
                run("mkfs.ext4", "-q", "-F", image)
                lines = []
            before = len(lines)
            cut(program, image, mount, generation, lines)
            steps += sum(line.startswith("done") for line in lines[before:])
            whole, why = look(program, image, mount, lines)
            if not whole:
                lost += 1
                print(f"cut {generation}: {why.strip()[:600]}")
                run("rm", "-f", image)
                run("truncate", "-s", "512M", image)
                run("mkfs.ext4", "-q", "-F", image)
                lines = []
    print(f"{cuts} cuts, {steps} acknowledged steps, {lost} cuts with losses")
    sys.exit(1 if lost else 0)


main()
