#!/usr/bin/env bash
# A target uses only targets below it, and folders inside a target form no cycle; and what finds that
# can fail.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
layers=$root/Tests/Layers/layers.py
command -v python3 >/dev/null || { echo "python3 is missing" && exit 77; }

# file PATH LINE...: a source file of the tree.
file() {
  mkdir -p "$(dirname "Sources/$1")"
  printf '%s\n' "${@:2}" >"Sources/$1"
}

# tree: two targets, one with two folders, and the list of them; nothing is wrong with it. What speaks of a
# name in a comment or a text does not use it.
tree() {
  rm -rf Sources
  file Lower/Bricks/Brick.swift 'package struct Brick { package init() {} }'
  file Lower/Walls/Wall.swift '/// Stands in a House.' \
    'package struct Wall { var bricks: [Brick] = []; let name = "a House" }'
  file Upper/House.swift 'import Lower' 'struct House { var walls: [Wall] = [] }'
  printf '%s\n' '# the lowest first' Lower/Bricks 'Lower/Walls  # of bricks' '' Upper >layers.txt
}

# faulty NAME LINE...: what is wrong is found, and the lines are what is said of it.
faulty() {
  local name=$1 line
  shift
  for line in "$@"; do expect 1 "^$line\$" python3 "$layers" Sources layers.txt; done
  tree
  expect 0 '^3 folders, 0 problems$' python3 "$layers" Sources layers.txt
  echo "found: $name"
}

echo "-- trees with and without a fault"
tree
expect 0 '^3 folders, 0 problems$' python3 "$layers" Sources layers.txt

file Lower/Bricks/Mortar.swift 'struct Mortar { func joins(_ wall: Wall) {} }'
faulty "a cycle between two folders of a target" \
  'cycle: Lower/Bricks -> Lower/Walls -> Lower/Bricks' \
  'Lower/Bricks/Mortar.swift: uses Wall of Lower/Walls, which lies above Lower/Bricks \(1 uses\)' \
  '3 folders, 2 problems'

file Lower/Walls/Plan.swift 'import Upper' 'struct Plan { var house: House }'
faulty "a use of a target above" \
  'Lower/Walls/Plan.swift: uses House of Upper, which lies above Lower/Walls \(2 uses\)' \
  '3 folders, 1 problems'

file Lower/Walls/Plan.swift 'import Upper'
faulty "an import that is not made use of" \
  'Lower/Walls/Plan.swift: uses import of Upper, which lies above Lower/Walls \(1 uses\)' \
  '3 folders, 1 problems'

# shellcheck disable=SC2016 # It is no expansion of the shell's.
file Lower/Bricks/Label.swift 'let label = "\(Wall().name)"'
faulty "a use inside a text" 'Lower/Bricks/Label.swift: uses Wall of Lower/Walls, .*' \
  'cycle: Lower/Bricks -> Lower/Walls -> Lower/Bricks'

file Upper/Roof/Tile.swift 'struct Tile {}'
faulty "a folder that is not in the list" 'Upper/Roof: is not in layers.txt' '4 folders, 1 problems'

printf 'Cellar\n' >>layers.txt
faulty "a folder that is in the list only" 'Cellar: is in layers.txt, but there is no such folder'

printf '%s\n' Upper Lower/Walls Lower/Bricks >layers.txt
faulty "a list that is upside down" \
  'Upper/House.swift: uses Wall of Lower/Walls, which lies above Upper \(1 uses\)' \
  'Lower/Walls/Wall.swift: uses Brick of Lower/Bricks, which lies above Lower/Walls \(1 uses\)'

echo "-- the sources"
python3 "$layers" "$root/Sources" >found || fail "$(cat found)"
tail -1 found
