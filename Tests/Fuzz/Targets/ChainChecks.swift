internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
import Storage

/// What is tried on images in a scratch folder.
struct ChainChecks {
  let scratch: Scratch
  let pool = WorkerPool(threadless: ())

  /// Checks the image of a name, reads all of it, and if it was found sound, merges it.
  func run(_ name: String) -> Outcome {
    let path = scratch.path(name)
    var isSound = false
    do throws(CheckpointError) {
      let check = Verification(.full, on: pool)
      try check.run(LocalFile(path), finding: Folders(of: path, searching: []))
      isSound = check.findings.isEmpty && check.obstacle == nil
      let chain = try Chain.open(path)
      try readPages(of: chain)
      guard isSound else { return .refused }
      let output = try scratch.output("merged")
      let merged = try Merge.run(
        chain, Merge.Options(provenance: Provenance()), to: output, on: pool)
      return merged.image.checkpointID == chain.checkpointID
        ? .accepted : .broken("merged into another moment")
    } catch {
      return isSound ? .broken("found sound, but \(error)") : .refused
    }
  }

  private func readPages(of chain: Chain) throws(CheckpointError) {
    let reader = PageReader(chain)
    for (number, _) in chain.memoryTree {
      let first = number.firstPage
      for half in [first, first + UInt64(PageBuffer.capacity)] {
        _ = try reader.read([half..<half + UInt64(PageBuffer.capacity)])
      }
    }
    _ = try chain.completeRecords()
  }
}
