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

# What comes of a salvage is sound, whatever it was made of; its parents are what they are.
salvaged=0
for image in vectors/*.ckpt; do
  status=0
  (ulimit -v 4000000 && timeout 60 ckpt-verify -q --salvage out "$image" --force --search vectors) >output 2>message || status=$?
  ((status <= 2)) || fail "$image: salvage: status $status: $(head -3 message)"
  ((status == 2)) && continue
  salvaged=$((salvaged + 1))
  ckpt-verify -q out --search vectors >output 2>message || ! grep -q '^out: ' output || fail "$image: salvage: $(head -3 output)"
done
((salvaged > 100)) || fail "only $salvaged of the vectors were salvaged"
echo "$salvaged vectors salvaged"
