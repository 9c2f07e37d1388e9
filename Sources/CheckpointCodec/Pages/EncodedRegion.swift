package import CheckpointImage

/// A region ready to be written: its body, and which of its pages are still the truth.
package struct EncodedRegion: Sendable {
  /// A page of the region that an index entry will refer to.
  package struct LivePage: Hashable, Sendable {
    /// Its place in the region.
    package var slot: UInt8
    /// The page's number.
    package var pfn: PFN
    /// The PV page type.
    package var type: PageType
    /// SHA-256 of the contents.
    package var digest: Digest

    /// Makes a page.
    package init(slot: UInt8, pfn: PFN, type: PageType, digest: Digest) {
      self.slot = slot
      self.pfn = pfn
      self.type = type
      self.digest = digest
    }
  }

  /// The segment's body.
  package var body: ArraySlice<UInt8>
  /// The pages in use, ascending by slot.
  package var live: [LivePage]
  /// Pages in the region that are not in use.
  package var deadCopies: Int

  /// Makes a region.
  package init(body: ArraySlice<UInt8>, live: [LivePage], deadCopies: Int) {
    self.body = body
    self.live = live
    self.deadCopies = deadCopies
  }
}
