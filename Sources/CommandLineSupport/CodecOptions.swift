package import ArgumentParser
package import CheckpointCodec
package import CheckpointImage

extension CodecID: ExpressibleByArgument {
  /// The codec with this name; nil if there is none.
  package init?(argument: String) {
    guard let codec = Self.allCases.first(where: { $0.name == argument }) else { return nil }
    self = codec
  }

  /// The names of all codecs, for help and completion.
  package static var allValueStrings: [String] { allCases.map(\.name) }
}

/// Options of tools that compress.
package struct CodecOptions: ParsableArguments {
  /// The codec; nil for the default.
  @Option(help: ArgumentHelp("Compress with none, zlib or zstd.", valueName: "codec"))
  package var codec: CodecID?

  /// The level; nil for the default of the codec.
  @Option(
    help: ArgumentHelp(
      "Compression level: zlib 1 to 9, zstd 1 to 19 (default: 1).", valueName: "level"))
  package var level: Int32?

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Rejects a level that the codec does not have.
  package func validate() throws {
    let levels = CodecSettings.levels(codec ?? .zstd)
    if level != nil, codec == CodecID.none {
      throw ValidationError("--level has no meaning with --codec none")
    }
    if let level, !levels.contains(level) {
      throw ValidationError(
        "--level takes a number from \(levels.lowerBound) to \(levels.upperBound) for \((codec ?? .zstd).name)"
      )
    }
  }

  /// The settings that were given; nil if neither option was.
  package var chosen: CodecSettings? {
    guard codec != nil || level != nil else { return nil }
    return CodecSettings(codec: codec ?? .zstd, level: level)
  }
}
