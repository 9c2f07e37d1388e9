import CheckpointCodec
import CheckpointImage
import GuestMemory
import TestSupport

/// A small memory with what is needed to recognise a kernel in it: page tables, the text of VMCOREINFO with a
/// variable that points to it, BTF, and a table of symbols.
struct ModelKernel {
  static let imageBase: UInt64 = 0xffff_ffff_8000_0000
  static let directMap: UInt64 = 0xffff_8880_0000_0000
  static let noExecution: UInt64 = 1 << 63
  /// How kallsyms gives addresses.
  enum Symbols: CaseIterable { case signed, unsigned, relative }

  let memory: ModelMemory
  var free: PFN = 16
  let root: UInt64
  let levels: Int
  let physicalBase: UInt64 = 0x20_0000
  let stext = imageBase + 0x60_0000
  /// The page of variables in which the page tables' top lies, and one more.
  let top = imageBase + 0x80_0000
  let data = imageBase + 0x80_1000
  let constants = imageBase + 0xa0_0000
  /// The page with the text.
  let textPage: UInt64 = 0x70_0000
  var symbols = Symbols.signed
  private var constantsEnd: UInt64
  private var symbolLines = ""

  init(levels: Int = 4, limit: PFN = 4096, symbols: Symbols = .signed) {
    self.levels = levels
    self.symbols = symbols
    memory = ModelMemory(limit: limit)
    root = physicalBase + 0x80_0000
    constantsEnd = constants
    memory[u64: root] = 0
    map(stext, to: physicalBase + 0x60_0000, leaf: 1, flags: 1)
    map(top, to: physicalBase + 0x80_0000, flags: 3 | Self.noExecution)
    map(data, to: physicalBase + 0x80_1000, flags: 3 | Self.noExecution)
    map(Self.directMap + textPage, to: textPage, flags: 3 | Self.noExecution)
    add(constant: Array("nothing of interest".utf8))
    addTypes()
    add(constant: Array("Linux version 6.1.0-test (a model)\n\0".utf8))
    addSymbols()
    memory[u64: physicalBase + 0x80_1100] = Self.directMap + textPage
    memory[u64: physicalBase + 0x80_1200] = data + 0x300
    memory.write(Array("console=model\0".utf8), at: physicalBase + 0x80_1300)
    memory[u64: physicalBase + 0x80_1400] = 1
    // 2026-01-01 and some, a day of which it was suspended.
    let (real, boot): (UInt64, UInt64) = (1_767_225_600_500_000_000, 86_400_000_000_000)
    memory[u64: physicalBase + 0x80_1508] = real
    memory[u64: physicalBase + 0x80_1510] = boot
    memory[u64: physicalBase + 0x80_1518] = UInt64(bitPattern: -1_767_225_601)
    memory[u64: physicalBase + 0x80_1520] = 500_000_000
  }

  mutating func map(_ virtual: UInt64, to physical: UInt64, leaf: Int = 0, flags: UInt64 = 3) {
    memory.map(
      virtual, to: physical, root: root, levels: levels, free: &free, leaf: leaf, flags: flags)
  }

  /// Appends to the constants; returns the virtual address.
  @discardableResult mutating func add(constant: [UInt8]) -> UInt64 {
    let start = constantsEnd
    constantsEnd = (start + UInt64(constant.count) + 7) & ~7
    memory.write(constant, at: physical(start))
    for page in stride(from: start & ~0xfff, to: constantsEnd, by: 4096) {
      map(page, to: physical(page), flags: 1 | Self.noExecution)
    }
    return start
  }

  func physical(_ virtual: UInt64) -> UInt64 { virtual - Self.imageBase + physicalBase }

  private mutating func addTypes() {
    var types = ModelTypes()
    let long = types.add("long unsigned int", 1, word: 8, more: [64])
    let int = types.add("int", 1, word: 4, more: [32])
    let atomic = types.add("", 4, parts: [("counter", int, 0)], word: 4)
    let typedef = types.add("atomic_t", 8, word: atomic)
    let inner = types.add("", 4, parts: [("lru", long, 0), ("mapping", long, 64)], word: 16)
    let union = types.add("", 5, parts: [("", inner, 0), ("compound_head", long, 0)], word: 16)
    types.add(
      "page", 4, parts: [("flags", long, 0), ("", union, 64), ("_refcount", typedef, 192)],
      word: 64)
    types.add("pageflags", 6, values: [("PG_locked", 0), ("PG_dirty", 4)], word: 4)
    types.add("signs", 6, values: [("MINUS_ONE", -1)], word: 4, flag: true)
    types.add("wide", 19, values: [("WIDE", 1 << 40)], word: 8)
    types.add("one", 6, values: [("TWICE", 1)], word: 4)
    types.add("two", 6, values: [("TWICE", 2)], word: 4)
    types.add("seqcount_raw_spinlock_t", 8, word: int)
    let seconds = types.add(
      "timespec64", 4, parts: [("tv_sec", long, 0), ("tv_nsec", long, 64)], word: 16)
    types.add(
      "timekeeper", 4,
      parts: [
        ("offs_real", long, 0), ("offs_boot", long, 64), ("wall_to_monotonic", seconds, 128),
      ],
      word: 32)
    let three = types.add("", 3, more: [long, int, 3])
    types.add(
      "bits", 4, parts: [("narrow", int, 3 << 24), ("three", three, 64)], word: 32, flag: true)
    add(constant: types.bytes)
  }

