import VMCheckpoint

// A base of memory of our own, and a page of it.
let folder = CommandLine.arguments[1]
var memory = [UInt8](repeating: 7, count: 64 * 4096)
let source = try CaptureSource(memory: BytesInMemory(memory, name: "memory"))
try Checkpoint.capture(source, to: LocalOutput.file("\(folder)/0.ckpt"))
let base = try Checkpoint(at: "\(folder)/0.ckpt")
let (page, contents) = try base.page(5)
print("page \(page.number) is \(page.state), its first byte is \(contents[0])")

// An increment on it.
memory[5 * 4096] = 8
try Checkpoint.capture(
  CaptureSource(memory: BytesInMemory(memory, name: "memory")), parent: base,
  to: LocalOutput.file("\(folder)/1.ckpt"))

// Open the chain, look at it, read a page.
let tip = try Checkpoint(at: "\(folder)/1.ckpt")
check(tip.facts.images.count == 2 && tip.facts.pages == [.data: 64], "\(tip.facts)")
let (changed, bytes) = try tip.page(5)
check(changed.state == .data && bytes[0] == 8 && bytes[1] == 7, "page 5 is what was captured")

// Verify, compare, merge, export.
check(try Checkpoint.verify(at: "\(folder)/1.ckpt").isSound, "the chain is sound")
let differences = try tip.differences(from: base)
check(differences.map(\.pages) == [5..<6] && differences[0].contentsDiffer, "\(differences)")
let merged = MemorySink(name: "merged")
try tip.merge(to: merged)
let alone = try Checkpoint(BytesInMemory(merged.bytes ?? [], name: "merged"))
check(alone.id == tip.id && alone.facts.images.count == 1, "one image of the same moment")
let raw = MemorySink(name: "raw")
try alone.export(as: .raw, to: raw)
check(raw.bytes == memory, "the memory comes back")

// A source that comes piece by piece, from anywhere: here an ELF core that was just exported.
let core = MemorySink(name: "core")
try tip.export(as: .elf, to: core)
var rest = (core.bytes ?? [])[...]
let again = MemorySink(name: "again")
try Checkpoint.capture(
  CaptureSource(streamNamed: "core") {
    defer { rest = rest.dropFirst(1000) }
    return Array(rest.prefix(1000))
  }, to: again)
let reread = try Checkpoint(BytesInMemory(again.bytes ?? [], name: "again"))
var isSame = true
try reread.read(0..<64) { page, bytes in
  let start = Int(page.number) * 4096
  isSame = isSame && page.digest == tip.digest(of: page.number)
  isSame = isSame && bytes.byteCount == 4096 && memory[start...].count >= 4096
}
check(isSame, "the pages of the core are those of the image")

// Runs of pages, without reading contents.
var populated: UInt64 = 0
try tip.forEachRun { run, _, _ in populated += UInt64(run.count) }
check(populated == 64, "\(populated) pages")

// What is wrong is an error with a kind and a hint, and nothing is left under the name.
do {
  _ = try LocalOutput.file("\(folder)/0.ckpt")
  check(false, "an existing file was replaced")
} catch {
  check(error.kind == .refused && error.hint == .replaceExisting, "\(error)")
}

// Cancellation, and progress.
let cancellation = Cancellation()
let cancelled = MemorySink(name: "cancelled")
do {
  try tip.merge(to: cancelled, cancellation: cancellation) { _ in cancellation.cancel() }
  check(false, "a cancelled merge went on")
} catch {
  check(error.kind == .interrupted && cancelled.bytes == nil, "\(error)")
}

// The same on Swift concurrency.
try await onConcurrency()

print("client: every verb does what it says")

func onConcurrency() async throws {
  let opened = try await Checkpoint.open(at: "\(folder)/1.ckpt")
  let report = try await Checkpoint.verify(at: "\(folder)/1.ckpt", quick: true)
  check(report.images == 2 && report.isSound && opened.id == tip.id, "\(report)")
  let found = try await opened.differences(from: base)
  check(found == differences, "\(found)")
}

extension Checkpoint {
  func digest(of number: UInt64) -> Digest? { try? page(number).page.digest }
}

func check(_ condition: Bool, _ what: String) {
  guard condition else { fatalError(what) }
}
