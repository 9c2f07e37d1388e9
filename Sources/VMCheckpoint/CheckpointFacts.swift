internal import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage
internal import Operations
internal import Storage

/// What is known of a moment besides its memory (Spec, "Provenance" and "Root").
public struct CheckpointFacts: Hashable, Sendable {
  /// The images of the chain, the youngest first.
  public var images: [Image]
  /// Pages by state, at the moment itself; unpopulated ones are not counted.
  public var pages: [PageState: UInt64]
  /// One past the last page frame number (PFN) that may be populated; a page has 4096 bytes.
  public var pageEnd: UInt64
  /// The guest's UUID, as its host wrote it.
  public var guestID: String?
  /// When the moment was: UTC as ISO 8601 has it, with nanoseconds.
  public var moment: String?
  /// Whether the guest was suspended at that time; if not, it is the time at which the source was written or the
  /// capture began.
  public var isExact: Bool
  /// Why no guest can go on from it; nil if nothing is known against that.
  public var obstacle: CheckpointError?

  /// An image of a chain.
  public struct Image: Hashable, Sendable {
    /// The name under which it was opened.
    public var name: String
    /// Bytes of the file.
    public var bytes: UInt64
    /// The identity of the file (Spec, "Digests and identities").
    public var fileID: Digest
  }

  init(_ chain: Chain) throws(CheckpointError) {
    images = chain.images.map {
      Image(name: $0.name, bytes: $0.storage.length, fileID: $0.trailer.fileID)
    }
    var pages: [PageState: UInt64] = [:]
    try StatusRuns.forEach(of: chain) { run, status in
      pages[status.state, default: 0] += UInt64(run.count)
    }
    self.pages = pages
    pageEnd = ChainMemory(chain).limit
    let facts = MomentFacts(try chain.tip.provenance())
    guestID = facts.guestID
    moment = facts.time?.text
    isExact = facts.time?.origin == .suspended
    do throws(CheckpointError) {
      try Restorability(of: chain).checkExport()
    } catch {
      guard error.kind == .refused else { throw error }
      obstacle = error
    }
  }
}
