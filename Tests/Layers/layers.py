#!/usr/bin/env python3
"""Which folders of Sources use which, told from the names they declare and use.

usage: layers.py SOURCES [LAYERS]     check against LAYERS (default: layers.txt beside this file)
       layers.py SOURCES --uses A B   where folder A uses folder B

A folder is a target, or a folder inside one ("CheckpointChain/Read"). LAYERS lists them, each below all
that use it: the first line is the lowest. A use of a folder further down in the list is an upward use.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

# Comments and strings are no uses; what is interpolated into a string is.
SKIPPED = re.compile(r'//[^\n]*|/\*.*?\*/|"""(.*?)"""|"((?:[^"\\\n]|\\.)*)"', re.S)
INTERPOLATED = re.compile(r'\\\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)')
DECLARED = re.compile(
    r'^(?:@\w+(?:\([^)]*\))?\s+|(?:public|package|internal|final|indirect|nonisolated(?:\(\w+\))?)\s+)*'
    r'(?:class|struct|enum|protocol|actor|typealias)\s+(\w+)', re.M)
NESTED = re.compile(r'\b(?:class|struct|enum|protocol|actor|typealias|associatedtype|case)\s+(\w+)')
WORD = re.compile(r'(?<![\w])(?:\.)?[A-Z]\w*')
IMPORT = re.compile(r'^(?:@\w+(?:\([^)]*\))?\s+)*(?:public|package|internal)?\s*import\s+(\w+)', re.M)


def code(text):
    def kept(match):
        parts = INTERPOLATED.findall(match.group(1) or match.group(2) or '')
        return ' ' + ' '.join(parts) + ' '
    return SKIPPED.sub(kept, text)


def folder(path, sources):
    """The target of a file and the folder in it, if it lies in one."""
    parts = path.relative_to(sources).parts
    return '/'.join(parts[:2]) if len(parts) > 2 else parts[0]


class Uses:
    """Every use of a name declared in another folder."""

    def __init__(self, sources):
        self.sources = Path(sources)
        files = sorted(self.sources.rglob('*.swift'))
        texts = {file: code(file.read_text()) for file in files}
        homes = defaultdict(set)
        for file, text in texts.items():
            for name in DECLARED.findall(text):
                homes[name].add(folder(file, self.sources))
        targets = {folder(file, self.sources).split('/')[0] for file in files}
        self.folders = sorted({folder(file, self.sources) for file in files})
        self.places = defaultdict(list)
        for file, text in texts.items():
            here = folder(file, self.sources)
            imports = set(IMPORT.findall(text)) & targets | {here.split('/')[0]}
            words = {word for word in WORD.findall(text) if not word.startswith('.')}
            # A nested type may have the name of another folder's.
            for name in sorted(words - set(NESTED.findall(text))):
                # The nearest of that name: in this folder, in this target, then in what is imported.
                found = homes.get(name, set())
                if here in found:
                    continue
                near = {home for home in found if home.split('/')[0] == here.split('/')[0]}
                for home in near or {h for h in found if h.split('/')[0] in imports}:
                    self.places[here, home].append((name, file.relative_to(self.sources)))
            for target in imports - {here.split('/')[0]}:
                self.places[here, target].append(('import', file.relative_to(self.sources)))

    def cycle(self, inside):
        """Folders of one target that use each other in a circle; None if there are none."""
        graph = defaultdict(set)
        for a, b in self.places:
            if a.split('/')[0] == b.split('/')[0] == inside and a != b:
                graph[a].add(b)
        state, stack = {}, []

        def visit(node):
            state[node] = 'open'
            stack.append(node)
            for after in sorted(graph[node]):
                if state.get(after) == 'open':
                    return stack[stack.index(after):] + [after]
                if after not in state:
                    found = visit(after)
                    if found:
                        return found
            state[node] = 'done'
            stack.pop()
            return None

        for node in sorted(graph):
            if node not in state:
                found = visit(node)
                if found:
                    return found
        return None


def check(uses, layers):
    """What is wrong, a line each."""
    order = [line.split('#')[0].strip() for line in Path(layers).read_text().splitlines()]
    order = [line for line in order if line]
    place = {name: number for number, name in enumerate(order)}
    problems = [f'{name}: is not in {layers}' for name in uses.folders if name not in place]
    problems += [f'{name}: is in {layers}, but there is no such folder' for name in order
                 if name not in uses.folders]
    for target in sorted({name.split('/')[0] for name in uses.folders}):
        circle = uses.cycle(target)
        if circle:
            problems.append('cycle: ' + ' -> '.join(circle))
    for (a, b), found in sorted(uses.places.items()):
        if a in place and b in place and place[b] >= place[a]:
            name, file = found[0]
            problems.append(f'{file}: uses {name} of {b}, which lies above {a} ({len(found)} uses)')
    return problems


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    uses = Uses(sys.argv[1])
    if len(sys.argv) == 5 and sys.argv[2] == '--uses':
        for name, file in uses.places.get((sys.argv[3], sys.argv[4]), []):
            print(f'{file}: {name}')
        return
    layers = sys.argv[2] if len(sys.argv) > 2 else Path(__file__).with_name('layers.txt')
    problems = check(uses, layers)
    for problem in problems:
        print(problem)
    print(f'{len(uses.folders)} folders, {len(problems)} problems')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
