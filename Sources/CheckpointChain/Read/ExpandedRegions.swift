internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// A region's place, header and pages.
struct ExpandedRegion: Sendable {
  /// Which region of which image.
  struct Key: Hashable, Sendable {
    var image: Int32
    var offset: UInt64
    var length: UInt32
  }

  var place: SegmentPlace
  var header: RegionHeader
  var buffer: PageBuffer

  /// How many bytes of expanded regions are kept for a chain of so many images: neighbours want pages of the same
  /// regions at about the same time, and a longer chain has more regions under each range of pages.
  static func limit(images: Int) -> Int { min(12 + images, 64) << 20 }
}
