internal import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage
internal import Formats
internal import Operations
public import Storage

/// How far work is, from 0 to 1; nil where its end is not known.
public typealias Progress = (Double?) -> Void

/// How an image is written.
public struct WriteOptions: Hashable, Sendable {
  /// How pages are compressed.
  public enum Compression: Hashable, Sendable {
    /// Not at all.
    case none
    /// zlib, levels 1 to 9.
    case zlib(level: Int)
    /// Zstandard, levels 1 to 19.
    case zstd(level: Int)
  }

  /// How pages are compressed.
  public var compression: Compression
  /// Processors to work on at once; nil for all.
  public var threads: Int?
  /// What is written into the image's history, such as who made it: texts by key (Spec, "Provenance").
  public var history: [String: String]

  /// Zstandard's level 1 on all processors.
  public init(
    compression: Compression = .zstd(level: 1), threads: Int? = nil, history: [String: String] = [:]
  ) {
    self.compression = compression
    self.threads = threads
    self.history = history
  }

  /// The settings of regions; a level that the codec lacks is refused.
  func settings() throws(CheckpointError) -> CodecSettings {
    let (codec, level): (CodecID, Int) =
      switch compression {
      case .none: (.none, 1)
      case .zlib(let level): (.zlib, level)
      case .zstd(let level): (.zstd, level)
      }
    let levels = CodecSettings.levels(codec)
    guard let level = Int32(exactly: level), levels.contains(level) else {
      throw CheckpointError(
        .refused,
        "\(codec.name) level \(level): expected \(levels.lowerBound) to \(levels.upperBound)")
    }
    return CodecSettings(codec: codec, level: level)
  }

  func pool(_ cancellation: Cancellation) -> WorkerPool {
    WorkerPool(
      width: threads.map { min($0, WorkerPool.processors) }, cancellation: cancellation)
  }

  /// What an image's history says of what was done, and when it began.
  func provenance(_ action: String) -> Provenance {
    var provenance = Provenance()
    provenance.add("action", action)
    provenance.add("start", UTCTime.now)
    for (key, value) in history.sorted(by: { $0.key < $1.key }) { provenance.add(key, value) }
    return provenance
  }
}

extension Checkpoint {
  /// Captures one moment into `sink`, which is committed: a base, or with a parent an increment that holds only what
  /// differs from it.
  ///
  /// - Parameters:
  ///   - source: what is captured; it is read to its end.
  ///   - parent: the moment before, of the same guest.
  ///   - options: how pages are compressed, and what the image's history says.
  ///   - sink: where the image is written.
  ///   - cancellation: ends the capture; nothing is left under the sink's name then.
  ///   - progress: called now and then with the part that is done, from 0 to 1; nil if it is not known.
  /// - Returns: the identity of the moment.
  /// - Throws: `.mismatch` if the parent is of another guest; errors of the source and of the sink.
  @discardableResult
  public static func capture(
    _ source: CaptureSource, parent: Checkpoint? = nil, options: WriteOptions = WriteOptions(),
    to sink: any ByteSink, cancellation: Cancellation = Cancellation(),
    progress: Progress = { _ in }
  ) throws(CheckpointError) -> Digest {
    var capture = Operations.Capture(
      settings: try options.settings(), parent: parent.map { ParentState($0.chain) },
      provenance: options.provenance("capture"))
    capture.keepsUnfinished = false
    let result = try capture.run(
      .source(source.source), to: sink, on: options.pool(cancellation), progress: progress
    ) { $0.add("end", UTCTime.now) }
    try sink.commit()
    return result.image.checkpointID
  }

  /// Makes one image of the moment's chain in `sink`, which is committed: a base, or an increment on an ancestor. The
  /// moment keeps its identity, and every page is proven before the image is complete.
  ///
  /// - Parameters:
  ///   - ancestor: the moment that stays the parent; nil for a base.
  ///   - recompress: compress everything anew with the options' compression; else what can be kept is copied.
  ///   - options: how what is compressed anew is compressed, and what the image's history says.
  ///   - sink: where the image is written.
  ///   - cancellation: ends the merge; nothing is left under the sink's name then.
  ///   - progress: called now and then with the part that is done, from 0 to 1; nil if it is not known.
  public func merge(
    onto ancestor: Digest? = nil, recompress: Bool = false, options: WriteOptions = WriteOptions(),
    to sink: any ByteSink, cancellation: Cancellation = Cancellation(),
    progress: Progress = { _ in }
  ) throws(CheckpointError) {
    let merge = Merge.Options(
      onto: ancestor, settings: recompress ? try options.settings() : nil,
      provenance: options.provenance("merge"))
    _ = try Merge.run(
      chain, merge, to: sink, on: options.pool(cancellation), progress: progress)
    try sink.commit()
  }
}
