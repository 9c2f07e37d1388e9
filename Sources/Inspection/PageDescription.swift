package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage

/// One page of a chain: what is known of it, and which image says so.
package struct PageDescription: Sendable {
  /// The page's number.
  package let pfn: PFN
  /// What the index says of it.
  package let entry: PageEntry
  /// The image whose word on the page counts; nil if none has one.
  package let image: ImageFile?
  /// Its 4096 bytes; zeros if they are not known.
  package let bytes: [UInt8]

  /// Looks a page up, and reads and checks its contents.
  package init(_ pfn: PFN, of chain: Chain) throws(CheckpointError) {
    let (number, slot) = pfn.quotientAndRemainder(dividingBy: UInt64(Limits.blockPages))
    let block = try chain.block(number)
    let place = block?.image[Int(slot)] ?? -1
    self.pfn = pfn
    entry = block?.entries[Int(slot)] ?? .unpopulated
    image = place < 0 ? nil : chain.images[Int(place)]
    let buffer = try PageReader(chain).read([pfn..<pfn + 1]).buffer
    bytes = unsafe buffer.page(0).withUnsafeBytes { unsafe Array($0) }
  }
}
