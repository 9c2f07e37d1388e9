#!/usr/bin/env bash
# Compares the options in each man page with those the tool itself knows, of each subcommand apart; looks at
# the sections of each page, and whether the pages it refers to exist. BIN is the folder of the tools.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export BIN=${BIN:-$root/.build/release}
cd "$root"

python3 - Man/*.[15] <<'PYTHON'
import json, os, re, subprocess, sys

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "JSON", "EXAMPLES", "SEE ALSO"]
# Pages of other packages that ours refer to.
SYSTEM_PAGES = {"du 1", "file 1", "magic 5", "makedumpfile 8", "nohup 1", "ps 1", "strings 1", "systemd 1", "systemd.unit 5", "xl 1"}
problems = 0


def problem(page, text):
    global problems
    problems += 1
    print(f"{page}: {text}")


def known(tool):
    """What the tool knows: subcommand, None if there are none -> {option names: (name of the value, its choices)}."""
    path = os.path.join(os.environ["BIN"], tool)
    dump = subprocess.run([path, "--experimental-dump-help"], check=True, stdout=subprocess.PIPE)
    command = json.loads(dump.stdout)["command"]
    subcommands = [sub for sub in command.get("subcommands", []) if sub["commandName"] != "help"]
    return {sub["commandName"]: options_of(sub) for sub in subcommands} or {None: options_of(command)}


def options_of(command):
    options = {}
    for argument in command.get("arguments", []):
        if argument.get("shouldDisplay", True) and argument.get("names"):
            names = frozenset(("-" if n["kind"] == "short" else "--") + n["name"] for n in argument["names"])
            value = argument["valueName"] if argument["kind"] == "option" else None
            options[names] = (value, argument.get("allValues") or [])
    return options


def title(names):
    return ", ".join(sorted(names))


def flags(text):
    """The options a line of mdoc names."""
    return [f"-{name}" for name in re.findall(r"\bFl ([\w-]+)", text.replace("\\-", "-"))]


def section(lines, name):
    if f".Sh {name}" not in lines:
        return []
    start = lines.index(f".Sh {name}") + 1
    end = next((i for i in range(start, len(lines)) if lines[i].startswith(".Sh ")), len(lines))
    return lines[start:end]


def synopsis(lines):
    """Subcommand, None where none is named -> the options of its lines."""
    shown, subcommand = {}, None
    for line in section(lines, "SYNOPSIS"):
        if line == ".Nm":
            subcommand = None
        elif match := re.match(r"\.(?:Op )?Cm (\w+)$", line):
            subcommand = match[1]
        shown.setdefault(subcommand, set()).update(flags(line))
    return shown


def check_options(page, lines, tool):
    commands = known(tool)
    options = {names: value for command in commands.values() for names, value in command.items()}

    listed = {}
    for line in section(lines, "OPTIONS"):
        if line.startswith(".It Fl"):
            value = re.search(r"\bAr (\S+)", line)
            listed[frozenset(flags(line))] = value.group(1) if value else None
    for command in commands.values():
        for names, (value, choices) in command.items():
            if names not in listed:
                problem(page, f"OPTIONS lacks {title(names)}")
            elif listed[names] != value:
                problem(page, f"{title(names)} takes {listed[names]}, in the tool {value}")
            for choice in choices:
                if not re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", " ".join(section(lines, "OPTIONS"))):
                    problem(page, f"OPTIONS lacks the choice {choice} of {title(names)}")
    for names in listed:
        if names not in options:
            problem(page, f"OPTIONS has {title(names)}, which the tool lacks")

    shown = synopsis(lines)
    for subcommand, command in commands.items():
        where = f"SYNOPSIS of {subcommand}" if subcommand else "SYNOPSIS"
        if subcommand not in shown:
            problem(page, f"{where} is missing")
            continue
        for names in command:
            if not names & {"--help", "--version"} and not names & shown[subcommand]:
                problem(page, f"{where} lacks {title(names)}")
        for flag in shown[subcommand] - {name for names in command for name in names}:
            problem(page, f"{where} has {flag}, which is no option there")
    for subcommand in shown:
        if subcommand and subcommand not in commands:
            problem(page, f"SYNOPSIS has {subcommand}, which the tool lacks")

    every = {name for names in options for name in names}
    for number, line in enumerate(lines, 1):
        if line.startswith(".") and not line.startswith(".Dl"):
            for flag in flags(line):
                if flag not in every:
                    problem(f"{page}:{number}", f"{flag} is no option of {tool}")
    described = [line for line in section(lines, "DESCRIPTION") if line.startswith(".It Cm ")]
    for subcommand in filter(None, commands):
        if f".It Cm {subcommand}" not in described:
            problem(page, f"DESCRIPTION lacks {subcommand}")


pages = sys.argv[1:]
for name in sorted(os.listdir(os.environ["BIN"])):
    if re.fullmatch(r"ckpt-[a-z]+", name) and f"Man/{name}.1" not in pages:
        problem(f"Man/{name}.1", "missing")

for page in pages:
    with open(page) as file:
        lines = file.read().splitlines()
    name, number = os.path.basename(page).split(".")
    wanted = [s for s in SECTIONS if number == "1" or s not in ("OPTIONS", "EXIT STATUS")]
    found = [line[4:] for line in lines if line.startswith(".Sh ")]
    if found != wanted:
        problem(page, f"the sections are {', '.join(found)}; they should be {', '.join(wanted)}")
    if number == "1":
        check_options(page, lines, name)
    for line in lines:
        if match := re.match(r"\.Xr (\S+) (\d)", line):
            if f"Man/{match[1]}.{match[2]}" not in pages and f"{match[1]} {match[2]}" not in SYSTEM_PAGES:
                problem(page, f"there is no page {match[1]}({match[2]})")

print(f"{len(pages)} man pages compared with the tools: {problems} differences")
sys.exit(1 if problems else 0)
PYTHON
