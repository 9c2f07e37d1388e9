package import CheckpointImage

/// What flows from a source through the steps into an image. `Pages` is what the pages have become so far:
///
/// | type | what it is | made by |
/// |---|---|---|
/// | `PageBatch` | pages as the source has them | sources |
/// | `RegionContent` | zero pages found, the others hashed; or regions taken over as they are | `digestPages`, merging |
/// | `PackedContent` | full batches of pages to be stored, and regions | `packRegions` |
/// | `[EncodedRegion]` | compressed regions | `compress` |
///
/// `Deferred` of any of them is still to be worked out. Within a pass each PFN comes at most once, as a page or in
/// an extent; of several passes the last copy counts.
package enum CheckpointEvent<Pages: Sendable>: Sendable {
  /// Pages that have, or had, contents.
  case pages(Pages)
  /// Pages without contents.
  case states(StateExtent)
  /// A part of the machine's state.
  case record(MachineRecord)
  /// How the source laid out its bytes.
  case layout(LayoutItem)
  /// From here on, PFNs may come again that came before.
  case newPass
}

/// What a source gives of a moment that is to be captured.
package typealias SourceEvent = CheckpointEvent<PageBatch>

/// Something that is still to be worked out, on any core.
package struct Deferred<Value: Sendable>: Sendable {
  /// Works it out.
  package let work: @Sendable () throws(CheckpointError) -> Value

  /// What `work` will give.
  package init(_ work: @escaping @Sendable () throws(CheckpointError) -> Value) {
    self.work = work
  }
}

/// Pages to be stored in an image: each is hashed, unless it has no contents.
package enum RegionContent: Sendable {
  /// Pages that will be compressed. Those that are data have a digest.
  case pages(PageBatch)
  /// Regions of another image, as they are.
  case regions([EncodedRegion])
}

/// Pages in the batches in which they are compressed, all of them data, each hashed.
package enum PackedContent: Sendable {
  /// Pages that will be compressed.
  case pages(PageBatch)
  /// Regions of another image, as they are.
  case regions([EncodedRegion])
}
