package import CheckpointCodec
package import CheckpointImage
internal import Storage

/// What the bytes of an image are used for.
package struct StorageStatistics: Sendable {
  /// The regions of one codec.
  package struct Regions: Sendable {
    /// The number of regions.
    package var count: UInt64 = 0
    /// The number of pages in them.
    package var pages: UInt64 = 0
    /// Pages that an index entry of the image refers to; the others are dead copies.
    package var livePages: UInt64 = 0
    /// The size of their segments in bytes.
    package var storedBytes: UInt64 = 0
    /// The size of their pages in bytes.
    package var expandedBytes: UInt64 { pages * UInt64(Limits.pageSize) }
  }

  /// Segments of one kind.
  package struct Segments: Sendable {
    /// The number of segments.
    package var count: UInt64 = 0
    /// Their size in bytes.
    package var bytes: UInt64 = 0
  }

  /// The regions by codec.
  package private(set) var regions: [CodecID: Regions] = [:]
  /// All other segments, by the name of their kind.
  package private(set) var segments: [String: Segments] = [:]
  /// The size of the file in bytes.
  package let bytes: UInt64

  /// Counts by the image's segments and index; no region is expanded.
  package init(_ image: ImageFile) throws(CheckpointError) {
    bytes = image.storage.length
    do throws(CheckpointError) {
      let codecs = try readSegments(image)
      for entry in try image.blocks() {
        try image.cancellation.check()
        for page in try image.indexBlock(entry).entries where page.status.state == .data {
          guard let codec = codecs[page.location.offset] else {
            throw CheckpointError(
              .damaged, "a page in a region at byte \(page.location.offset), where none begins",
              structure: "index block", offset: entry.offset)
          }
          regions[codec]?.livePages += 1
        }
      }
    } catch {
      throw error.inFile(image.name)
    }
  }

  /// Counts the segments; returns the codec of each region by its offset.
  private mutating func readSegments(_ image: ImageFile) throws(CheckpointError)
    -> [UInt64: CodecID]
  {
    var codecs: [UInt64: CodecID] = [:]
    var offset: UInt64 = 0
    let storage = ReadAhead(image.storage, pieces: 4)
    while offset < storage.length {
      try image.cancellation.check()
      let place = try SegmentPlace(
        in: storage, at: offset, alignmentShift: image.header.alignmentShift)
      if place.frame.kind == .region {
        let segment = try Segment(place, in: storage)
        let header = try RegionHeader(parsing: segment.body.rawSpan, at: offset)
        codecs[offset] = header.codec
        regions[header.codec, default: Regions()].count += 1
        regions[header.codec]?.pages += UInt64(header.pageCount)
        regions[header.codec]?.storedBytes += place.length
      } else {
        let name = place.frame.kind?.name ?? "kind \(place.frame.rawKind)"
        segments[name, default: Segments()].count += 1
        segments[name]?.bytes += place.length
      }
      offset = place.end
    }
    return codecs
  }
}
