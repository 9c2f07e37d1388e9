internal import CheckpointImage

/// A layout item by its fields (Spec, "Layout").
struct LayoutForm: Codable {
  struct RunForm: Codable {
    var pfn: PFN
    var count: UInt64

    enum CodingKeys: String, CodingKey {
      case pfn = "PFN"
      case count = "Count"
    }
  }

  var item: String
  var namespace: String?
  var type: UInt32?
  var unpadded: Bool?
  var bytes: Base64Bytes?
  var batch: UInt32?
  var reservedWord: UInt32?
  var runs: [RunForm]?

  enum CodingKeys: String, CodingKey {
    case item = "Item"
    case namespace = "Namespace"
    case type = "Type"
    case unpadded = "Unpadded"
    case bytes = "Bytes"
    case batch = "Batch"
    case reservedWord = "Reserved_Word"
    case runs = "Runs"
  }

  init(_ item: LayoutItem) {
    switch item {
    case .frame(let namespace, let type):
      self.item = "frame"
      self.namespace = "\(namespace)"
      self.type = type
    case .record(let padded):
      self.item = "record"
      unpadded = padded ? nil : true
    case .bytes(let namespace, let bytes):
      self.item = "bytes"
      self.namespace = "\(namespace)"
      self.bytes = Base64Bytes(bytes)
    case .pages(let pages):
      self.item = "pages"
      batch = pages.batch
      reservedWord = pages.reserved == 0 ? nil : pages.reserved
      runs = pages.runs.map { RunForm(pfn: $0.pfn, count: $0.count) }
    }
  }

  func layoutItem() throws(CheckpointError) -> LayoutItem {
    switch (item, namespace, type, bytes, batch, runs) {
    case ("frame", let namespace?, let type?, _, _, _):
      return .frame(try Name.namespace(namespace), type: type)
    case ("record", _, _, _, _, _):
      return .record(padded: unpadded != true)
    case ("bytes", let namespace?, _, let bytes?, _, _):
      return .bytes(try Name.namespace(namespace), bytes.bytes)
    case ("pages", _, _, _, let batch?, let runs?):
      return .pages(
        LayoutItem.Pages(
          batch: batch, reserved: reservedWord ?? 0,
          runs: runs.map { LayoutItem.Run(pfn: $0.pfn, count: $0.count) }))
    default:
      throw CheckpointError(
        .refused,
        "Layout: an item is frame (Namespace, Type), record, bytes (Namespace, Bytes) or pages "
          + "(Batch, Runs)")
    }
  }
}
