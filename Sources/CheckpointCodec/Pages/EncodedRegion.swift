public import CheckpointImage

/// A region ready to be written: its body, and which of its pages are still the truth.
public struct EncodedRegion: Sendable {
  /// A page of the region that an index entry will refer to.
  public struct LivePage: Hashable, Sendable {
    /// Its place in the region.
    public var slot: UInt8
    /// The page's number.
    public var pfn: PFN
    /// The PV page type.
    public var type: PageType
    /// SHA-256 of the contents.
    public var digest: Digest

    /// Makes a page.
    public init(slot: UInt8, pfn: PFN, type: PageType, digest: Digest) {
      self.slot = slot
      self.pfn = pfn
      self.type = type
      self.digest = digest
    }
  }

  /// The segment's body.
  public var body: [UInt8]
  /// The pages in use, ascending by slot.
  public var live: [LivePage]
  /// Pages in the region that are not in use.
  public var deadCopies: Int

  /// Makes a region.
  public init(body: [UInt8], live: [LivePage], deadCopies: Int) {
    self.body = body
    self.live = live
    self.deadCopies = deadCopies
  }
}
