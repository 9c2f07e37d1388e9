/// The number of a block: 512 pages that lie side by side, 2 MiB of guest. A page's place in its block, 0 to 511, is
/// its slot.
package struct BlockNumber: Hashable, Sendable {
  /// PFN / 512, as images hold it.
  package let value: UInt64

  /// The block with a number.
  package init(_ value: UInt64) { self.value = value }

  /// The block that a page is in.
  package init(containing pfn: PFN) { value = pfn / Self.pageCount }

  /// The greatest number.
  package static var last: BlockNumber { BlockNumber(containing: Limits.pfnEnd - 1) }

  private static var pageCount: UInt64 { UInt64(Limits.blockPages) }

  /// The block's first page.
  package var firstPage: PFN { value * Self.pageCount }

  /// The block's pages.
  package var pages: Range<PFN> { firstPage..<firstPage + Self.pageCount }

  /// The page in a slot.
  package func pfn(_ slot: Int) -> PFN { firstPage + UInt64(slot) }

  /// The slot of a page of this block.
  package func slot(of pfn: PFN) -> Int { Int(pfn - firstPage) }

  /// The slots of those of some pages that are in this block.
  package func slots(of pages: Range<PFN>) -> Range<Int> {
    let part = pages.clamped(to: self.pages)
    return part.isEmpty ? 0..<0 : slot(of: part.lowerBound)..<slot(of: part.upperBound)
  }

  /// The blocks that have some of these pages.
  package static func covering(_ pages: Range<PFN>) -> Range<BlockNumber> {
    let first = BlockNumber(containing: pages.lowerBound)
    guard let last = pages.last else { return first..<first }
    return first..<BlockNumber(containing: last).advanced(by: 1)
  }
}

extension BlockNumber: Strideable {
  package func distance(to other: BlockNumber) -> Int { value.distance(to: other.value) }
  package func advanced(by count: Int) -> BlockNumber { BlockNumber(value.advanced(by: count)) }

  // Strideable's own would subtract.
  package static func < (a: BlockNumber, b: BlockNumber) -> Bool { a.value < b.value }
  package static func == (a: BlockNumber, b: BlockNumber) -> Bool { a.value == b.value }
}

extension BlockNumber: CustomStringConvertible {
  package var description: String { "\(value)" }
}

extension BlockNumber {
  init(parsing reader: inout WireReader) throws(CheckpointError) {
    value = try reader.read()
    try reader.expect("block", value, in: 0...Self.last.value)
  }
}
