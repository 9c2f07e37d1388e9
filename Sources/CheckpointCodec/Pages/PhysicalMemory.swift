package import CheckpointImage

/// A guest's memory at one moment, page by page in any order: a file, a chain, or a domain. Whoever reads it for long
/// relies on `copy` to notice a cancellation.
package protocol PhysicalMemory: AnyObject {
  /// Every PFN that may have a page is below.
  var limit: PFN { get }
  /// The pages that may have known contents, as runs that ascend: all others are not known.
  var runs: [Range<PFN>] { get }
  /// Copies pages to consecutive slots of a buffer. In page tables, frames are the guest's PFNs.
  ///
  /// - Returns: the places in `pfns` of pages whose contents are not known; their slots are unspecified.
  func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int) throws(CheckpointError)
    -> [Int]
}

/// Memory that several threads may copy from at once.
package protocol ConcurrentMemory: PhysicalMemory, Sendable {}

extension PhysicalMemory {
  /// Any page below the limit.
  package var runs: [Range<PFN>] { [0..<limit] }
}
