internal import CheckpointImage

/// A root (Spec, "Root"): only what cannot be derived from the segments before it, or differs from that.
struct RootForm: Codable {
  struct DirectoryForm: Codable, Equatable {
    var kind: UInt16
    var flags: UInt16
    var ordinal: UInt64
    var offset: UInt64
    var bodyLength: UInt64
    var digest: HexDigest

    enum CodingKeys: String, CodingKey {
      case kind = "Kind"
      case flags = "Flags"
      case ordinal = "Ordinal"
      case offset = "Offset"
      case bodyLength = "Body_Length"
      case digest = "Digest"
    }
  }

  struct BlockForm: Codable, Equatable {
    var block: UInt64
    var offset: UInt64
    var bodyLength: UInt32
    var digest: HexDigest

    enum CodingKeys: String, CodingKey {
      case block = "Block"
      case offset = "Offset"
      case bodyLength = "Body_Length"
      case digest = "Digest"
    }
  }

  var layout: String
  /// A node for each index block, null where no page is populated; derived for a base.
  var nodes: [HexDigest?]?
  var memoryDigest: HexDigest?
  var stateDigest: HexDigest?
  var checkpointID: HexDigest?
  var counts: [UInt64]?
  var deadCopies: UInt64?
  var directory: [DirectoryForm]?
  var blocks: [BlockForm]?

  enum CodingKeys: String, CodingKey {
    case layout = "Layout"
    case nodes = "Nodes"
    case memoryDigest = "Memory_Digest"
    case stateDigest = "State_Digest"
    case checkpointID = "Checkpoint_ID"
    case counts = "Counts"
    case deadCopies = "Dead_Copies"
    case directory = "Directory"
    case blocks = "Blocks"
  }

  private static let layouts: [LayoutKind] = [.none, .exact, .canonical]

  init(_ body: RootBody, _ sealer: Sealer) {
    let root = body.root
    layout = "\(root.layout)"
    let followedBody = sealer.rootBody(RootForm(layout: layout))
    let followed = followedBody.root
    func differing<T: Equatable>(_ value: T, _ expected: T?) -> T? {
      value == expected ? nil : value
    }
    nodes = differing(
      body.blocks.map { $0.node.map(HexDigest.init) },
      sealer.isBase ? followedBody.blocks.map { $0.node.map(HexDigest.init) } : nil)
    memoryDigest = differing(HexDigest(root.memory), nil)
    if sealer.isBase, nodes == nil {
      memoryDigest = differing(HexDigest(root.memory), HexDigest(followed.memory))
    }
    stateDigest = differing(HexDigest(root.state), HexDigest(followed.state))
    let id = Identity.checkpoint(
      captureID: sealer.captureID, memory: root.memory, state: root.state)
    checkpointID = differing(HexDigest(root.checkpointID), HexDigest(id))
    counts = differing(root.counts, followed.counts)
    deadCopies = differing(root.deadCopies, followed.deadCopies)
    directory = differing(
      root.directory.map(Self.form), followed.directory.map(Self.form))
    blocks = differing(body.blocks.map(Self.form), followedBody.blocks.map(Self.form))
  }

  private init(layout: String) { self.layout = layout }

  private static func form(_ entry: ImageRoot.DirectoryEntry) -> DirectoryForm {
    DirectoryForm(
      kind: entry.rawKind, flags: entry.flags, ordinal: entry.ordinal, offset: entry.offset,
      bodyLength: entry.bodyLength, digest: HexDigest(entry.digest))
  }

  private static func form(_ entry: RootBody.BlockEntry) -> BlockForm {
    BlockForm(
      block: entry.number.value, offset: entry.offset, bodyLength: entry.bodyLength,
      digest: HexDigest(entry.digest))
  }

  func body(_ sealer: Sealer) throws(CheckpointError) -> [UInt8] {
    let kind = try Name.value(layout, of: Self.layouts, "Layout") { "\($0)" }
    var body = sealer.rootBody(self)
    body.root.layout = kind
    if let counts, counts.count != 8 {
      throw CheckpointError(.refused, "Counts: found \(counts.count), expected 8")
    }
    if let nodes {
      guard nodes.count == body.blocks.count else {
        throw CheckpointError(
          .refused, "Nodes: found \(nodes.count), expected \(body.blocks.count), one per block")
      }
      for (place, node) in nodes.enumerated() { body.blocks[place].node = node?.digest }
    }
    guard sealer.isBase || nodes != nil && memoryDigest != nil else {
      throw CheckpointError(
        .refused,
        "an increment's root needs Nodes and Memory_Digest: they do not follow from it alone")
    }
    return body.encoded()
  }
}
