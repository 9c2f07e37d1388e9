internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The input of Xen's formats, and the events that were made of it: what the readers of the nested formats
/// share.
final class StreamReader {
  let input: InputStream
  /// What the headers told of the guest.
  var facts = MomentFacts()
  /// What else they told, for the provenance.
  var fields: [(key: String, value: String)] = []
  /// Which moment of a checkpointed stream is being read, from 0.
  private(set) var moment = 0

  /// Whether memory comes a second time, for a debugging save to be compared (VERIFY): it says nothing new.
  var isVerifying = false

  private var events = EventQueue<SourceEvent>()
  private var head = StreamHead()
  private var headIsOut = true

  init(_ input: InputStream) { self.input = input }

  /// The next event, if there is one.
  func takeEvent() -> SourceEvent? { events.take() }

  func append(_ event: SourceEvent) { events.append(event) }

  /// How the source wrote its records; later moments of a checkpointed stream have the layout of their own.
  func append(layout item: LayoutItem?) {
    if let item, moment == 0 { events.append(.layout(item)) }
  }

  /// A record without body that belongs to the stream's head.
  func append(headFrame namespace: RecordNamespace, _ type: UInt32) {
    head.keep(frame: namespace, type)
    append(layout: .frame(namespace, type: type))
  }

  /// A record without body that ends a stream.
  func append(endFrame namespace: RecordNamespace, _ type: UInt32) {
    showHead()
    events.append(.layout(.frame(namespace, type: type)))
  }

  /// A machine record with the padding that followed it, if that was not zero.
  func append(
    _ namespace: RecordNamespace, _ recordClass: RecordClass, _ type: UInt32, _ payload: [UInt8],
    padding: [UInt8]? = nil
  ) {
    let record = MachineRecord(namespace, recordClass, type: type, payload: payload)
    if recordClass != .epoch || namespace == .streamHeader || namespace == .xl {
      head.keep(record)
      if moment > 0 { return }
    } else {
      showHead()
    }
    events.append(.layout(.record(padded: padding == nil || moment > 0)))
    events.append(.record(record))
    if let padding { append(layout: .bytes(namespace, padding)) }
  }

  /// What later moments inherit comes before their first record of their own.
  private func showHead() {
    guard !headIsOut else { return }
    headIsOut = true
    events.append(contentsOf: head.events)
  }

  /// Begins the next moment of a checkpointed stream.
  func beginMoment() {
    moment += 1
    headIsOut = false
  }

  /// The padding behind a body; nil if it is zero as it should be.
  func readPadding(_ length: Int) throws(CheckpointError) -> [UInt8]? {
    let padding = try input.read((8 - length % 8) % 8, "padding")
    return padding.allSatisfy { $0 == 0 } ? nil : padding
  }

  func damaged(_ reason: String, _ structure: String, at offset: UInt64) -> CheckpointError {
    CheckpointError(.damaged, reason, structure: structure, offset: offset, file: input.name)
  }

  func unsupported(_ reason: String, _ structure: String, at offset: UInt64) -> CheckpointError {
    CheckpointError(.unsupported, reason, structure: structure, offset: offset, file: input.name)
  }

  /// Fails if `length`, read at `offset`, is more than we take.
  func check(_ length: UInt64, atMost limit: Int, _ what: String, at offset: UInt64)
    throws(CheckpointError)
  {
    guard length <= UInt64(limit) else {
      throw damaged("length: found \(length), expected at most \(limit)", what, at: offset)
    }
  }
}

/// What the readers of the nested formats have come to.
enum StreamEnd {
  /// All of a moment was read; a checkpointed stream may have more.
  case moment
  /// All of the stream was read.
  case stream
}
