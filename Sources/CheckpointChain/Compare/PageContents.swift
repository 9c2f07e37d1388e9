internal import CheckpointCodec
package import CheckpointImage
internal import Storage

/// Reads pages of two moments side by side, every one checked.
package struct PageContents {
  private let before: PageReader
  private let after: PageReader
  private let cancellation: Cancellation

  /// A reader of both moments.
  package init(_ pair: ChainPair) {
    before = PageReader(pair.before)
    after = PageReader(pair.after)
    cancellation = pair.after.cancellation
  }

  /// Reads pages in both moments and gives their bytes, one page after the other, to `body`.
  package func read(
    _ pages: Range<PFN>,
    each body: (PFN, RawSpan, RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var first = pages.lowerBound
    while first < pages.upperBound {
      try cancellation.check()
      let end = min(pages.upperBound, first + UInt64(PageBuffer.capacity))
      let old = try before.read([first..<end])
      let new = try after.read([first..<end])
      for pfn in first..<end {
        let slot = Int(pfn - first)
        try body(pfn, old.buffer.page(slot), new.buffer.page(slot))
      }
      first = end
    }
  }
}
