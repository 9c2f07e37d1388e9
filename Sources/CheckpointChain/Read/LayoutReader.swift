internal import CheckpointCodec
internal import CheckpointImage

/// The layout items of an image, one after the other.
struct LayoutReader {
  /// Where the segment of the item given out last begins.
  private(set) var offset: UInt64?
  private let image: ImageFile
  private var segments: ArraySlice<ImageRoot.DirectoryEntry>
  private var items: ArraySlice<LayoutItem> = []

  init(_ image: ImageFile) {
    self.image = image
    segments =
      image.root.directory.filter { $0.rawKind == SegmentKind.layout.rawValue }[...]
  }

  /// The next item; nil at the end.
  mutating func next() throws(CheckpointError) -> LayoutItem? {
    while items.isEmpty {
      guard let segment = segments.popFirst() else { return nil }
      offset = segment.offset
      let body = try image.body(of: segment)
      do throws(CheckpointError) {
        items = try LayoutItem.parseList(
          body.rawSpan, at: segment.offset + UInt64(SegmentFrame.byteCount))[...]
      } catch {
        throw error.inFile(image.name)
      }
    }
    return items.popFirst()
  }
}
