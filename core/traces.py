"""Stack traces of Python, Go, Rust, Java, .NET and Node: the exception and the own frame. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_MAX_FRAME_CHARS = 500

_JAVA_FRAME = re.compile(r"\s+at (?:[\w.\-@]+//?)*([\w.$<>]+)\(")
_NODE_FRAME = re.compile(
    r"\s+at (?:async )?(?:new )?([\w.<>$\[\] ]+?) \(?(?:file://)?([^()\s]+):\d+:\d+\)?"
)
_DOTNET_FRAME = re.compile(r"\s+at ([\w.`<>\[\]]+)\([^)]*\)(?: in |$)")
_PYTHON_FRAME = re.compile(r"\s+File \"([^\"]+)\", line \d+, in (\S+)")
_GO_FRAME = re.compile(r"((?:[\w\-]+(?:\.[\w\-]+)*/)*[\w\-]+(?:\.\(?\*?\w+\)?)+)\((?:.*)\)$")
_RUST_PANIC = re.compile(r"thread '[^']*' (?:\(\d+\) )?panicked at (?:'[^']*', )?([\w./\-]+):\d+")
_CLASS = re.compile(
    r"^(?:Caused by: |Uncaught |Unhandled exception\.? ?|Exception in thread \"[^\"]*\" )*"
    r"((?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*)(?::|$)"
)
_JAVA_FOREIGN = (
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "jakarta.", "kotlin.", "kotlinx.", "scala.",
    "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.postgresql.",
    "io.netty.", "io.grpc.", "io.micrometer.", "reactor.", "com.zaxxer.", "com.mysql.",
    "com.fasterxml.", "com.google.", "okhttp3.", "redis.clients.", "com.mongodb.", "ch.qos.",
    "feign.", "net.bytebuddy.", "akka.", "groovy.", "clojure.",
)  # fmt: skip
_PYTHON_FOREIGN = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen|<string>")
_NODE_FOREIGN = re.compile(r"node_modules|^node:|^internal/")
_GO_FOREIGN = re.compile(r"^(?:runtime|panic|testing|net/http|reflect|sync|created by)\b|^panic$")
_DOTNET_FOREIGN = ("System.", "Microsoft.")


def trace_template(message: str, mask_line: Callable[[str], str]) -> str:
    """Class and own frame of a trace, or '' where there is no trace.

    Args:
        message: All lines of it.
        mask_line: Takes the variables out of a message that stands for a class.
    """
    lines = [line[:_MAX_FRAME_CHARS] for line in message.split("\n")]
    return (
        _python_trace(lines)
        or _go_trace(lines, mask_line)
        or _rust_trace(lines, mask_line)
        or _at_trace(lines)
    )


def _python_trace(lines: list[str]) -> str:
    if not any(line.startswith("Traceback (most") for line in lines):
        return ""
    frames, name = [], ""
    for line in lines:
        if match := _PYTHON_FRAME.match(line):
            frames.append((match[1], match[2]))
        elif frames and line[:1] not in {" ", "\t", ""} and (match := _CLASS.match(line)):
            # Of chained exceptions the last one was the one nobody caught.
            name = match[1]
    own = [frame for frame in frames if not _PYTHON_FOREIGN.search(frame[0])] or frames
    # The most recent call stands last.
    return _joined(name, f"{_tail(own[-1][0])}:{own[-1][1]}" if own else "")


def _go_trace(lines: list[str], mask_line: Callable[[str], str]) -> str:
    start = next((n for n, line in enumerate(lines) if line.startswith("goroutine ")), None)
    if start is None:
        return ""
    head = next((line for line in lines if "panic: " in line or "fatal error: " in line), lines[0])
    name = mask_line(re.sub(r"\[recovered\].*", "", head))
    for line in lines[start + 1 :]:
        match = _GO_FRAME.match(line)
        if match and not _GO_FOREIGN.match(match[1]):
            return _joined(name, match[1])
    return name


def _rust_trace(lines: list[str], mask_line: Callable[[str], str]) -> str:
    for number, line in enumerate(lines):
        if match := _RUST_PANIC.search(line):
            rest = lines[number + 1] if number + 1 < len(lines) else ""
            return _joined("panic: " + mask_line(rest), _tail(match[1]))
    return ""


def _at_trace(lines: list[str]) -> str:
    """Java, .NET and Node: "Class: message", then lines of "at"."""
    name, frame, foreign = "", "", ""
    has_frames = False
    for line in lines:
        if not line[:1].isspace():
            match = _CLASS.match(line)
            # The root cause is told last; a frame found for an earlier class stays.
            if match and (not name or line.startswith("Caused by: ")) and _is_class(match[1]):
                name = match[1]
            continue
        found, is_own = _at_frame(line)
        if found:
            has_frames = True
            if is_own and not frame:
                frame = found
            foreign = foreign or found
    return _joined(name, frame or foreign) if has_frames else ""


def _at_frame(line: str) -> tuple[str, bool]:
    if match := _NODE_FRAME.match(line):
        is_own = not _NODE_FOREIGN.search(match[2])
        return f"{_tail(match[2])}:{match[1].strip()}", is_own
    if match := _JAVA_FRAME.match(line) or _DOTNET_FRAME.match(line):
        name = re.sub(r"\$\$?[\w$]*\d[\w$]*", "", match[1])
        return name, not name.startswith(_JAVA_FOREIGN + _DOTNET_FOREIGN)
    return "", False


def _is_class(name: str) -> bool:
    return "." in name or name[:1].isupper()


def _tail(path: str) -> str:
    """The last two parts of a path: where it is installed does not matter."""
    return "/".join(re.split(r"[\\/]", path)[-2:])


def _joined(name: str, frame: str) -> str:
    return f"{name} at {frame}" if name and frame else name or frame
