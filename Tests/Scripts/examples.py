#!/usr/bin/env python3
"""Runs the commands that pages show, and compares what they print with what the pages say.

    examples.py FOLDER PAGE...

FOLDER has the files that the examples name. The rules:

- Of a manual page, each literal display in EXAMPLES that begins with "$ " is one session. It runs in a copy of
  FOLDER, in which the files that it makes (-o FILE, without --force) are not there yet.
- Of a Markdown page, all blocks that begin with "$ " are one session. It runs where the page lies.
- "$ " begins a command. A line that ends in "&&", "|" or "\\" goes on in the next one.
- What follows is what the command prints, first on standard output, then on standard error. A line "..." stands for
  any lines. If nothing follows, the output is not compared, but the command has to end with status 0.
- MASKS: what is different in each run, or on each machine.
- STAND_INS: what a machine for tests lacks.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

MASKS = [
    # An image has the host's name and the command line in it, so its size varies a little.
    (r"\b[0-9]+\.[0-9] kB\b", "N kB"),
    (r'"bytes" : [0-9]+', '"bytes" : N'),
    (r"\bcheckpoint [0-9a-f]{16}\b", "checkpoint ID"),
    (r'("(?:checkpointID|captureID|fileID|parentID)" : )"[0-9a-f]+"', r'\1"ID"'),
    (r"\b((?:checkpoint ID|capture ID|file ID|parent) +)[0-9a-f]{32,64}\b", r"\1ID"),
]

STAND_INS = """
# There is no other machine: what would run there runs here.
ssh() { shift; "$@"; }
"""


def sessions_of_manual(page):
    """The displays of EXAMPLES that begin with a command: lists of (number of the line, line)."""
    section, display = None, None
    for number, line in enumerate(open(page, encoding="utf-8").read().splitlines(), 1):
        if line.startswith(".Sh "):
            section = line[4:]
        elif line.startswith(".Bd -literal"):
            display = []
        elif line == ".Ed":
            if section == "EXAMPLES" and display and display[0][1].startswith("$ "):
                yield display
            display = None
        elif display is not None:
            display.append((number, unescaped(line)))


def unescaped(line):
    """A line of mdoc as a reader sees it."""
    line = re.sub(r"\\\[u([0-9A-F]{4})\]", lambda match: chr(int(match[1], 16)), line)
    for escape, character in [("\\&", ""), ("\\-", "-"), ("\\(aq", "'"), ("\\e", "\0")]:
        line = line.replace(escape, character)
    if "\\" in line:
        sys.exit(f"examples.py: an escape that is not known here: {line}")
    return line.replace("\0", "\\")


def session_of_markdown(page):
    """All blocks that begin with a command, as one session."""
    text = open(page, encoding="utf-8").read()
    session = []
    for block in re.finditer(r"^```\n(\$ .*?)^```$", text, re.M | re.S):
        first = text.count("\n", 0, block.start(1)) + 1
        session += enumerate(block[1].splitlines(), first)
    return session


def commands_of(session):
    """Lists of (number of the line, command, expected output as lines)."""
    commands = []
    for number, line in session:
        if line.startswith("$ "):
            commands.append([number, line[2:], []])
        elif not commands[-1][2] and re.search(r"(&&|\||\\)$", commands[-1][1]):
            commands[-1][1] += "\n" + line
        else:
            commands[-1][2].append(line)
    return commands


def masked(lines):
    text = "\n".join(lines)
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return text.split("\n")


def agree(expected, printed):
    parts = [re.escape(line + "\n") if line != "..." else r"(?:.*\n)*" for line in masked(expected)]
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in masked(printed))) is not None


def run(commands, folder):
    """What each command prints, as lines, and its status; all of them run in one shell."""
    with tempfile.TemporaryDirectory() as log:
        script = STAND_INS
        for at, (_, command, _) in enumerate(commands):
            script += f"{{ {command}\n}} >{log}/{at}.out 2>{log}/{at}.err </dev/null; echo $? >{log}/{at}.status\n"
            # The session of the README puts its own build into PATH.
            script += "PATH=$BIN:$PATH\n"
        shell = subprocess.run(["bash", "-c", script], cwd=folder, timeout=300, text=True, stderr=subprocess.PIPE)
        for at in range(len(commands)):
            try:
                with open(f"{log}/{at}.out") as out, open(f"{log}/{at}.err") as err, open(f"{log}/{at}.status") as status:
                    yield (out.read() + err.read()).splitlines(), int(status.read())
            except FileNotFoundError:
                yield ["(the shell did not run it)", *shell.stderr.splitlines()], 2


def check(page, session, folder):
    """Runs one session and says what does not agree: how many commands, how many of them wrong."""
    commands, wrong = commands_of(session), 0
    for (number, command, expected), (printed, status) in zip(commands, run(commands, folder)):
        if not (agree(expected, printed) if expected else status == 0):
            wrong += 1
            print(f"{page}:{number}: $ {command}\n  ends with {status}; - is what the page says:")
            for line in list(difflib.ndiff(masked(expected) if expected else [], masked(printed)))[:60]:
                print(f"  {line}")
    return len(commands), wrong


def fresh_copy(folder, session, parent):
    """A copy of the folder, by hard links, without what the session makes."""
    copy = os.path.join(tempfile.mkdtemp(dir=parent), "guest")
    shutil.copytree(folder, copy, copy_function=os.link)
    for _, line in session:
        for name in re.findall(r"(?:-o|--output) (\S+)", line):
            if line.startswith("$ ") and "--force" not in line and os.path.exists(os.path.join(copy, name)):
                os.remove(os.path.join(copy, name))
    return copy


def main():
    folder, pages = sys.argv[1], sys.argv[2:]
    failures = 0
    for page in pages:
        total = wrong = 0
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(folder))) as parent:
            if page.endswith(".md"):
                results = [check(page, session_of_markdown(page), os.path.dirname(os.path.abspath(page)))]
            else:
                results = [
                    check(page, session, fresh_copy(folder, session, parent)) for session in sessions_of_manual(page)
                ]
        total, wrong = sum(count for count, _ in results), sum(count for _, count in results)
        if total == 0:
            print(f"{page}: no commands in EXAMPLES")
        print(f"{page}: {total} commands, {wrong} differ")
        failures += wrong + (total == 0)
    sys.exit(1 if failures else 0)


main()
