internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The input of Xen's formats and the events made from it, shared by the readers of the nested formats.
final class StreamReader {
  let input: InputStream
  /// Facts about the guest from the headers.
  var facts = MomentFacts()
  /// Other facts from the headers, for the provenance.
  var fields: [(key: String, value: String)] = []
  /// The number of the moment in a checkpointed stream, from 0.
  private(set) var moment = 0
  /// Whether a page was read.
  private(set) var hasPages = false

  /// Whether memory is being sent a second time for comparison, in a debugging save (VERIFY).
  var isVerifying = false

  private var events = EventQueue<SourceEvent>()
  private var head = StreamHead()
  private var headIsOut = true

  init(_ input: InputStream) { self.input = input }

  /// The next event; nil if more must be read first.
  func takeEvent() -> SourceEvent? { events.take() }

  func append(_ event: SourceEvent) {
    if case .pages = event { hasPages = true }
    events.append(event)
  }

  /// Appends an item of the source's layout; later moments of a checkpointed stream have a layout of their own.
  func append(layout item: LayoutItem?) {
    if let item, moment == 0 { events.append(.layout(item)) }
  }

  /// Appends a record without a body that belongs to the head of the stream.
  func append(headFrame namespace: RecordNamespace, _ type: UInt32) {
    head.keep(frame: namespace, type)
    append(layout: .frame(namespace, type: type))
  }

  /// Appends a record without a body that ends a stream.
  func append(endFrame namespace: RecordNamespace, _ type: UInt32) {
    showHead()
    events.append(.layout(.frame(namespace, type: type)))
  }

  /// Appends a machine record, and the padding after it if that is not zero.
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

  /// Inserts what later moments inherit before their first record.
  private func showHead() {
    guard !headIsOut else { return }
    headIsOut = true
    events.append(contentsOf: head.events)
  }

  /// Starts the next moment of a checkpointed stream.
  func beginMoment() {
    moment += 1
    headIsOut = false
  }

  /// Reads the padding after a body; nil if it is zero, as it should be.
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

  /// Throws if `length`, which was read at `offset`, exceeds a limit.
  func check(_ length: UInt64, atMost limit: Int, _ what: String, at offset: UInt64)
    throws(CheckpointError)
  {
    guard length <= UInt64(limit) else {
      throw damaged("length: found \(length), expected at most \(limit)", what, at: offset)
    }
  }
}

/// What a reader of the nested formats has reached.
enum StreamEnd {
  /// The end of a moment; a checkpointed stream may have more.
  case moment
  /// The end of the stream.
  case stream
}
