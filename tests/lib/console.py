"""The console on a terminal of its own: the real binary below pexpect, the screen as pyte has it."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pexpect
import pyte

from appliance import BUILD

KEYS = {"enter": "\r", "esc": "\x1b", "up": "\x1b[A", "down": "\x1b[B", "f1": "\x1bOP", "ctrl-c": "\x03",
        "ctrl-z": "\x1a", "ctrl-g": "\x07", "tab": "\t", "backtab": "\x1b[Z", "ctrl-s": "\x13", "ctrl-u": "\x15",
        "ctrl-r": "\x12", "ctrl-o": "\x0f", "ctrl-t": "\x14", "space": " "}


SYNCHRONIZED = 2026 << 5  # as pyte keeps a private mode


class Screen(pyte.Screen):
    """Answers what a terminal answers: CSI 5n is how the console learns that a frame was shown."""

    answer = None
    last = " "

    @property
    def drawing(self):
        """In the middle of a frame: what is on the screen is of two."""
        return SYNCHRONIZED in self.mode

    # What pyte does not know: REP, SU and SD.
    def draw(self, data):
        self.last = data[-1:] or self.last
        super().draw(data)

    def repeat(self, count=1):
        super().draw(self.last * (count or 1))

    def scroll_up(self, count=1):
        self.scroll(lambda: self.delete_lines(count or 1))

    def scroll_down(self, count=1):
        self.scroll(lambda: self.insert_lines(count or 1))

    def scroll(self, how):
        x, y = self.cursor.x, self.cursor.y
        self.cursor.y = self.margins.top if self.margins else 0
        how()
        self.cursor.x, self.cursor.y = x, y

    def write_process_input(self, data):
        if self.answer:
            self.answer(data)


class Stream(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "S": "scroll_up", "T": "scroll_down", "b": "repeat"}
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down", "repeat"}


def become(user):
    """Another account of this host, in the child before the program starts."""
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def state_of(pid):
    """What a process is doing, as far as the system tells: for a test that failed."""
    said = []
    for what in ("wchan", "syscall", "stack"):
        try:
            said.append(f"{what}: {pathlib.Path(f'/proc/{pid}/{what}').read_text().strip()}")
        except OSError as e:
            said.append(f"{what}: {e.strerror}")
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        said += [line for line in status.splitlines() if line.startswith(("State", "SigPnd", "SigBlk"))]
        if shutil.which("gdb"):
            said.append(subprocess.run(["gdb", "-p", str(pid), "-batch", "-ex", "thread apply all bt"], stdin=subprocess.DEVNULL,
                                       capture_output=True, text=True, timeout=20).stdout[-3000:])
    except (OSError, subprocess.TimeoutExpired) as e:
        said.append(str(e))
    return "\n".join(said)


class Console:
    def __init__(self, socket, width=80, height=24, args=(), term="xterm-256color", mute=False, user=None, command=None,
                 keep=False,
                 **env):
        drafts = pathlib.Path(socket).parent.parent / "state"  # the same as the appliance's cli() has
        if not keep:  # what an earlier session left
            shutil.rmtree(drafts / "nameserve" / "console", ignore_errors=True)
        self.own = pathlib.Path(tempfile.mkdtemp(prefix="ns-console-"))  # for a trace that nobody else asked for
        self.own.chmod(0o777)
        environment = {**os.environ, "XDG_STATE_HOME": str(drafts), "LC_ALL": "C.UTF-8", "NO_COLOR": "",
                       "NS_UI_TRACE": str(self.own / "trace"), **env, "TERM": term}
        self.trace = pathlib.Path(environment["NS_UI_TRACE"])
        self.screen = Screen(width, height)
        self.stream = Stream(self.screen)
        self.raw = b""
        self.started = time.monotonic()
        words = [str(w) for w in command or [BUILD / "bin" / "nameserve", "--socket", socket, *args]]
        self.child = pexpect.spawn(words[0], words[1:], env=environment, dimensions=(height, width), echo=False, timeout=5,
                                   preexec_fn=None if user is None else lambda: become(user))
        self.child.delaybeforesend = None
        self.child.ptyproc.delayafterterminate = 5  # on a loaded machine it takes its time to die
        if not mute:
            self.screen.answer = self.child.send

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("\n".join(self.lines()), repr(self.raw[-2000:]), state_of(self.child.pid), self.traced(), sep="\n----\n")
        self.close()

    def close(self):
        self.child.close(force=True)
        shutil.rmtree(self.own, ignore_errors=True)

    def traced(self, lines=20):
        """The last frames: what was typed last, and when it was shown."""
        try:
            return "\n".join(self.trace.read_text().splitlines()[-lines:])
        except (OSError, UnicodeDecodeError) as e:
            return f"no trace: {e}"

    def read(self, seconds=0.05):
        """What is there, at most what comes within so many seconds; False: the program has ended."""
        try:
            data = self.child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self.stream.feed(data)
        return True

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait(self, what, seconds=30):
        """Until the screen has this text, or what() holds; the seconds it took."""
        start = time.monotonic()
        holds = what if callable(what) else lambda: what in self.text()
        while self.screen.drawing or not holds():
            assert time.monotonic() - start < seconds, f"not on the screen in {seconds} s: {what}\n{self.text()}"
            assert self.read(), f"the console ended; wanted {what}\n{self.text()}"
        return time.monotonic() - start

    def press(self, *keys):
        for key in keys:
            self.child.send(KEYS.get(key, key))

    def resize(self, width, height):
        self.screen.resize(height, width)
        self.child.setwinsize(height, width)

    def cursor_row(self):
        return next((line for line in self.lines() if line.startswith(">")), "")

    def ended(self, seconds=30):
        """The exit code, once it has ended by itself."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read():
            pass
        self.child.wait()
        return self.child.exitstatus


class SlowConsole(Console):
    """Behind a link that carries so many octets a second, and takes in whatever comes meanwhile, as ssh does. A liar
    answers for what has not been shown yet."""

    def __init__(self, socket, rate=3000, liar=False, **more):
        self.queue, self.rate, self.liar, self.largest = b"", rate, liar, 0
        self.fed_at = time.monotonic()
        super().__init__(socket, **more)
        if liar:
            self.screen.answer = None

    def read(self, seconds=0.02):
        try:
            data = self.child.read_nonblocking(1 << 20, timeout=seconds)
        except pexpect.TIMEOUT:
            data = b""
        except pexpect.EOF:
            return False
        self.raw += data
        if self.liar:
            for _ in range(data.count(b"\x1b[5n")):
                self.child.send("\x1b[0n")
        self.queue += data
        self.largest = max(self.largest, len(self.queue))
        now = time.monotonic()
        if (n := int((now - self.fed_at) * self.rate)) > 0 or not self.queue:
            self.fed_at = now
            self.stream.feed(self.queue[:n])
            self.queue = self.queue[n:]
        return True


def trace_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def hear(c):
    """A dialog that is on the screen is deaf for 150 ms more at most."""
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        c.read(0.05)


def answer(c, key):
    c.wait("y yes")
    hear(c)
    c.press(key)
    c.wait(lambda: "y yes" not in c.text())


def both(one, other, what, asks, seconds=60):
    """Two consoles go on until it holds; one of them asks anew now and then instead of waiting its quarter of a minute."""
    end, again = time.monotonic() + seconds, 0
    while not what():
        assert time.monotonic() < end, f"{one.text()}\n----\n{other.text()}"
        if time.monotonic() > again:
            asks.press("r")
            again = time.monotonic() + 0.7
        one.read()
        other.read()
