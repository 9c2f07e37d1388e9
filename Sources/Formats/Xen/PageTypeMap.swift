internal import CheckpointImage

/// The pages that a stream populated, with their PV types.
struct PageTypeMap {
  private static let absent: UInt8 = 0xff
  private var blocks: [BlockNumber: [UInt8]] = [:]

  /// The number of blocks of 512 pages with a populated page; each takes 512 bytes.
  var blockCount: Int { blocks.count }

  /// The type of a page; nil if it is not populated.
  subscript(pfn: PFN) -> PageType? {
    get {
      let number = BlockNumber(containing: pfn)
      guard let type = blocks[number]?[number.slot(of: pfn)], type != Self.absent else {
        return nil
      }
      return type
    }
    set {
      let number = BlockNumber(containing: pfn)
      blocks[number, default: [UInt8](repeating: Self.absent, count: Limits.blockPages)][
        number.slot(of: pfn)] = newValue ?? Self.absent
    }
  }
}
