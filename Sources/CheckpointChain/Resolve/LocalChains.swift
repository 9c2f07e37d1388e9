package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Chains of files of this machine.
extension Chain {
  /// Opens the chain whose tip is at `path`; `-` is standard input.
  ///
  /// - Parameters:
  ///   - searching: folders to look for ancestors in, after the tip's own.
  ///   - known: images of another chain, which are not opened again where they belong to this one too.
  package static func open(
    _ path: String, searching: [String] = [], knowing known: [ImageFile] = [],
    cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> Chain {
    let file = path == "-" ? nil : StorageIdentity(path: path)
    let tip: ImageFile
    if let open = known.first(where: { $0.storage.identity == file }) {
      tip = open
    } else {
      tip = try ImageFile(path, cancellation: cancellation)
    }
    let finder = try Folders(of: path, searching: searching, cancellation: cancellation)
    return try open(tip, finding: finder, knowing: known)
  }

  /// Opens the chain of a tip whose ancestors `finder` finds.
  package static func open(
    _ tip: ImageFile, finding finder: any ImageFinder, knowing known: [ImageFile] = []
  ) throws(CheckpointError) -> Chain {
    try Chain(try images(tip, finding: finder, knowing: known))
  }

  /// The images of the chain whose tip is at `path`, tip first.
  package static func images(
    _ path: String, searching: [String] = [], cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> [ImageFile] {
    try images(
      ImageFile(path, cancellation: cancellation),
      finding: Folders(of: path, searching: searching, cancellation: cancellation))
  }

  private static func images(
    _ tip: ImageFile, finding finder: any ImageFinder, knowing known: [ImageFile] = []
  ) throws(CheckpointError) -> [ImageFile] {
    var resolver = ChainResolver(finder, knowing: known, cancellation: tip.cancellation)
    let found = try resolver.ancestors(of: tip)
    if let obstacle = found.obstacle { throw obstacle }
    return [tip] + found.images
  }
}
