#!/usr/bin/env bash
# Compares the options in each man page with those the tool itself knows. BIN is the folder of the tools.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export BIN=${BIN:-$root/.build/release}
cd "$root"

python3 - Man/*.1 <<'PYTHON'
import json, os, re, subprocess, sys

problems = 0


def problem(page, text):
    global problems
    problems += 1
    print(f"{page}: {text}")


def known(tool):
    """What the tool knows: option names -> (name of the value, its choices), over all subcommands."""
    path = os.path.join(os.environ["BIN"], tool)
    dump = subprocess.run([path, "--experimental-dump-help"], check=True, stdout=subprocess.PIPE)
    command = json.loads(dump.stdout)["command"]
    options, subcommands = {}, []
    commands = [command]
    for sub in command.get("subcommands", []):
        if sub["commandName"] != "help":
            subcommands.append(sub["commandName"])
            commands.append(sub)
    for argument in (a for c in commands for a in c.get("arguments", [])):
        if not argument.get("shouldDisplay", True) or not argument.get("names"):
            continue
        names = frozenset(
            ("-" if n["kind"] == "short" else "--") + n["name"] for n in argument["names"])
        value = argument["valueName"] if argument["kind"] == "option" else None
        options[names] = (value, argument.get("allValues") or [])
    return options, subcommands


def flags(text):
    """The options a line of mdoc names."""
    return [f"-{name}" for name in re.findall(r"\bFl ([\w-]+)", text.replace("\\-", "-"))]


def section(lines, name):
    start = lines.index(f".Sh {name}") + 1
    end = next((i for i in range(start, len(lines)) if lines[i].startswith(".Sh ")), len(lines))
    return lines[start:end]


pages = sys.argv[1:]
tools = {os.path.basename(p)[:-2] for p in pages}
for name in sorted(os.listdir(os.environ["BIN"])):
    if re.fullmatch(r"ckpt-[a-z]+", name) and name not in tools:
        problem(f"Man/{name}.1", "missing")

for page in pages:
    tool = os.path.basename(page)[:-2]
    with open(page) as file:
        lines = file.read().splitlines()
    options, subcommands = known(tool)

    listed = {}
    for line in section(lines, "OPTIONS"):
        if line.startswith(".It Fl"):
            value = re.search(r"\bAr (\S+)", line)
            listed[frozenset(flags(line))] = value.group(1) if value else None
    for names, (value, choices) in options.items():
        title = ", ".join(sorted(names))
        if names not in listed:
            problem(page, f"OPTIONS lacks {title}")
        elif listed[names] != value:
            problem(page, f"{title} takes {listed[names]}, in the tool {value}")
        for choice in choices:
            if not re.search(rf"\b{re.escape(choice)}\b", " ".join(section(lines, "OPTIONS"))):
                problem(page, f"OPTIONS lacks the choice {choice} of {title}")
    for names in listed:
        if names not in options:
            problem(page, f"OPTIONS has {', '.join(sorted(names))}, which the tool lacks")

    shown = {flag for line in section(lines, "SYNOPSIS") for flag in flags(line)}
    for names in options:
        if not names & {"--help", "--version"} and not names & shown:
            problem(page, f"SYNOPSIS lacks {', '.join(sorted(names))}")

    every = {name for names in options for name in names}
    for number, line in enumerate(lines, 1):
        if line.startswith(".") and not line.startswith(".Dl"):
            for flag in flags(line):
                if flag not in every:
                    problem(f"{page}:{number}", f"{flag} is no option of {tool}")
    for name in subcommands:
        if not any(re.search(rf"\bCm {name}\b", line) for line in lines):
            problem(page, f"says nothing of the subcommand {name}")

print(f"{len(pages)} man pages compared with the tools: {problems} differences")
sys.exit(1 if problems else 0)
PYTHON
