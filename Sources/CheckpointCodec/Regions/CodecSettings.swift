package import CheckpointImage

/// How regions are made.
package struct CodecSettings: Hashable, Sendable {
  /// The compression of new regions.
  package var codec: CodecID
  /// The compressor's level.
  package var level: Int32
  /// Pages of a region.
  package var regionPages: Int

  /// Settings; without a level, the codec's fast default.
  ///
  /// 256 pages, 1 MiB: on real guest memory this compresses an eighth faster than 64 pages, at the same
  /// size, and one page is still read back in a millisecond.
  package init(codec: CodecID = .zstd, level: Int32? = nil, regionPages: Int = 256) {
    self.codec = codec
    self.level = level ?? 1
    self.regionPages = regionPages
  }

  /// The levels a codec takes.
  package static func levels(_ codec: CodecID) -> ClosedRange<Int32> {
    switch codec {
    case .none: 1...1
    case .zlib: 1...9
    case .zstd: 1...19
    }
  }
}
