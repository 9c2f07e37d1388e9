internal import CheckpointImage

/// The kernel's own table of its symbols (kallsyms), as far as VMCOREINFO says where it lies: since Linux 6.0.
///
/// A name is a sequence of tokens, of which there are 256; the first character is the kind of the symbol.
struct KernelSymbols {
  /// A kernel has about 150,000.
  private static let most: UInt64 = 1 << 21
  /// The most bytes of all names together, as tokens.
  private static let longest = 16 << 20

  private let names: [UInt8]
  private let tokens: [[UInt8]]
  private let offsets: [UInt8]
  private var encoding: Encoding

  /// How a number stands for an address.
  private enum Encoding {
    /// Those of 0 and more are addresses, of variables each processor has its own of; negative ones count from
    /// the base: the kernels that link such variables to zero.
    case signed(base: UInt64)
    /// All count from the base.
    case unsigned(base: UInt64)
    /// Each counts from where it lies itself.
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

  /// Reads the table; nil if VMCOREINFO does not say where it is, or it does not give the address of a symbol
  /// that VMCOREINFO gives too.
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
    // The last token is as short as any: no name is longer.
    guard let table = try guest.bytes(at: table, count: (starts.max() ?? 0) + 128) else {
      return nil
    }
    return starts.map { Array(table[$0..<$0 + 128].prefix { $0 != 0 }) }
  }

  /// The names behind each other: how long the table is only they tell.
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

  /// Where the tokens of a name are: their number stands before them, in two bytes from 128 on.
  private static func tokens(_ names: [UInt8], at place: Int) -> Range<Int> {
    let first = Int(names[place])
    guard first >= 128 else { return place + 1..<place + 1 + first }
    let count = first & 127 | Int(names[place + 1]) << 7
    return place + 2..<place + 2 + count
  }

  /// The address of the symbol of this name; nil if there is none, or more than one.
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
    // The kind stands first.
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
