package import ArgumentParser
package import CheckpointCodec
package import CheckpointImage

extension CodecID: ExpressibleByArgument {
  /// A codec by its name.
  package init?(argument: String) {
    guard let codec = Self.allCases.first(where: { $0.name == argument }) else { return nil }
    self = codec
  }

  /// The names.
  package static var allValueStrings: [String] { allCases.map(\.name) }
}

/// Options of tools that compress.
package struct CodecOptions: ParsableArguments {
  /// The codec.
  @Option(help: ArgumentHelp("Compress with none, zlib or zstd.", valueName: "codec"))
  package var codec: CodecID?

  /// The level.
  @Option(
    help: ArgumentHelp(
      "Compression level: zlib 1 to 9, zstd 1 to 19 (default: 1).", valueName: "level"))
  package var level: Int32?

  /// Makes the options.
  package init() {}

  /// Refuses impossible values.
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

  /// What was asked for; nil if nothing was.
  package var chosen: CodecSettings? {
    guard codec != nil || level != nil else { return nil }
    return CodecSettings(codec: codec ?? .zstd, level: level)
  }
}
