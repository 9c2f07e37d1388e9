internal import CheckpointCodec
internal import CheckpointImage
internal import GuestMemory
internal import TestSupport

/// A guest with page descriptors of every kind, changed as the input says. The first byte chooses how its kernel encodes
/// them; then come changes of `{u8 What, u16 Where, u64 Value}`, half of them before the first reading.
enum PageClassesTarget {
  /// Each with the same uses of its pages.
  private static let guests = ModelLinuxGuest.Encoding.all.map { encoding in
    var random = SplitMix64(seed: 1)
    let guest = ModelLinuxGuest(encoding)
    guest.fill(&random)
    guest.store()
    return Base(pages: guest.memory.pages, text: guest.text)
  }

  private struct Base: Sendable {
    let pages: [PFN: [UInt8]]
    let text: [UInt8]
  }

  static func run(_ input: [UInt8]) -> Outcome {
    guard let choice = input.first else { return .refused }
    let base = guests[Int(choice) % guests.count]
    let memory = ModelMemory(limit: PFN(ModelLinuxGuest.pageCount))
    memory.pages = base.pages
    var clues = MemoryClues()
    clues.vmcoreinfo = base.text
    let changes = stride(from: 1, to: input.count - 10, by: 11).map { input[$0..<$0 + 11] }
    for bytes in changes.prefix(changes.count / 2) { change(memory, &clues, bytes) }
    do throws(CheckpointError) {
      let guest = try LinuxGuest.find(in: memory, clues)
      let classes = try PageClasses(of: guest)
      let before = memory.pages
      let old = (0..<memory.limit).map { classes[$0] }
      var none = MemoryClues()
      for bytes in changes.dropFirst(changes.count / 2) { change(memory, &none, bytes) }
      let changed = try classes.update { before[$0] != memory.pages[$0] }
      let fresh = try PageClasses(of: guest)
      for pfn in 0..<memory.limit where used(classes[pfn]) != used(fresh[pfn]) {
        return .broken("page \(pfn) is \(classes[pfn]) after an update, \(fresh[pfn]) anew")
      }
      for pfn in 0..<memory.limit where classes[pfn] != old[Int(pfn)] {
        guard changed.contains(where: { $0.contains(pfn) }) else {
          return .broken("the change of page \(pfn) was not told")
        }
      }
      for policy in EvictionPolicy.allCases { _ = try classes.plan(policy) }
      for level in [2, 4, 8, 16, 31] { _ = try DumpLevel(level)?.plan(of: guest) }
    } catch {
      return error.kind == .refused ? .refused : .broken("\(error)")
    }
    return .accepted
  }

  /// What page tables look like is found out at the first reading only.
  private static func used(_ class: PageClass) -> PageClass {
    `class` == .pageTable ? .kernelOther : `class`
  }

  /// Changes a word of the descriptors, of `mem_section`, of the page tables, or a number that the kernel states.
  private static func change(
    _ memory: ModelMemory, _ clues: inout MemoryClues, _ bytes: ArraySlice<UInt8>
  ) {
    let bytes = Array(bytes)
    let place = UInt64(bytes[1]) | UInt64(bytes[2]) << 8
    let value = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[3 + $1]) << UInt64(8 * $1) }
    switch bytes[0] % 4 {
    case 0: memory[u64: 0x40_0000 + place * 8] = value
    case 1: memory[u64: 0x3f_0000 + place % 1024 * 8] = value
    case 2: memory[u64: 0x1_0000 + place % 4096 * 8] = value
    default:
      var lines = String(decoding: clues.vmcoreinfo ?? [], as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false)
      guard !lines.isEmpty else { return }
      let line = Int(place) % lines.count
      guard let name = lines[line].split(separator: "=").first else { return }
      lines[line] =
        name.hasPrefix("SYMBOL")
        ? "\(name)=\(String(value, radix: 16))"[...] : "\(name)=\(Int64(bitPattern: value))"[...]
      clues.vmcoreinfo = Array(lines.joined(separator: "\n").utf8)
    }
  }
}
