internal import CheckpointCodec
internal import CheckpointImage

/// What a root records of its moment, against what follows from the index blocks and records.
extension ImageFile {
  /// Fails unless the node of a block that the root has, `found`, is what follows.
  func checkNode(_ found: Digest?, ofBlock number: BlockNumber, is node: Digest?)
    throws(CheckpointError)
  {
    func text(_ node: Digest?) -> String { node.map { "\($0)" } ?? "none" }
    guard node == found else {
      throw differs("node of block \(number)", text(found), text(node))
    }
  }

  /// Fails unless the root has the memory digest that follows.
  func checkMemory(_ memory: Digest) throws(CheckpointError) {
    guard memory == root.memory else {
      throw differs("memory digest", "\(root.memory)", "\(memory)")
    }
  }

  /// Fails unless the root has the state digest that follows.
  func checkState(_ records: [RecordKey]) throws(CheckpointError) {
    let state = Identity.machineState(records)
    guard state == root.state else {
      throw differs("state digest", "\(root.state)", "\(state)")
    }
  }

  private func differs(_ field: String, _ found: String, _ expected: String) -> CheckpointError {
    CheckpointError(
      .damaged, "\(field): found \(found), expected \(expected)", structure: "root",
      offset: trailer.rootOffset, file: name)
  }
}