  /// What the symbols table holds, and two symbols of one name.
  var known: [(name: String, address: UInt64)] {
    [
      ("_stext", stext), ("saved_command_line", data + 0x200),
      (String(repeating: "long", count: 50), data + 0x10), ("tk_core", data + 0x500),
      ("_page_poisoning_enabled", data + 0x400), ("twice", data), ("twice", data + 8),
    ]
  }

  private mutating func addSymbols() {
    var names: [UInt8] = []
    for (name, _) in known {
      let count = name.utf8.count + 1
      names += count < 128 ? [UInt8(count)] : [UInt8(count & 127 | 128), UInt8(count >> 7)]
      names += Array("T".utf8) + Array(name.utf8)
    }
    // A token for each character.
    let tokens: [UInt8] = (0..<256).flatMap { (token: Int) -> [UInt8] in
      token == 0 ? [0] : [UInt8(token), 0]
    }
    var index: [UInt8] = []
    for token in 0..<256 { index += little(UInt64(token == 0 ? 0 : 2 * token - 1), 2) }
    let namesAt = add(constant: names)
    let base = Self.imageBase
    // Where it will lie.
    let offsetsAt = constantsEnd
    var offsets: [UInt8] = []
    for (place, (_, address)) in known.enumerated() {
      let number =
        switch symbols {
        case .signed: base &- 1 &- address
        case .unsigned: address - base
        case .relative: address &- (offsetsAt + 4 * UInt64(place))
        }
      offsets += little(number, 4)
    }
    add(constant: offsets)
    let baseAt = add(constant: little(base, 8))
    let countAt = add(constant: little(UInt64(known.count), 4))
    let tableAt = add(constant: tokens)
    let indexAt = add(constant: index)
    add(constant: [UInt8](repeating: 0, count: 1 << 16))
    var lines = [
      ("names", namesAt), ("offsets", offsetsAt), ("num_syms", countAt), ("token_table", tableAt),
      ("token_index", indexAt),
    ]
    if symbols != .relative { lines.append(("relative_base", baseAt)) }
    symbolLines = lines.map { "SYMBOL(kallsyms_\($0))=\(String($1, radix: 16))\n" }.joined()
  }

  func text(release: String = "6.1.0-test", root: UInt64? = nil) -> [UInt8] {
    let top = Self.imageBase &+ (root ?? self.root) &- physicalBase
    return Array(
      """
      OSRELEASE=\(release)
      PAGESIZE=4096
      SYMBOL(swapper_pg_dir)=\(String(top, radix: 16))
      SYMBOL(_stext)=\(String(stext, radix: 16))
      SIZE(page)=64
      OFFSET(page._refcount)=52
      LENGTH(free_area.free_list)=5
      NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
      NUMBER(phys_base)=\(physicalBase)
      NUMBER(pgtable_l5_enabled)=\(levels == 5 ? 1 : 0)
      \(symbolLines)
      """.utf8)
  }

  /// Puts the text where the kernel's variable points to.
  func writeText() { memory.write(text() + [0], at: textPage) }

  /// The clue of a processor.
  func clues(pageTables: UInt64? = nil) -> MemoryClues {
    var clues = MemoryClues()
    clues.pageTables = [pageTables ?? root]
    return clues
  }

  func refusal(_ clues: MemoryClues = MemoryClues()) -> String? {
    do {
      _ = try LinuxGuest.find(in: memory, clues)
      return nil
    } catch {
      return error.kind == .refused ? error.reason : "not refused: \(error)"
    }
  }
}

private func little(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}

/// BTF, type by type.
struct ModelTypes {
  private var types: [UInt8] = []
  private var names: [UInt8] = [0]
  private var count: UInt32 = 0

  /// Adds a type of a kind; returns its number.
  @discardableResult mutating func add(
    _ name: String, _ kind: UInt32, parts: [(name: String, type: UInt32, position: UInt32)] = [],
    values: [(name: String, value: Int64)] = [], word: UInt32 = 0, flag: Bool = false,
    more: [UInt32] = []
  ) -> UInt32 {
    var words = [
      place(name), (flag ? 1 << 31 : 0) | kind << 24 | UInt32(parts.count + values.count), word,
    ]
    for part in parts { words += [place(part.name), part.type, part.position] }
    for (name, value) in values {
      words += [place(name), UInt32(truncatingIfNeeded: value)]
      if kind == 19 { words.append(UInt32(truncatingIfNeeded: value >> 32)) }
    }
    for word in words + more { types += little(UInt64(word), 4) }
    count += 1
    return count
  }

  private mutating func place(_ name: String) -> UInt32 {
    guard !name.isEmpty else { return 0 }
    defer { names += Array(name.utf8) + [0] }
    return UInt32(names.count)
  }

  var bytes: [UInt8] {
    var header: [UInt8] = [0x9f, 0xeb, 1, 0]
    for word in [24, 0, types.count, types.count, names.count] { header += little(UInt64(word), 4) }
    return header + types + names
  }
}
