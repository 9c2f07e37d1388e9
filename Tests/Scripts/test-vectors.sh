#!/usr/bin/env bash
# The test vectors: their generator still makes them, the reader beside the specification and ckpt-verify judge
# them as their texts say, and no other tool breaks, hangs, or leaves anything behind on them.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
# Debian's own, which has python3-zstandard.
python=/usr/bin/python3

"$root/Fixtures/generate-vectors.py" vectors
diff -rq "$root/Fixtures/vectors" vectors || fail "generate-vectors.py makes other vectors than are committed"
"$root/Fixtures/generate-vectors.py" --large vectors
"$python" "$root/Tests/Oracle/compare-readers.py" vectors vectors
"$python" "$root/Tests/Oracle/compare-readers.py" tools vectors
