#!/usr/bin/env bash
# What make install puts where, that the shells complete with it, and that make uninstall takes all of it away.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

prefix=$work/prefix
# -o build: what is installed is what is in BIN.
make() { command make -s -C "$root" -o build BIN="$BIN" DESTDIR= PREFIX="$prefix" "$@"; }
make install >/dev/null

for page in "$root"/Man/*.[15]; do
  cmp "$page" "$prefix/share/man/man${page##*.}/${page##*/}" || fail "manual page"
done

# systemd takes the unit, of any domain; what it starts captures into a folder of its own, with the settings.
unit=$prefix/lib/systemd/system/ckpt-capture@.service
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify --man=no "${unit/@/@web}" || fail "unit"
else
  echo "note: systemd-analyze is not installed"
fi
python3 - "$unit" "$work" "$prefix/share/doc/vmckpt/ckpt-capture.conf" <<'PYTHON' || fail "what the unit starts"
import os, re, shlex, subprocess, sys

unit, work, settings = sys.argv[1:]
text = open(unit).read().replace("\\\n", " ")
[line] = re.findall(r"^ExecStart=(.*)", text, re.M)
[bindir] = re.findall(r"exec (\S+)/ckpt-capture ", line)
assert bindir == os.path.dirname(os.path.dirname(unit)).replace("lib/systemd", "bin"), bindir
# In place of the tool, a program that tells how it was called.
os.mkdir(f"{work}/stand-in")
with open(f"{work}/stand-in/ckpt-capture", "w") as file:
    file.write('#!/bin/sh\nprintf "%s\\n" "$@"\n')
os.chmod(f"{work}/stand-in/ckpt-capture", 0o755)
line = line.replace(bindir, f"{work}/stand-in").replace("$$", "$").replace("%i", "web").replace("%%", "%")


def started(**variables):
    variables |= {"FOLDER": f"{work}/images", "PATH": os.environ["PATH"]}
    run = subprocess.run(shlex.split(line), env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout.splitlines()


plain = started(EVERY="60", OPTIONS="", HOOK="")
folder, pattern = os.path.split(plain[2])
assert plain == ["xen:web", "-o", plain[2], "--every", "60"] and pattern == "%06d.ckpt", plain
assert os.path.isdir(folder) and re.fullmatch(re.escape(work) + r"/images/web/\d{8}T\d{6}Z", folder), folder
every = started(EVERY="5", OPTIONS="--max-pause 200 --codec none", HOOK="echo 'a  b'")
assert every[4:] == ["5", "--max-pause", "200", "--codec", "none", "--hook-paused", "echo 'a  b'"], every
# What the example says of what holds without it is what the unit says.
for name, value in re.findall(r"^(\w+)=(.*)", open(settings).read(), re.M):
    assert f" {name}={value} " in re.search(r"^Environment=.*", text, re.M)[0].replace("=", "= ", 1) + " ", name
print("the unit starts what it should")
PYTHON

# What a shell offers for a command line, one word a line.
in_bash() {
  # shellcheck disable=SC2016
  PATH=$prefix/bin:$PATH bash --norc -c '
    source "$1/share/bash-completion/completions/${2%% *}"
    read -ra COMP_WORDS <<<"$2"
    [[ $2 != *" " ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2}
    [[ $(complete -p "${2%% *}") =~ -F\ ([^ ]+) ]]
    "${BASH_REMATCH[1]}" "${2%% *}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' - "$prefix" "$1"
}
in_fish() {
  # shellcheck disable=SC2016
  PATH=$prefix/bin:$PATH HOME=$work fish --no-config -c \
    'source $argv[1]/share/fish/vendor_completions.d/(string split " " $argv[2])[1].fish; complete -C $argv[2]' \
    "$prefix" "$1" | cut -f 1
}
# zsh completes only at a terminal: it gets one, in which tab lists what there is.
in_zsh() {
  # shellcheck disable=SC2016
  PATH=$prefix/bin:$PATH HOME=$work TERM=dumb timeout 60 zsh -f -c '
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "stty columns 200; fpath=($1/share/zsh/site-functions \$fpath); autoload -Uz compinit; compinit -u -D"
    zpty -w shell "LISTMAX=1000; bindkey \"^I\" list-choices; PS1=RE\"\"ADY"
    zpty -r shell out "*READY*"
    zpty -w -n shell "$2"$'"'\t'"'
    zpty -w -n shell $'"'\C-u'"'"print DO\"\"NE"$'"'\n'"'
    zpty -r shell out "*DONE*"
    print -r -- "$out"' - "$prefix" "$1" | tr -d '\r' | sed 's/ .*//'
}

shells=(bash)
for shell in zsh fish; do
  if command -v $shell >/dev/null; then shells+=("$shell"); else echo "note: $shell is not installed"; fi
done

# offers LINE WORD...: every shell offers each word.
offers() {
  local line=$1 shell word
  shift
  for shell in "${shells[@]}"; do
    "in_$shell" "$line" >offered || fail "$shell cannot complete '$line'"
    for word in "$@"; do
      grep -qxF -- "$word" offered || fail "$shell does not offer $word for '$line': $(head -50 offered)"
    done
  done
}

checked=0
for tool in "$prefix"/bin/*; do
  # Each subcommand, and each option of it, as the tool itself lists them.
  "$tool" --experimental-dump-help | python3 -c '
import json, sys
command = json.load(sys.stdin)["command"]
subcommands = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
if subcommands:
    print(command["commandName"] + " ", *(c["commandName"] for c in subcommands), sep="\t")
for c in subcommands or [command]:
    line = command["commandName"] + (" " + c["commandName"] if subcommands else "")
    options = ["--" + n["name"] for a in c["arguments"] for n in a.get("names", []) if n["kind"] == "long"]
    print(line + " --", *options, sep="\t")' >lines
  while IFS=$'\t' read -r -a words; do
    offers "${words[@]}"
    checked=$((checked + 1))
  done <lines
done
echo "$checked command lines completed in ${shells[*]}"

make uninstall
left=$(find "$prefix" ! -type d)
[[ -z $left ]] || fail "make uninstall leaves $left"
