internal import CheckpointImage

/// The kernel's type information in BTF, the compact debug information in its read-only data. The format is
/// described in the kernel's `Documentation/bpf/btf.rst`.
package struct TypeInformation: Sendable {
  /// A member of a structure or union.
  package struct Member: Hashable, Sendable {
    /// The offset in the structure, in bytes.
    package var offset: Int
    /// The size in bytes.
    package var size: Int
  }

  /// The size of the header, in bytes.
  static let headerSize = 24
  /// The magic number, version 1, no flags.
  static let magic: [UInt8] = [0x9f, 0xeb, 0x01, 0x00]
  /// The largest size that is read; a kernel has 4 to 10 MB.
  static let largest = 32 << 20

  /// The bytes from the types on; all offsets below are in them.
  private let bytes: [UInt8]
  /// The offset of the names, which extend to the end and end with a zero byte.
  private let names: Int
  /// The offset of each type; the first entry stands for `void`.
  private var places: [UInt32] = [0]
  /// The types that are enumerations: some hundreds of a hundred thousand.
  private var enumerations: [Int] = []

  /// The total size, by the header; nil if this is not a header.
  static func byteCount(header: [UInt8]) -> Int? {
    guard header.count >= headerSize, header.starts(with: magic) else { return nil }
    let length = Int(header.u32(4))
    let types = (offset: Int(header.u32(8)), count: Int(header.u32(12)))
    let names = (offset: Int(header.u32(16)), count: Int(header.u32(20)))
    guard length >= headerSize, length <= 4096, types.offset % 4 == 0,
      names.offset >= types.offset + types.count, types.count > 0, names.count > 0
    else { return nil }
    let count = length + names.offset + names.count
    return count <= largest ? count : nil
  }

  /// Takes a kernel's BTF; nil if it is malformed. References between types are checked as they are followed.
  package init?(_ whole: [UInt8]) {
    guard let count = Self.byteCount(header: whole), count <= whole.count, whole[count - 1] == 0
    else { return nil }
    let start = Int(whole.u32(4)) + Int(whole.u32(8))
    let end = Int(whole.u32(12))
    bytes = Array(whole[start..<count])
    names = Int(whole.u32(16)) - Int(whole.u32(8))
    guard bytes[names] == 0 else { return nil }
    var place = 0
    while place < end {
      guard place + 12 <= end else { return nil }
      let kind = Kind(info: bytes.u32(place + 4))
      guard let size = Self.size(of: kind), size <= end - place else { return nil }
      if kind.number == Kind.enumeration || kind.number == Kind.enumeration64 {
        enumerations.append(places.count)
      }
      places.append(UInt32(place))
      place += size
    }
  }

  /// The kind of a type, and the number of its parts.
  private struct Kind {
    let number: UInt32
    let parts: Int
    let flag: Bool

    init(info: UInt32) {
      number = info >> 24 & 31
      parts = Int(info & 0xffff)
      flag = info >> 31 != 0
    }

    static let pointer: UInt32 = 2
    static let array: UInt32 = 3
    static let structure: UInt32 = 4
    static let union: UInt32 = 5
    static let enumeration: UInt32 = 6
    static let enumeration64: UInt32 = 19
    static let typedef: UInt32 = 8
    /// Kinds that only modify another type: volatile, const, restrict, type tag.
    static let modifiers: [UInt32] = [9, 10, 11, 18]
    static let sized: [UInt32] = [1, 4, 5, 6, 16, 19]
  }

  /// The size of a type's description; nil if the kind is unknown, since the next type cannot be found then.
  private static func size(of kind: Kind) -> Int? {
    switch kind.number {
    case 2, 7...12, 16, 18: 12
    case 1, 14, 17: 16
    case 3: 24
    case 6, 13: 12 + 8 * kind.parts
    case 4, 5, 15, 19: 12 + 12 * kind.parts
    default: nil
    }
  }

  /// The value of an enumerator, such as `PG_dirty`; nil if there is none, or several with different values.
  package func enumerator(_ name: String) -> Int64? {
    let name = Array(name.utf8)
    var found: Int64?
    for type in enumerations {
      let kind = kind(type)
      let wide = kind.number == Kind.enumeration64
      for part in 0..<kind.parts {
        let place = Int(places[type]) + 12 + part * (wide ? 12 : 8)
        guard isName(place, name) else { continue }
        let low = bytes.u32(place + 4)
        let value =
          wide
          ? Int64(bitPattern: UInt64(low) | UInt64(bytes.u32(place + 8)) << 32)
          // The flag means that values are signed.
          : kind.flag ? Int64(Int32(bitPattern: low)) : Int64(low)
        guard found == nil || found == value else { return nil }
        found = value
      }
    }
    return found
  }

  /// The size in bytes of a named structure, union or type.
  package func size(_ name: String) -> Int? { type(name).flatMap { size($0) } }

  /// A member of a structure, union or typedef: `member("page", "_refcount")`. The path may continue with dots
  /// into members that are structures; anonymous ones are searched too. Bit fields have no byte offset.
  package func member(_ structure: String, _ path: String) -> Member? {
    var current = type(structure)
    var found: Member?
    for name in path.split(separator: ".") {
      // A limit: a structure has a few hundred members, but one may be made to take forever.
      var steps = 1 << 16
      guard let type = current.flatMap({ bare($0) }),
        let (offset, member) = member(type, Array(name.utf8), depth: 0, &steps),
        let size = size(member)
      else { return nil }
      found = Member(offset: (found?.offset ?? 0) + offset, size: size)
      current = member
    }
    return found
  }

  private func member(_ type: Int, _ name: [UInt8], depth: Int, _ steps: inout Int)
    -> (offset: Int, type: Int)?
  {
    let kind = kind(type)
    guard kind.number == Kind.structure || kind.number == Kind.union, depth < 16 else { return nil }
    for part in 0..<kind.parts {
      steps -= 1
      guard steps > 0 else { return nil }
      let place = Int(places[type]) + 12 + 12 * part
      let position = bytes.u32(place + 8)
      let bits = kind.flag ? position & 0xff_ffff : position
      let isField = kind.flag && position >> 24 != 0
      guard bits % 8 == 0, !isField else { continue }
      let offset = Int(bits / 8)
      let member = Int(bytes.u32(place + 4))
      if isName(place, name) { return (offset, member) }
      if isName(place, []), let inner = bare(member),
        let (more, found) = self.member(inner, name, depth: depth + 1, &steps)
      {
        return (offset + more, found)
      }
    }
    return nil
  }

  /// The structure, union or typedef with this name.
  private func type(_ name: String) -> Int? {
    let name = Array(name.utf8)
    var typedef: Int?
    for type in places.indices.dropFirst() where isName(Int(places[type]), name) {
      switch kind(type).number {
      case Kind.structure, Kind.union: return type
      case Kind.typedef: typedef = typedef ?? type
      default: break
      }
    }
    return typedef
  }

  /// The type behind typedefs and modifiers.
  private func bare(_ type: Int) -> Int? {
    var type = type
    for _ in 0..<32 {
      guard type > 0, type < places.count else { return nil }
      let number = kind(type).number
      guard number == Kind.typedef || Kind.modifiers.contains(number) else { return type }
      type = Int(bytes.u32(Int(places[type]) + 8))
    }
    return nil
  }

  private func size(_ type: Int) -> Int? {
    var type = type
    var count = 1
    for _ in 0..<32 {
      guard let bare = bare(type) else { return nil }
      let number = kind(bare).number
      let place = Int(places[bare])
      if number == Kind.array {
        let (product, overflow) = count.multipliedReportingOverflow(by: Int(bytes.u32(place + 20)))
        guard !overflow else { return nil }
        count = product
        type = Int(bytes.u32(place + 12))
        continue
      }
      guard number == Kind.pointer || Kind.sized.contains(number) else { return nil }
      let one = number == Kind.pointer ? 8 : Int(bytes.u32(place + 8))
      let (product, overflow) = count.multipliedReportingOverflow(by: one)
      return overflow ? nil : product
    }
    return nil
  }

  private func kind(_ type: Int) -> Kind { Kind(info: bytes.u32(Int(places[type]) + 4)) }

  /// Whether the name whose offset is at `place` is this one.
  private func isName(_ place: Int, _ name: [UInt8]) -> Bool {
    let start = names + Int(bytes.u32(place))
    guard start + name.count < bytes.count, bytes[start + name.count] == 0 else { return false }
    for byte in name.indices where bytes[start + byte] != name[byte] { return false }
    return true
  }
}
