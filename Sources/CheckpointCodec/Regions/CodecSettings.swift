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
  /// 64 pages, 256 KiB: on real guest memory 32 pages cost 2.5 % in size and gain no speed, and one page
  /// is still read back in a fifth of a millisecond.
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
