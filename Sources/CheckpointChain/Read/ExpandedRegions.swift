internal import CheckpointCodec
internal import CheckpointImage
internal import Storage
internal import Synchronization

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
  let pagesRead = PagesRead()

  /// How many of its pages were read so far.
  final class PagesRead: Sendable {
    private let count = Atomic<Int>(0)

    /// Adds to the number and returns the sum.
    func add(_ pages: Int) -> Int { count.wrappingAdd(pages, ordering: .relaxed).newValue }
  }

  /// How many bytes of expanded regions are kept for a chain of so many images: neighbours want pages of the same
  /// regions at about the same time, and a longer chain has more regions under each range of pages.
  static func limit(images: Int) -> Int { min(9 + images, 64) << 20 }
}
