/// The types of pages that cannot be mapped, which share a field with the mapping count.
///
/// Up to Linux 6.11 a type is a bit that is cleared in a word of ones, since 6.12 it is a number in the upper
/// byte. The type of free blocks, which the kernel states, shows which of them applies.
struct PageTypes: Sendable {
  /// The field of an unmapped page without a type.
  static let none = UInt32.max

  let buddy: UInt32
  let offline, slab, hugeTLB, unaccepted: UInt32?
  /// The types of page tables.
  var tables: [UInt32]
  /// The bits of the field that contain the type.
  private let mask: UInt32

  /// - Parameter number: returns a constant of VMCOREINFO.
  /// - Parameter enumerator: returns a constant of the kernel's type information.
  /// - Returns: nil if the kernel does not state how free pages are marked.
  init?(number: (String) -> Int64?, enumerator: (String) -> Int64?) {
    func stated(_ name: String) -> UInt32? {
      number("PAGE_\(name)_MAPCOUNT_VALUE").map { UInt32(truncatingIfNeeded: $0) }
    }
    guard let buddy = stated("BUDDY"), Self.isType(buddy) else { return nil }
    func typed(_ name: String) -> UInt32? {
      func encoded(_ name: String) -> UInt32? {
        if let number = enumerator("PGTY_\(name)") {
          return UInt32(truncatingIfNeeded: number) << 24
        }
        return enumerator("PG_\(name)").map { ~UInt32(truncatingIfNeeded: $0) }
      }
      return encoded("buddy") == buddy ? encoded(name) : nil
    }
    self.buddy = buddy
    offline = stated("OFFLINE")
    slab = stated("SLAB")
    hugeTLB = stated("HUGETLB")
    unaccepted = stated("UNACCEPTED")
    tables = [typed("table")].compactMap(\.self)
    mask = buddy & 0xff_ffff == 0 ? 0xff00_0000 : .max
  }

  /// Whether the field is a type rather than a mapping count.
  static func isType(_ field: UInt32) -> Bool { Int32(bitPattern: field) < -1 }

  /// Whether the field is this type.
  func matches(_ field: UInt32, _ type: UInt32?) -> Bool {
    guard let type else { return false }
    return (field ^ type) & mask == 0
  }
}
