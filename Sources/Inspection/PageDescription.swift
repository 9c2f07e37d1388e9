package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage

/// One page of a chain: its state and contents, and the image that holds them.
package struct PageDescription: Sendable {
  /// The page's number.
  package let pfn: PFN
  /// The page's index entry.
  package let entry: PageEntry
  /// The youngest image that describes the page; nil if none does.
  package let image: ImageFile?
  /// Its 4096 bytes; zeros if the contents are unknown.
  package let bytes: [UInt8]

  /// Looks up a page, and reads and verifies its contents.
  package init(_ pfn: PFN, of chain: Chain) throws(CheckpointError) {
    let number = BlockNumber(containing: pfn)
    let slot = number.slot(of: pfn)
    let block = try chain.block(number)
    let place = block?.image[slot] ?? -1
    self.pfn = pfn
    entry = block?.entries[slot] ?? .unpopulated
    image = place < 0 ? nil : chain.images[Int(place)]
    let buffer = try PageReader(chain).read([pfn..<pfn + 1]).buffer
    // SAFETY: the bytes are copied before the closure returns.
    bytes = unsafe buffer.page(0).withUnsafeBytes { unsafe Array($0) }
  }
}
