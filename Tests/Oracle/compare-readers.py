#!/usr/bin/env python3
"""compare-readers.py vectors FOLDER | tools FOLDER | damage IMAGE... | resealed: whether ckpt-verify and the reader
beside the specification judge alike. Runs with a python3 that has `zstandard`; the tools are found in PATH.

vectors: every NAME.ckpt as its NAME.txt says, by both. tools: no other tool breaks, hangs or leaves anything behind on
them, and what is sound can be merged. damage: flipped bits, cuts and lost sectors in the files of
a chain whose tip is the last. resealed: images with random changes under checksums, digests and identities that
are right. SEED in the environment repeats a run.
"""
import importlib.util
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'Spec'))
from read_image import Chain, report

STATUS = {'sound': 0, 'damaged': 1, 'unsupported': 2, 'missing parent': 2}


def run(*command):
    """A tool, with 4 GB of memory and a minute, ends with 0, 1 or 2."""
    limit = 4 << 30
    done = subprocess.run(command, capture_output=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert done.returncode in (0, 1, 2), f'{" ".join(command)}: status {done.returncode}: {done.stderr[:300]}'
    return done


def verify(image):
    """Exit status and JSON of ckpt-verify."""
    done = run('ckpt-verify', '--json', image)
    return done.returncode, json.loads(done.stdout or b'{"findings": []}')


def texts(folder):
    """(path of an image, what its text says)."""
    for name in sorted(os.listdir(folder)):
        if name.endswith('.txt'):
            with open(f'{folder}/{name}') as file:
                yield f'{folder}/{name[:-4]}', dict(line.rstrip('\n').split(': ', 1) for line in file)


def agree(image, what):
    """Both judge alike; gives the reader's verdict."""
    chain = Chain(image).check()
    status, result = verify(image)
    # In what is unsupported, how much more is judged is left open.
    same = status == chain.verdict[1] or status and 'unsupported' in (chain.obstacle or ()) or status == 2 and chain.findings \
        and result['findings']
    assert same, f'{image}: {what}: the reader says {chain.verdict[0]}: {chain.findings[:3]}, ckpt-verify {status}: {result}'
    return chain.verdict[0]


def vectors(folder):
    failures, count = [], {}
    for path, text in texts(folder):
        name, chain = os.path.basename(path), Chain(f'{path}.ckpt').check()
        found, (status, result) = report(chain), verify(f'{path}.ckpt')
        expect = text['expect']
        count[expect] = count.get(expect, 0) + 1
        if found['verdict'] != expect:
            failures.append(f'{name}: the reader says {found}, expected {expect}')
        elif expect == 'sound' and found['memoryDigest'] != text['release']:
            failures.append(f'{name}: memory digest {found["memoryDigest"]}, expected {text["release"]}')
        elif expect == 'damaged' and text['structure'] not in [one['structure'] for one in found['findings']]:
            failures.append(f'{name}: {found["findings"]}, expected a finding in {text["structure"]}')
        if status != STATUS[expect]:
            failures.append(f'{name}: ckpt-verify: status {status}: {result}, expected {expect}')
        elif status == 1 and not all(one.get('file', '').endswith('.ckpt') for one in result['findings']):
            failures.append(f'{name}: ckpt-verify names no file in {result["findings"]}')
    assert not failures, '\n'.join(failures)
    assert count, "no vectors"
    print(', '.join(f'{number} {expect}' for expect, number in count.items()))


def tools(folder):
    def tried(vector):
        path, text = vector
        image = f'{path}.ckpt'
        with tempfile.TemporaryDirectory(dir='.') as work:
            for command in (f'ckpt-restore --to raw -o {work}/raw', f'ckpt-restore --to xl -o {work}/xl',
                            'ckpt-inspect chain', 'ckpt-inspect map', f'ckpt-inspect map --svg {work}/map.svg',
                            f'ckpt-diff --bytes {folder}/parent.ckpt',
                            f'ckpt-diff {folder}/parent.ckpt', f'ckpt-merge --verify -o {work}/merged.ckpt'):
                done = run(*command.split(), image)
                left = [name for name in os.listdir(work) if name.endswith('.partial')]
                assert not left, f'{image}: {command}: left {left}'
                for name in os.listdir(work):
                    if name != 'merged.ckpt':
                        os.unlink(f'{work}/{name}')
            # What is sound can be merged; what comes of a merge is sound, and the same memory.
            if text['expect'] == 'sound':
                assert done.returncode == 0, f'{image}: merge: {done.stderr}'
            if done.returncode == 0:
                merged = report(Chain(f'{work}/merged.ckpt').check())
                assert merged['verdict'] == 'sound', f'{image}: merged: {merged}'
                assert text['release'] in ('nothing', merged['memoryDigest']), f'{image}: merged: other memory'
    with ThreadPoolExecutor(2) as pool:
        print(len(list(pool.map(tried, texts(folder)))), 'images through the other tools')


def damage(rng, images):
    tip = images[-1]
    for path in images:
        with open(path, 'rb') as file:
            sound = file.read()
        for _ in range(40):
            at, size = rng.randrange(len(sound)), rng.choice([1, 8, 64, 512])
            what, data = rng.choice([
                (f'bit flipped at {at}', sound[:at] + bytes([sound[at] ^ 1 << rng.randrange(8)]) + sound[at + 1:]),
                (f'cut at {at}', sound[:at]),
                (f'{size} bytes lost at {at}', sound[:at] + sound[at + size:]),
                (f'{size} bytes of zeros at {at}', sound[:at] + bytes(size) + sound[at + size:]),
                (f'{size} bytes after the end', sound + rng.randbytes(size))])
            with open(path, 'wb') as file:
                file.write(data)
            verdict = agree(tip, f'{path}: {what}')
            assert verdict != 'sound' or data == sound, f'{path}: {what}: nobody finds it'
        with open(path, 'wb') as file:
            file.write(sound)
    assert agree(tip, 'undamaged') == 'sound'


def resealed(rng):
    spec = importlib.util.spec_from_file_location('vectors', os.path.join(ROOT, 'Fixtures', 'generate-vectors.py'))
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    parent = make.Image('parent')
    make.policy(parent)
    parent.region(make.ZSTD, {5: (0, make.full[1]), 6: (9, make.full[2])})
    parent.states((8, 1, make.EVICTED, 0, 1))
    parent.finish('resealed-parent.ckpt')

    def change(data):
        data = bytearray(data)
        at = rng.randrange(min(len(data), rng.choice([16, 96, 300, 1 << 20]))) if data else 0
        kind = rng.randrange(4)
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at] = rng.choice([0, 1, 255, rng.randrange(256)])
        elif kind == 2 and at & ~7 <= len(data) - 8:
            struct.pack_into('<Q', data, at & ~7, rng.choice([0, 1, 2**64 - 1, 2**64 - 16, 2**63, 2**52, rng.randrange(2**32)]))
        else:
            data[at:at + rng.choice([0, 1, 8])] = bytes(rng.choice([0, 1, 8]))
        return bytes(data)

    count = {}
    for number in range(300):
        kind, child = rng.randrange(make.HEADER, make.TRAILER + 1), rng.random() < 0.4
        edit = {kind: [None] * rng.randrange(2) + [change]}
        image = make.Image(f'resealed {number}', edit=edit, **({'parent': parent, 'parent_name': 'resealed-parent.ckpt'} if child else {}))
        make.policy(image, inherited=child and rng.random() < 0.5)
        image.record(1, 3, 7, b'state')
        image.region(rng.randrange(3), {1: (0, make.full[1]), 2: (1, make.full[7])})
        image.region(make.ZSTD, {600: (0, make.full[3])})
        image.states((4, 1, make.ZERO, 0, 0), (520, 2, make.EVICTED, 0, 1), (530, 1, make.ALLOCATE, 0, 0))
        image.layout = 1
        image.segment(make.LAYOUT, struct.pack('<BBHI', 2, 0, 1, 0) * 2 + struct.pack('<BBHIII6Q', 4, 0, 1, 3, 1024, 0, 0, 10, 20, 1, 512, 200)
                      + struct.pack('<BBHI8s', 3, 0, 1, 3, b'abc') + struct.pack('<BBHI', 1, 0, 1, 0))
        image.finish('resealed.ckpt')
        verdict = agree('resealed.ckpt', f'number {number}, kind {kind}')
        count[verdict] = count.get(verdict, 0) + 1
    assert count['sound'] > 20 and count['damaged'] > 100, count
    print(count)


def main(mode, *arguments):
    seed = int(os.environ.get('SEED') or random.randrange(1 << 32))
    if mode in ('vectors', 'tools'):
        return (vectors if mode == 'vectors' else tools)(*arguments)
    print(f'SEED={seed}', flush=True)
    damage(random.Random(seed), arguments) if mode == 'damage' else resealed(random.Random(seed))


if __name__ == '__main__':
    main(*sys.argv[1:]) if len(sys.argv) > 1 else sys.exit(__doc__)
