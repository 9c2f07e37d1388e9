public import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage
public import Storage

/// What a check of an image and its ancestors found.
public struct VerificationReport: Sendable {
  /// What is wrong, in the order in which it was found; empty if nothing is.
  public var findings: [CheckpointError]
  /// What kept the check from being complete, such as a missing parent.
  public var obstacle: CheckpointError?
  /// Images that were checked.
  public var images: Int
  /// Pages whose contents were compared with their digests.
  public var pages: UInt64
  /// Bytes of the images.
  public var bytes: UInt64

  /// Whether everything was checked and nothing is wrong.
  public var isSound: Bool { findings.isEmpty && obstacle == nil }
}

extension Checkpoint {
  /// Checks the image at a path and all its ancestors: every page, digest and identity, or with `quick` only
  /// structure, links and checksums. It goes on after each finding.
  ///
  /// - Throws: `.io` if the image cannot be read, `.interrupted` after a cancellation.
  public static func verify(
    at path: String, searching folders: [String] = [], quick: Bool = false, threads: Int? = nil,
    cancellation: Cancellation = Cancellation(), progress: @escaping Progress = { _ in }
  ) throws(CheckpointError) -> VerificationReport {
    try verify(
      LocalFile(path, cancellation: cancellation),
      finding: Folders(of: path, searching: folders, cancellation: cancellation), quick: quick,
      threads: threads, cancellation: cancellation, progress: progress)
  }

  /// Checks an image that is stored anywhere, and its ancestors.
  public static func verify(
    _ storage: any RangeReader, finding finder: (any ImageFinder)? = nil, quick: Bool = false,
    threads: Int? = nil, cancellation: Cancellation = Cancellation(),
    progress: @escaping Progress = { _ in }
  ) throws(CheckpointError) -> VerificationReport {
    let pool = WriteOptions(threads: threads).pool(cancellation)
    let check = Verification(quick ? .quick : .full, on: pool, progress: progress)
    try check.run(storage, finding: finder ?? NoImages())
    return VerificationReport(
      findings: check.findings, obstacle: check.obstacle, images: check.counts.images,
      pages: check.counts.pages, bytes: check.counts.bytes)
  }
}
