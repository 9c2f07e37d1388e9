public import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage
public import Storage

/// A moment of a guest: the image that names it, with all its ancestors.
///
/// Opening reads the beginning and the end of each image; pages are read when they are asked for, and every one is
/// compared with its SHA-256 (Spec, "Digests and identities"). Any number of threads may use a checkpoint at once.
///
/// ```swift
/// let checkpoint = try Checkpoint(at: "web-0003.ckpt")
/// print(checkpoint.facts.pages[.data] ?? 0, "pages are stored")
/// let page = try checkpoint.page(0x1000)
/// ```
public struct Checkpoint: Sendable {
  /// The images, the tip first.
  let chain: Chain

  /// What is known of the moment besides its memory.
  public let facts: CheckpointFacts

  /// Opens the image at a path of this machine; `-` is standard input.
  ///
  /// - Parameters:
  ///   - path: the youngest image. Its ancestors are looked for in its folder.
  ///   - folders: further folders with ancestors.
  ///   - cancellation: ends this and whatever is done with the checkpoint.
  /// - Throws: `.missingParent`, `.damaged`, `.incomplete`, `.unsupported` or `.io`.
  public init(
    at path: String, searching folders: [String] = [],
    cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) {
    try self.init(Chain.open(path, searching: folders, cancellation: cancellation))
  }

  /// Opens an image that is stored anywhere.
  ///
  /// - Parameters:
  ///   - storage: the bytes of the youngest image.
  ///   - finder: where its ancestors are looked for; nil if it has none.
  ///   - cancellation: ends this and whatever is done with the checkpoint.
  /// - Throws: `.missingParent`, `.damaged`, `.incomplete`, `.unsupported` or `.io`.
  public init(
    _ storage: any RangeReader, finding finder: (any ImageFinder)? = nil,
    cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) {
    let tip = try ImageFile(storage, cancellation: cancellation)
    try self.init(Chain.open(tip, finding: finder ?? NoImages()))
  }

  init(_ chain: Chain) throws(CheckpointError) {
    self.chain = chain
    facts = try CheckpointFacts(chain)
  }

  /// The moment's identity: the same however and in how many images it is stored (Spec, "Digests and identities").
  public var id: Digest { chain.checkpointID }
}

/// Where no other images are.
final class NoImages: ImageFinder {
  let places = "nowhere else"
  func images(named name: String) -> [String] { [] }
  func images(carrying moment: Digest) -> [String] { [] }
  func open(_ location: String) throws(CheckpointError) -> any RangeReader {
    throw CheckpointError(.io, "is not there", file: location)
  }
}
