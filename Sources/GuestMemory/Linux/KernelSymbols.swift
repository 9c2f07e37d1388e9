internal import CheckpointImage

/// The kernel's symbol table (kallsyms), if VMCOREINFO states where it is: since Linux 6.0.
///
/// A name is a sequence of tokens, of which there are 256; its first character is the kind of the symbol.
struct KernelSymbols {
  /// A limit; a kernel has about 150,000 symbols.
  private static let most: UInt64 = 1 << 21
  /// The most bytes of all names together, as tokens.
  private static let longest = 16 << 20

  private let names: [UInt8]
  private let tokens: [[UInt8]]
  private let offsets: [UInt8]
  private var encoding: Encoding

  /// How addresses are encoded.
  private enum Encoding {
    /// Values of 0 and more are addresses of per-CPU variables; negative ones count from the base. For kernels
    /// that link such variables at zero.
    case signed(base: UInt64)
    /// All values count from the base.
    case unsigned(base: UInt64)
    /// Each value counts from its own place.
    case relative(table: UInt64)

    func address(_ number: UInt32, place: Int) -> UInt64 {
      let signed = Int64(Int32(bitPattern: number))
      return switch self {
      case .signed(let base): signed < 0 ? base &- 1 &- UInt64(bitPattern: signed) : UInt64(number)
      case .unsigned(let base): base &+ UInt64(number)
      case .relative(let table): table &+ UInt64(4 * place) &+ UInt64(bitPattern: signed)
      }
    }
  }

  /// Reads the table; nil if VMCOREINFO does not state where it is, or if it disagrees with an address in
  /// VMCOREINFO.
  init?(_ guest: LinuxGuest) throws(CheckpointError) {
    let information = guest.information
    guard let namesAt = information.symbol("kallsyms_names"),
      let countAt = information.symbol("kallsyms_num_syms"),
      let tableAt = information.symbol("kallsyms_token_table"),
      let indexAt = information.symbol("kallsyms_token_index"),
      let offsetsAt = information.symbol("kallsyms_offsets"),
      let known = information.symbol("_stext"),
      let count = try guest.bytes(at: countAt, count: 4)?.u32(0), count < Self.most,
      let tokens = try Self.tokens(guest, table: tableAt, index: indexAt),
      let names = try Self.names(guest, at: namesAt, count: Int(count)),
      let offsets = try guest.bytes(at: offsetsAt, count: 4 * Int(count))
    else { return nil }
    self.names = names
    self.tokens = tokens
    self.offsets = offsets
    var encodings = [Encoding.relative(table: offsetsAt)]
    if let baseAt = information.symbol("kallsyms_relative_base"),
      let base = try guest.bytes(at: baseAt, count: 8)?.u64(0)
    {
      encodings = [.signed(base: base), .unsigned(base: base)]
    }
    encoding = encodings[0]
    guard let place = place(of: "_stext"),
      let fitting = encodings.first(where: {
        $0.address(offsets.u32(4 * place), place: place) == known
      })
    else { return nil }
    encoding = fitting
  }

  private static func tokens(_ guest: LinuxGuest, table: UInt64, index: UInt64)
    throws(CheckpointError) -> [[UInt8]]?
  {
    guard let index = try guest.bytes(at: index, count: 512) else { return nil }
    let starts = (0..<256).map { Int(index.u16(2 * $0)) }
    // The length of the last token is unknown, but no name is longer than this.
    guard let table = try guest.bytes(at: table, count: (starts.max() ?? 0) + 128) else {
      return nil
    }
    return starts.map { Array(table[$0..<$0 + 128].prefix { $0 != 0 }) }
  }

  /// The names, concatenated. The size of the table follows only from reading it.
  private static func names(_ guest: LinuxGuest, at start: UInt64, count: Int)
    throws(CheckpointError) -> [UInt8]?
  {
    var names: [UInt8] = []
    var place = 0
    for _ in 0..<count {
      while place + 2 > names.count {
        let (next, overflow) = start.addingReportingOverflow(UInt64(names.count))
        guard names.count < longest, !overflow,
          let more = try guest.bytes(at: next, count: 1 << 16)
        else { return nil }
        names += more
      }
      place = Self.tokens(names, at: place).upperBound
    }
    return place <= names.count ? names : nil
  }

  /// The tokens of a name: their number comes first, in two bytes if it is 128 or more.
  private static func tokens(_ names: [UInt8], at place: Int) -> Range<Int> {
    let first = Int(names[place])
    guard first >= 128 else { return place + 1..<place + 1 + first }
    let count = first & 127 | Int(names[place + 1]) << 7
    return place + 2..<place + 2 + count
  }

  /// The address of the symbol with this name; nil if there is none or several.
  func address(_ name: String) -> UInt64? {
    place(of: name).map { encoding.address(offsets.u32(4 * $0), place: $0) }
  }

  private func place(of name: String) -> Int? {
    let name = Array(name.utf8)
    var found: Int?
    var next = 0
    for place in 0..<offsets.count / 4 {
      let range = Self.tokens(names, at: next)
      next = range.upperBound
      guard isName(range, name) else { continue }
      guard found == nil else { return nil }
      found = place
    }
    return found
  }

  private func isName(_ range: Range<Int>, _ name: [UInt8]) -> Bool {
    // The kind comes first.
    var matched = -1
    for place in range {
      for byte in tokens[Int(names[place])] {
        guard matched < 0 || matched < name.count && name[matched] == byte else { return false }
        matched += 1
      }
    }
    return matched == name.count
  }
}
