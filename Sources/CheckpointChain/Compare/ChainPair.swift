package import CheckpointCodec
package import CheckpointImage
package import Storage
/// Two chains of one guest; the images that both stand on are opened and read once.
package final class ChainPair: Sendable {
  /// The moment before.
  package let before: Chain
  /// The moment after.
  package let after: Chain
  /// How many images, counted from the base, are the same in both.
  private let shared: Int

  /// Two chains.
  package init(_ before: Chain, _ after: Chain) {
    self.before = before
    self.after = after
    shared = zip(before.images.reversed(), after.images.reversed()).prefix { $0 === $1 }.count
  }

  /// Opens two chains; `-` is standard input.
  ///
  /// - Parameter searching: folders to look for ancestors in, after the tips' own.
  package static func open(
    _ before: String, _ after: String, searching: [String] = [],
    cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> ChainPair {
    // One may be the other's parent, wherever they lie.
    func folders(of path: String) -> [String] {
      path == "-" ? [] : [Folders.folder(of: path)]
    }
    let old = try Chain.open(
      before, searching: searching + folders(of: after), cancellation: cancellation)
    let new = try Chain.open(
      after, searching: searching + folders(of: before), knowing: old.images,
      cancellation: cancellation)
    return ChainPair(old, new)
  }

  /// The files of both chains, each once.
  package var images: [ImageFile] { before.images + after.images.dropLast(shared) }

  /// Bytes read from all of them so far.
  package var bytesRead: UInt64 {
    images.reduce(0) { $0 + $1.storage.bytesRead }
  }

  /// The blocks with a populated page before or after, ascending.
  package var blocks: [BlockNumber] {
    Set(before.memoryTree.map(\.block)).union(after.memoryTree.map(\.block)).sorted()
  }

  /// The 512 pages of a block in both chains. What both stand on is read only if younger images do not
  /// describe every page.
  func pages(ofBlock number: BlockNumber) throws(CheckpointError) -> (
    before: [PageEntry], after: [PageEntry]
  ) {
    var old = ChainBlock(number)
    var new = ChainBlock(number)
    try old.fill(from: before.images.dropLast(shared))
    try new.fill(from: after.images.dropLast(shared))
    if !old.isComplete || !new.isComplete {
      var common = ChainBlock(number)
      try common.fill(from: before.images.suffix(shared))
      old.fill(from: common, shift: 0)
      new.fill(from: common, shift: after.images.count - before.images.count)
    }
    let empty = BlockOverlay().entries
    return (try before.admit(old)?.entries ?? empty, try after.admit(new)?.entries ?? empty)
  }
}
