internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads a suspend image of XenServer or XCP-ng: a signature and sections, one of which is a libxc stream
/// (xenopsd's `suspend_image.ml`).
final class XenServerImage {
  private let reader: StreamReader
  private var libxc: LibxcStream?
  private var sawLibxc = false

  /// Reads the signature.
  init(_ reader: StreamReader) throws(CheckpointError) {
    self.reader = reader
    let signature = try reader.input.read(XenStream.xenServerSignature.count, "signature")
    guard signature == XenStream.xenServerSignature else {
      throw reader.damaged("not a XenServer suspend image", "signature", at: 0)
    }
    reader.append(.streamHeader, .epoch, XenStream.Header.xenServer.rawValue, signature)
  }

  /// Whether the libxc stream was read to its end.
  var hasAllPages: Bool { sawLibxc && libxc == nil }

  /// Ends an image that broke off.
  func endEarly() { libxc?.endEarly() }

  /// Reads the next part; returns what ended with it, or nil.
  func step() throws(CheckpointError) -> StreamEnd? {
    guard let stream = libxc else { return try readSection() }
    switch try stream.step() {
    case nil: break
    case .stream: libxc = nil
    case .moment:
      throw reader.unsupported(
        "a checkpointed stream in a suspend image", "libxc stream", at: reader.input.position)
    }
    return nil
  }

  private func readSection() throws(CheckpointError) -> StreamEnd? {
    let offset = reader.input.position
    let head = try reader.input.read(16, "section")
    let (rawType, length) = (head.u64(0), head.u64(8))
    guard let number = UInt32(exactly: rawType),
      let type = XenStream.XenServerSection(rawValue: number)
    else {
      throw reader.unsupported(
        "section of type \(Hexadecimal.string(rawType))", "section", at: offset)
    }
    switch type {
    case .libxc:
      guard !sawLibxc else { throw reader.damaged("a second libxc stream", "section", at: offset) }
      // The length field is meaningless here; the stream contains its own end.
      reader.append(layout: .bytes(.xenServer, head))
      libxc = try LibxcStream(reader)
      sawLibxc = true
    case .end:
      guard sawLibxc else {
        throw reader.damaged("the image ends without a libxc stream", "section", at: offset)
      }
      reader.append(layout: .bytes(.xenServer, head))
      return .stream
    case .libxl, .legacyLibxc:
      throw reader.unsupported("a \(type) section", "section", at: offset)
    case .metadata, .traditionalEmulator, .emulator, .virtualGPU, .uefiVariables, .tpm0, .tpm:
      let limit =
        type == .metadata ? XenStream.maximumOptionalData : XenStream.maximumEmulatorContext
      try reader.check(length, atMost: limit, "section \(type)", at: offset + 8)
      let body = try reader.input.read(Int(length), "section \(type)")
      reader.append(.xenServer, type == .metadata ? .sticky : .epoch, number, body)
    }
    return nil
  }
}
