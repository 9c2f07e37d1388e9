internal import CheckpointCodec
internal import CheckpointImage

/// What a checkpointed stream sends only once but every moment needs: headers, static and sticky records, and
/// the frames between them.
struct StreamHead {
  private enum Item {
    case frame(RecordNamespace, UInt32)
    case record(MachineRecord)
  }

  private var items: [Item] = []

  /// Adds a record without a body.
  mutating func keep(frame namespace: RecordNamespace, _ type: UInt32) {
    items.append(.frame(namespace, type))
  }

  /// Adds a record, or replaces an earlier one with the same name.
  mutating func keep(_ record: MachineRecord) {
    let place = items.lastIndex {
      guard case .record(let old) = $0 else { return false }
      return old.key.namespace == record.key.namespace && old.key.type == record.key.type
    }
    if let place { items[place] = .record(record) } else { items.append(.record(record)) }
  }

  /// The head as events, followed by a layout item for the pages: all pages of the moment, in canonical order,
  /// whatever the stream sent (Spec, "Layout").
  var events: [SourceEvent] {
    let pages = LayoutItem.Pages(
      batch: 1024, reserved: 0, runs: [LayoutItem.Run(pfn: 0, count: 1)])
    return items.flatMap { item -> [SourceEvent] in
      switch item {
      case .frame(let namespace, let type): [.layout(.frame(namespace, type: type))]
      case .record(let record): [.layout(.record(padded: true)), .record(record)]
      }
    } + [.layout(.pages(pages))]
  }
}
