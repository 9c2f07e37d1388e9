internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads a libxl stream, version 2, with the libxc stream in it: Xen's `libxl-migration-stream`.
final class LibxlStream {
  private enum Phase {
    /// Records up to LIBXC_CONTEXT.
    case opening
    /// The libxc stream, or the next moment of it.
    case libxc(LibxcStream)
    /// Records after the libxc stream, up to END.
    case closing
    /// Records after a checkpoint, up to CHECKPOINT_END.
    case checkpoint(LibxcStream)
  }

  private let reader: StreamReader
  private var input: InputStream { reader.input }
  private var phase = Phase.opening

  /// Reads the header.
  init(_ reader: StreamReader) throws(CheckpointError) {
    self.reader = reader
    let offset = reader.input.position
    let header = try reader.input.read(XenStream.libxlHeaderSize, "libxl header")
    guard header.starts(with: XenStream.libxlIdent) else {
      throw reader.damaged("does not begin with LibxlFmt", "libxl header", at: offset)
    }
    let version = header.u32(8).byteSwapped
    guard version == 2 else {
      throw reader.unsupported("version \(version)", "libxl header", at: offset + 8)
    }
    let options = header.u32(12).byteSwapped
    guard options & 1 == 0 else {
      throw reader.unsupported("a big-endian stream", "libxl header", at: offset + 12)
    }
    reader.append(.streamHeader, .epoch, XenStream.Header.libxl.rawValue, header)
  }

  /// Whether the memory of a first moment was read to its end.
  var hasAllPages: Bool {
    switch phase {
    case .closing: true
    case .checkpoint: reader.moment == 0
    case .opening, .libxc: false
    }
  }

  /// Ends a stream that broke off.
  func endEarly() {
    if case .libxc(let stream) = phase { stream.endEarly() }
  }

  /// Reads the next part; returns what ended with it, or nil.
  func step() throws(CheckpointError) -> StreamEnd? {
    guard case .libxc(let stream) = phase else { return try readRecord() }
    switch try stream.step() {
    case nil: break
    case .moment: phase = .checkpoint(stream)
    case .stream: phase = .closing
    }
    return nil
  }

  /// Starts the next moment, after a checkpoint: records of the libxc stream follow.
  func beginMoment() {
    guard case .checkpoint(let stream) = phase else { return }
    stream.beginMoment()
    phase = .libxc(stream)
  }

  private func readRecord() throws(CheckpointError) -> StreamEnd? {
    let offset = input.position
    let head = try input.read(8, "libxl record")
    let rawType = head.u32(0)
    let length = Int(head.u32(4))
    guard let type = XenStream.LibxlType(rawValue: rawType) else {
      throw reader.unsupported(
        "type \(Hexadecimal.string(UInt64(rawType)))", "libxl record", at: offset)
    }
    func limit(_ maximum: Int) throws(CheckpointError) {
      try reader.check(UInt64(length), atMost: maximum, "\(type)", at: offset + 4)
    }
    switch (type, phase) {
    case (.libxcContext, .opening):
      try limit(0)
      reader.append(headFrame: .libxl, rawType)
      phase = .libxc(try LibxcStream(reader))
    case (.end, .closing):
      try limit(0)
      reader.append(endFrame: .libxl, rawType)
      return .stream
    case (.checkpointEnd, .checkpoint):
      try limit(0)
      // Each moment is written as a stream of its own.
      reader.append(endFrame: .libxl, XenStream.LibxlType.end.rawValue)
      return .moment
    case (.emulatorXenstoreData, _), (.emulatorContext, _):
      let isStore = type == .emulatorXenstoreData
      try limit(isStore ? XenStream.maximumXenstoreData : XenStream.maximumEmulatorContext)
      guard length >= 8 else {
        throw reader.damaged("length: found \(length), expected at least 8", "\(type)", at: offset)
      }
      let body = try input.read(length, "\(type)")
      if isStore { try checkStrings(body[8...], at: offset) }
      reader.append(.libxl, .epoch, rawType, body, padding: try reader.readPadding(length))
    case (.checkpointState, _):
      throw reader.unsupported("a COLO stream (\(type))", "libxl record", at: offset)
    case (.end, .opening):
      throw reader.damaged("the stream ends without a libxc stream", "libxl record", at: offset)
    case (.libxcContext, _):
      throw reader.damaged("a second libxc stream", "libxl record", at: offset)
    case (.end, _), (.checkpointEnd, _):
      throw reader.damaged("\(type) in the wrong place", "libxl record", at: offset)
    }
    return nil
  }

  /// Throws unless the bytes are an even number of strings, each with a NUL at its end.
  private func checkStrings(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(CheckpointError) {
    guard bytes.isEmpty || bytes.last == 0, bytes.count(where: { $0 == 0 }) % 2 == 0 else {
      throw reader.damaged("not pairs of strings ended by NUL", "emulatorXenstoreData", at: offset)
    }
  }
}
