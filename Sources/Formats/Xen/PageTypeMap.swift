internal import CheckpointImage

/// The pages that a stream populated, with their PV types.
struct PageTypeMap {
  private static let absent: UInt8 = 0xff
  private var blocks: [UInt64: [UInt8]] = [:]

  /// The number of blocks of 512 pages with a populated page; each takes 512 bytes.
  var blockCount: Int { blocks.count }

  /// The type of a page; nil if it is not populated.
  subscript(pfn: PFN) -> PageType? {
    get {
      let (number, slot) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
      guard let type = blocks[number]?[Int(slot)], type != Self.absent else { return nil }
      return type
    }
    set {
      let (number, slot) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
      blocks[
        number, default: [UInt8](repeating: Self.absent, count: Limits.blockPages)][Int(slot)] =
        newValue ?? Self.absent
    }
  }
}
