#!/bin/bash
# Captures working guests live, and looks whether the images are right and the guests unharmed. Runs in dom0.
# PARTS: what to do, in this order: words such as oracle:pvh:10, a script of this folder and its arguments.
set -u
failed=0
for part in $PARTS; do
  IFS=: read -ra words <<<"$part"
  echo "== ${words[*]} (at $(cut -d' ' -f1 /proc/uptime) s)"
  bash "./${words[0]}.sh" "${words[@]:1}" || failed=1
done
exit $failed
