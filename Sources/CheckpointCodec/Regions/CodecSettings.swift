public import CheckpointImage

/// How regions are made.
public struct CodecSettings: Hashable, Sendable {
  /// The compression of new regions.
  public var codec: CodecID
  /// The compressor's level.
  public var level: Int32
  /// Pages of a region.
  public var regionPages: Int

  /// Settings; without a level, the codec's fast default.
  ///
  /// 256 pages, 1 MiB: on real guest memory this compresses an eighth faster than 64 pages, at the same
  /// size, and one page is still read back in a millisecond.
  public init(codec: CodecID = .zstd, level: Int32? = nil, regionPages: Int = 256) {
    self.codec = codec
    self.level = level ?? 1
    self.regionPages = regionPages
  }

  /// The levels a codec takes.
  public static func levels(_ codec: CodecID) -> ClosedRange<Int32> {
    switch codec {
    case .none: 1...1
    case .zlib: 1...9
    case .zstd: 1...19
    }
  }
}
